import { z } from "zod";
import type { Config } from "../../app/config.ts";
import { defaultInventoryLimits, type InventoryLimits } from "../../core/inventory.ts";
import type { Clock } from "../../core/ports.ts";
import type { Producer } from "../../queue/producer.ts";
import type { DatabaseBackups } from "../../state/database-backups.ts";
import type { InventoryKind, InventoryStates } from "../../state/inventory.ts";
import { enqueueAnew } from "../places.ts";

export interface InventoryOrdersDeps {
  readonly config: Pick<Config, "providers" | "servers">;
  readonly clock: Clock;
  readonly inventoryStates: InventoryStates;
  readonly databaseBackups: Pick<DatabaseBackups, "prune" | "unsettled">;
  readonly producer: Producer;
}

/** What a provider can be asked about: an account, a server, a managed database as "<account>/<id>". */
export interface InventorySubject {
  readonly kind: InventoryKind;
  readonly id: string;
}

/** How often an account is read; milliseconds. */
const accountEveryMs = 3_600_000;
/** After a part of it could not be read it is tried again so much sooner. */
const accountAgainMs = 600_000;
/** What somebody looks at is asked for anew when it is older; milliseconds. */
export const freshForMs = 60_000;

/** Of the backups of one disk or one database, as many of the newest are kept; a provider makes up to 99 by itself. */
export const keptBackups = { disk: 50, database: 150 } as const;

/** Asks workers to ask the providers; opens no provider itself. */
export class InventoryOrders {
  readonly #deps: InventoryOrdersDeps;

  constructor(deps: InventoryOrdersDeps) {
    this.#deps = deps;
  }

  /** Wants it read now; nothing more to do while that is under way. */
  async request({ kind, id }: InventorySubject): Promise<void> {
    const job = { id: `inventory.${kind}.${id}`, host: this.#hostOf(kind, id) };
    await enqueueAnew(this.#deps.producer, "inventory", { kind, id }, job);
  }

  /** Wants it read where what is known is not fresh. True when it is not. */
  async refresh(subject: InventorySubject, olderThanMs = freshForMs): Promise<boolean> {
    const { inventoryStates, clock } = this.#deps;
    const stamp = await inventoryStates.stamp(subject.kind, subject.id);
    if (stamp !== "" && isYoung(Number(stamp), clock.now(), olderThanMs)) return false;
    await this.request(subject);
    return true;
  }

  /** What is due by the clock: accounts that are read every hour, backups that are followed, what nobody needs any more. */
  async step(): Promise<void> {
    const { config, inventoryStates, databaseBackups, producer, clock } = this.#deps;
    const accounts = Object.keys(config.providers);
    const known = await inventoryStates.readAll("account", accounts);
    for (const account of accounts) {
      const record = known.get(account);
      const sections = [record?.finances, record?.domains, record?.databases, record?.buckets];
      const every = sections.some((section) => section?.failed) ? accountAgainMs : accountEveryMs;
      if (record && isYoung(record.at.getTime(), clock.now(), every)) continue;
      await this.request({ kind: "account", id: account });
    }
    for (const { id } of await databaseBackups.unsettled())
      await enqueueAnew(producer, "inventory", { kind: "order", id }, { id: `inventory.order.${id}` });
    await databaseBackups.prune();
    const servers = new Set(config.servers.map(({ name }) => name));
    await inventoryStates.retain("account", (id) => accounts.includes(id));
    await inventoryStates.retain("server", (id) => servers.has(id));
    await inventoryStates.retain("database", (id) => accounts.includes(splitDatabase(id).account));
  }

  #hostOf(kind: InventoryKind, id: string): string | undefined {
    return kind === "server" ? this.#deps.config.servers.find(({ name }) => name === id)?.host : undefined;
  }
}

/** A time ahead of now is that of a wrong clock. */
function isYoung(at: number, now: Date, ms: number): boolean {
  const age = now.getTime() - at;
  return age >= -ms && age < ms;
}

/** How a managed database is called in the inventory. */
export function databaseKey(account: string, id: string): string {
  return `${account}/${id}`;
}

export function splitDatabase(key: string): { readonly account: string; readonly id: string } {
  const at = key.indexOf("/");
  return { account: key.slice(0, at), id: key.slice(at + 1) };
}

const warnSchema = z.object({
  warn: z.object({ hoursLeft: z.number().optional(), bucket: z.number().optional() }).optional(),
});

/** When the owner of an account is warned: as its settings say, as far as its kind has any for that. */
export function limitsOf({ providers }: Pick<Config, "providers">, account: string): InventoryLimits {
  const { warn } = warnSchema.catch({}).parse(providers[account]?.config ?? {});
  return {
    hoursLeft: warn?.hoursLeft ?? defaultInventoryLimits.hoursLeft,
    bucket: warn?.bucket ?? defaultInventoryLimits.bucket,
  };
}
