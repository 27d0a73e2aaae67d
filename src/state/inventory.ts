import type {
  AutoBackups,
  Domain,
  Finances,
  KeptError,
  ManagedBucket,
  ManagedDatabase,
  ProviderBackup,
} from "../core/managed.ts";
import type { ServerAction, ServerFacts } from "../core/server.ts";
import { type Keys, type Redis, Script } from "./redis.ts";

/** What a provider has said of something, and what became of the newest attempt to ask it. */
export interface Section<T> {
  readonly known?: { readonly at: Date; readonly value: T };
  /** Since when it cannot be asked, and why: what is known stays. */
  readonly failed?: { readonly at: Date; readonly error: KeptError };
}

/** What belongs to an account beside its servers; undefined parts: its provider has no such thing. */
export interface AccountInventory {
  /** When it was asked for the last time, with whatever success. */
  readonly at: Date;
  readonly finances?: Section<Finances>;
  readonly domains?: Section<readonly Domain[]>;
  readonly databases?: Section<readonly ManagedDatabase[]>;
  readonly buckets?: Section<readonly ManagedBucket[]>;
}

/** Backups of one of a server's disks. */
export interface DiskBackups {
  readonly disk: string;
  readonly isSystem: boolean;
  /** Newest first. */
  readonly backups: readonly ProviderBackup[];
}

/** What the provider tells of a server when somebody looks at it. */
export interface ServerDetails {
  readonly at: Date;
  readonly facts?: Section<ServerFacts>;
  /** Newest first. */
  readonly actions?: Section<readonly ServerAction[]>;
  readonly backups?: Section<readonly DiskBackups[]>;
  /** Where a person can see its screen. */
  readonly consoleUrl?: string;
}

/** What the provider tells of a managed database when somebody looks at it. */
export interface DatabaseDetails {
  readonly at: Date;
  /** Newest first. */
  readonly backups?: Section<readonly ProviderBackup[]>;
  readonly auto?: Section<AutoBackups>;
}

/** What is kept, by what it is about: an account, a server of the configuration, "<account>/<id>" of a database. */
export interface Inventories {
  account: AccountInventory;
  server: ServerDetails;
  database: DatabaseDetails;
}
export type InventoryKind = keyof Inventories;

/** A record that is ahead by more than this was written by a wrong clock, and does not keep newer ones away; milliseconds. */
const mostAheadMs = 300_000;

/** KEYS: the hash. ARGV: field, time of the record, the record, how far ahead the known one may be. An older one loses. */
const noteScript = new Script(`
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known then
  local ahead = tonumber(string.match(known, '^(%d+) ')) - tonumber(ARGV[2])
  if ahead > 0 and ahead < tonumber(ARGV[4]) then return 0 end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])
return 1`);

/** What providers tell beside measurements: a memory for views and warnings, filled by workers. */
export class InventoryStates {
  readonly #redis: Redis;
  readonly #keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async read<K extends InventoryKind>(kind: K, id: string): Promise<Inventories[K] | undefined> {
    const kept = await this.#redis.hget(this.#key(kind), id);
    return kept === null ? undefined : parse<Inventories[K]>(kept);
  }

  async readAll<K extends InventoryKind>(kind: K, ids: readonly string[]): Promise<Map<string, Inventories[K]>> {
    const all = new Map<string, Inventories[K]>();
    if (ids.length === 0) return all;
    const kept = await this.#redis.hmget(this.#key(kind), ...ids);
    for (const [index, id] of ids.entries()) {
      const text = kept[index];
      if (text != null) all.set(id, parse<Inventories[K]>(text));
    }
    return all;
  }

  /** Stands for the newest record: another one after each `note`. */
  async stamp(kind: InventoryKind, id: string): Promise<string> {
    const kept = await this.#redis.hget(this.#key(kind), id);
    return kept?.split(" ", 1)[0] ?? "";
  }

  /** Keeps a record, unless a newer one is there. */
  async note<K extends InventoryKind>(kind: K, id: string, record: Inventories[K]): Promise<boolean> {
    const args = [id, record.at.getTime(), JSON.stringify(record), mostAheadMs];
    return Number(await noteScript.run(this.#redis, [this.#key(kind)], args)) === 1;
  }

  /** Forgets the records of which nobody speaks any more. */
  async retain(kind: InventoryKind, isWanted: (id: string) => boolean): Promise<void> {
    const gone = (await this.#redis.hkeys(this.#key(kind))).filter((id) => !isWanted(id));
    if (gone.length > 0) await this.#redis.hdel(this.#key(kind), ...gone);
  }

  #key(kind: InventoryKind): string {
    return this.#keys.of("inventory", kind);
  }
}

const times = new Set(["at", "expiresAt"]);

function parse<T>(kept: string): T {
  const text = kept.slice(kept.indexOf(" ") + 1);
  return JSON.parse(text, (key, value: unknown) =>
    times.has(key) && typeof value === "string" ? new Date(value) : value,
  ) as T;
}
