import type { Person } from "../core/run.ts";
import type { Text } from "../core/text.ts";
import { auditLua, entryText } from "./audit.ts";
import { type Keys, type Redis, Script } from "./redis.ts";

/** What a person wants: a backup pinned in every storage that holds it, or no longer. */
export interface PinOrder {
  readonly id: string;
  readonly name: string;
  readonly folder: string;
  /** Id of the backup's run. */
  readonly run: string;
  readonly pinned: boolean;
  readonly by: Person;
  /** What it is pinned for, where that was said. */
  readonly reason?: string;
  /** ISO 8601. */
  readonly at: string;
}

/** A storage in which it has not been done yet, and why the last attempt failed. */
export interface PinWaiting {
  readonly storage: string;
  readonly error?: { readonly message: string; readonly text?: Text };
}

/** An order that has not been carried out everywhere. */
export interface PendingPin {
  readonly order: PinOrder;
  readonly waiting: readonly PinWaiting[];
}

/** KEYS: the order's hash, the index. ARGV: root, folder, entry of the audit log, then fields and values of the hash. */
const createScript = new Script(`${auditLua}
redis.call('SADD', KEYS[2], ARGV[2])
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
audit(ARGV[1], ARGV[3])
return 1`);
/** KEYS: the order's hash, the index. ARGV: the order's id, the storage's field, the folder. */
const settleScript = new Script(`
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[2])
if redis.call('HLEN', KEYS[1]) <= 2 then
  redis.call('DEL', KEYS[1])
  redis.call('SREM', KEYS[2], ARGV[3])
end
return 1`);
/** KEYS: the order's hash. ARGV: the order's id, the storage's field, what is known of it. */
const failScript = new Script(`
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 0 end
if redis.call('HEXISTS', KEYS[1], ARGV[2]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
return 1`);

const prefix = "in:";

/** Pins that are asked for and not yet written; what is pinned is told by the storages alone. One order per backup: the newest counts. */
export class Pins {
  readonly #redis: Redis;
  readonly #keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Records an order in place of an earlier one for the same backup, and in the audit log. */
  async create(order: PinOrder, storages: readonly string[]): Promise<void> {
    const { id, at, folder, by, name: target, run, pinned } = order;
    const fields = storages.flatMap((storage) => [`${prefix}${storage}`, "{}"]);
    const entry = entryText({ at, about: "pin", what: pinned ? "pinned" : "unpinned", id: run, target, by });
    const args = [this.#keys.root, folder, entry, "id", id, "order", JSON.stringify(order), ...fields];
    await createScript.run(this.#redis, [this.#key(folder), this.#index()], args);
  }

  async read(folder: string): Promise<PendingPin | undefined> {
    const { order, ...fields } = await this.#redis.hgetall(this.#key(folder));
    if (order === undefined) return undefined;
    const waiting = Object.entries(fields).flatMap(([field, known]) =>
      field.startsWith(prefix) ? [{ storage: field.slice(prefix.length), ...(JSON.parse(known) as object) }] : [],
    );
    // A hash keeps no order of its own.
    waiting.sort((a, b) => (a.storage < b.storage ? -1 : 1));
    return { order: JSON.parse(order) as PinOrder, waiting };
  }

  async all(): Promise<PendingPin[]> {
    const folders = await this.#redis.smembers(this.#index());
    const pending = await Promise.all(folders.map(async (folder) => await this.read(folder)));
    return pending.filter((one) => one !== undefined);
  }

  /** It was done in a storage. False when another order has come meanwhile. */
  async settle({ id, folder }: PinOrder, storage: string): Promise<boolean> {
    const args = [id, `${prefix}${storage}`, folder];
    return Number(await settleScript.run(this.#redis, [this.#key(folder), this.#index()], args)) === 1;
  }

  /** An attempt has failed; it goes on waiting. */
  async fail({ id, folder }: PinOrder, storage: string, error: NonNullable<PinWaiting["error"]>): Promise<void> {
    const args = [id, `${prefix}${storage}`, JSON.stringify({ error })];
    await failScript.run(this.#redis, [this.#key(folder)], args);
  }

  #key(folder: string): string {
    return this.#keys.of("pin", folder);
  }

  #index(): string {
    return this.#keys.of("pins");
  }
}
