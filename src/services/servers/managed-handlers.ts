import type { DatabaseBackup } from "../../core/database-backup.ts";
import { AppError, toAppError } from "../../core/errors.ts";
import { autoBackupChanges } from "../../core/inventory.ts";
import type { AutoBackups, ManagedDatabase } from "../../core/managed.ts";
import type { Text } from "../../core/text.ts";
import { type Demanded, onDemand } from "../../lib/on-demand.ts";
import type { Cards } from "../../state/cards.ts";
import type { ActionHandlers, actions } from "../approvals/actions.ts";
import { databaseKey } from "./inventory.ts";
import type { ManagedBackupDeps, ManagedBackupRunner } from "./managed-backups.ts";
import { autoBackupsState, databaseIdentity } from "./managed-orders.ts";

type Handlers = Pick<ActionHandlers<typeof actions>, "database-backup" | "auto-backups">;

export interface ManagedHandlerDeps extends ManagedBackupDeps {
  readonly cards: Pick<Cards, "place">;
}

/** What orders backups of managed databases and follows them. */
export function managedBackupRunner(deps: ManagedBackupDeps): Demanded<ManagedBackupRunner> {
  return onDemand(async () => {
    const { ManagedBackupRunner: Runner } = await import("./managed-backups.ts");
    return new Runner(deps);
  });
}

/** What carries out orders about managed databases, once they were approved. */
export function managedHandlers(deps: ManagedHandlerDeps): Handlers {
  const { inventoryReader, inventoryOrders, databaseBackups, cards, clock } = deps;
  const runner = managedBackupRunner(deps);
  const find = async (account: string, id: string, signal: AbortSignal): Promise<ManagedDatabase> => {
    const all = await (await inventoryReader.open(account)).databases(signal);
    const found = all.find((one) => one.id === id);
    if (found) return found;
    const text = { key: "error-managed-gone", args: { account, id } };
    throw new AppError("not-found", `provider ${account} has no database ${id}`, { text });
  };
  return {
    "database-backup": {
      identify: async ({ account, database }, signal) => databaseIdentity(await find(account, database, signal)),
      execute: async ({ account, database, place }, { approval, signal }): Promise<Text> => {
        const { id, requestedBy } = approval;
        const known = await databaseBackups.read(id);
        if (!known) {
          const { name, type } = await find(account, database, signal);
          const now = clock.now();
          await databaseBackups.create(
            {
              id,
              status: "ordering",
              account,
              database: { id: database, name, type },
              ...(requestedBy ? { requestedBy } : {}),
              createdAt: now.toISOString(),
              comment: `vakhta ${id}`,
              asked: [],
            },
            now,
          );
        }
        if (place) await cards.place(databaseBackups.ref(id), place, "reply", clock.now());
        const order = await runner.step(id, signal);
        if (order?.status === "failed") throw failure(order);
        return { key: "managed-backup-ordered" };
      },
    },
    "auto-backups": {
      identify: async ({ account, database }, signal) => {
        const found = await find(account, database, signal);
        const settings = await (await inventoryReader.open(account)).autoBackups(database, signal);
        return { ...databaseIdentity(found), state: autoBackupsState(settings) };
      },
      execute: async ({ account, database, wanted }, { approval, signal }): Promise<Text> => {
        const inventory = await inventoryReader.open(account);
        const isDone = (settings: AutoBackups): boolean =>
          // The provider may keep the time of the first one in a way of its own.
          autoBackupChanges(settings, wanted).every((field) => field === "startAt");
        try {
          const now = await inventory.autoBackups(database, signal);
          if (autoBackupChanges(now, wanted).length > 0) {
            // Of an attempt before, or of somebody else in the panel.
            if (autoBackupsState(now) !== approval.identity.state && !isDone(now)) throw changedMeanwhile(database);
            const unclear = await set(async () => await inventory.setAutoBackups(database, wanted, signal), signal);
            const after = await inventory.autoBackups(database, signal);
            // Nobody has said that it was done: then all of it has to be there.
            const isThere = unclear ? autoBackupChanges(after, wanted).length === 0 : isDone(after);
            if (!isThere) throw unclear ?? notTaken(account);
          }
        } finally {
          if (!signal.aborted) await inventoryOrders.request({ kind: "database", id: databaseKey(account, database) });
        }
        return { key: "managed-auto-done" };
      },
    },
  };

  /** The error of an order whose answer was lost: the settings that are read afterwards tell what became of it. */
  async function set(order: () => Promise<void>, signal: AbortSignal): Promise<AppError | undefined> {
    try {
      await order();
      return undefined;
    } catch (cause) {
      signal.throwIfAborted();
      const error = toAppError(cause);
      if (error.permanent) throw error;
      deps.logger.warn({ code: error.code, error: error.message }, "no clear answer to changed settings");
      return error;
    }
  }
}

function failure({ error }: DatabaseBackup): AppError {
  const { message = "the provider could not make it", text } = error ?? {};
  return new AppError("provider-failed", message, { text: text ?? { key: "error-managed-backup" } });
}

function changedMeanwhile(id: string): AppError {
  const text = { key: "error-auto-backups-changed" };
  return new AppError("conflict", `the settings of database ${id} were changed by somebody else`, { text });
}

function notTaken(account: string): AppError {
  const text = { key: "error-auto-backups-not-taken", args: { account } };
  return new AppError("provider-failed", `provider ${account} has not taken the settings over`, { text });
}
