import {
  afterLook,
  type DatabaseBackup,
  endsWithinMs,
  isOver,
  nextAfterUnclear,
  orderWithinMs,
} from "../../core/database-backup.ts";
import { AppError, surelyNotDone, toAppError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import type { Logger } from "../../lib/logger.ts";
import { redisWrite } from "../../lib/resilience.ts";
import type { Inventory } from "../../providers/types.ts";
import type { DatabaseBackups } from "../../state/database-backups.ts";
import type { Leases } from "../../state/leases.ts";
import { databaseKey, type InventoryOrders } from "./inventory.ts";
import { type InventoryReader, keptError } from "./inventory-reader.ts";

export interface ManagedBackupDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly leases: Pick<Leases, "tryAcquire">;
  readonly databaseBackups: DatabaseBackups;
  readonly inventoryReader: Pick<InventoryReader, "open">;
  readonly inventoryOrders: Pick<InventoryOrders, "request">;
}

/** Longer than the calls of one step take; milliseconds. */
const leaseMs = 30_000;

/**
 * Takes ordered backups of managed databases one step further: asks the provider for it, looks for it in the list,
 * follows it to its end. That it asks is on record before it asks; after an answer that was lost it looks first.
 */
export class ManagedBackupRunner {
  readonly #deps: ManagedBackupDeps;

  constructor(deps: ManagedBackupDeps) {
    this.#deps = deps;
  }

  /** The order after the step; undefined: it is not known. */
  async step(id: string, signal: AbortSignal): Promise<DatabaseBackup | undefined> {
    const { leases, databaseBackups } = this.#deps;
    const lease = await leases.tryAcquire(`database-backup:${id}`, { ttlMs: leaseMs, holder: id });
    // Somebody else is at it.
    if (!lease) return await databaseBackups.read(id);
    await using held = lease;
    const order = await databaseBackups.read(id);
    if (!order || isOver(order)) return order;
    return await new Step(this.#deps, order, AbortSignal.any([signal, held.signal])).take();
  }
}

/** One step, by one worker at a time. */
class Step {
  readonly #deps: ManagedBackupDeps;
  readonly #id: string;
  readonly #signal: AbortSignal;
  #order: DatabaseBackup;

  constructor(deps: ManagedBackupDeps, order: DatabaseBackup, signal: AbortSignal) {
    this.#deps = deps;
    this.#id = order.id;
    this.#order = order;
    this.#signal = signal;
  }

  async take(): Promise<DatabaseBackup> {
    const { account, database, status: was } = this.#order;
    try {
      const inventory = await this.#deps.inventoryReader.open(account);
      const backups = await inventory.databaseBackups(database.id, this.#signal);
      if (this.#order.asked.length === 0) {
        const before = backups.map(({ id }) => id);
        await this.#ask(inventory, (order) => ({ ...order, before }));
      } else {
        await this.#change((order) => afterLook(order, backups, this.#now()));
        if (this.#order.status === "ordering") await this.#goOn(inventory);
      }
    } catch (cause) {
      this.#signal.throwIfAborted();
      await this.#unseen(cause);
    }
    // Its page is where the card leads to.
    if (isOver(this.#order) || this.#order.status !== was)
      await this.#deps.inventoryOrders.request({ kind: "database", id: databaseKey(account, database.id) });
    return this.#order;
  }

  /** The answer was lost, and the list does not have it. */
  async #goOn(inventory: Inventory): Promise<void> {
    const next = nextAfterUnclear(this.#order, this.#now());
    if (next === "ask-again") await this.#ask(inventory, (order) => order);
    if (next === "give-up")
      await this.#change((order) => ({ ...order, status: "unclear", endedAt: this.#now().toISOString() }));
  }

  async #ask(inventory: Inventory, change: (order: DatabaseBackup) => DatabaseBackup): Promise<void> {
    const { logger } = this.#deps;
    const { database, comment, account } = this.#order;
    const at = this.#now().toISOString();
    await this.#change((order) => ({ ...change(withoutUnseen(order)), asked: [...order.asked, at] }));
    logger.warn({ order: this.#id, account, database: database.id }, "a backup of a managed database is asked for");
    try {
      const made = await inventory.backUpDatabase(database.id, comment, this.#signal);
      const takenAt = this.#now().toISOString();
      await this.#change((order) => {
        const taken: DatabaseBackup = { ...order, status: "making", takenAt };
        return made
          ? afterLook({ ...taken, backup: { id: made.id, status: made.status } }, [made], this.#now())
          : taken;
      });
    } catch (cause) {
      this.#signal.throwIfAborted();
      const error = keptError(cause);
      logger.warn({ order: this.#id, code: error.code, error: error.message }, "no clear answer to an order");
      if (!surelyNotDone(cause)) await this.#unseen(cause);
      else if (toAppError(cause).permanent) await this.#end({ error });
      // Refused for now, nothing was done: as if it had not been asked.
      else await this.#change((order) => ({ ...seenNot(order, error, at), asked: order.asked.slice(0, -1) }));
    }
  }

  /** The provider cannot be asked now: what is known stays. */
  async #unseen(cause: unknown): Promise<void> {
    const error = keptError(cause);
    const { asked, createdAt } = this.#order;
    const isGone = cause instanceof AppError && cause.code === "not-found";
    const isHopeless = asked.length === 0 && toAppError(cause).permanent;
    const at = this.#now();
    if (isGone || isHopeless) return await this.#end({ error });
    if (at.getTime() - Date.parse(createdAt) > (asked.length === 0 ? orderWithinMs : endsWithinMs)) {
      await this.#change((order) => ({
        ...order,
        status: asked.length === 0 ? "failed" : "unclear",
        endedAt: at.toISOString(),
        error,
      }));
      return;
    }
    await this.#change((order) => seenNot(order, error, at.toISOString()));
  }

  async #end(ended: Pick<DatabaseBackup, "error">): Promise<void> {
    await this.#change((order) => ({
      ...withoutUnseen(order),
      ...ended,
      status: "failed",
      endedAt: this.#now().toISOString(),
    }));
  }

  /** On record before the work goes on. */
  async #change(change: (order: DatabaseBackup) => DatabaseBackup): Promise<void> {
    const { databaseBackups } = this.#deps;
    const urgency = (order: DatabaseBackup) => (isOver(order) ? "normal" : "progress");
    this.#order = await redisWrite.execute(() =>
      databaseBackups.update(this.#id, urgency, this.#now(), (order) => (isOver(order) ? order : change(order))),
    );
  }

  #now(): Date {
    return this.#deps.clock.now();
  }
}

function withoutUnseen(order: DatabaseBackup): DatabaseBackup {
  const { unseen: _, ...rest } = order;
  return rest;
}

function seenNot(order: DatabaseBackup, error: NonNullable<DatabaseBackup["error"]>, at: string): DatabaseBackup {
  if (order.unseen?.error.message === error.message) return order;
  return { ...order, unseen: { since: order.unseen?.since ?? at, error } };
}
