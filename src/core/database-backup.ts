import type { KeptError, ProviderBackup } from "./managed.ts";
import type { Person } from "./run.ts";

/**
 * Where an ordered backup of a managed database is. `ordering`: it is being asked for, or nobody knows yet whether the
 * provider has taken the order; `making`: the provider has taken it; `unclear`: nobody could find out what became of it.
 */
export type DatabaseBackupStatus = "ordering" | "making" | "done" | "failed" | "unclear";

/** A backup of a managed database, made by its provider because somebody has asked for it: the entity behind its card. Times are ISO 8601. */
export interface DatabaseBackup {
  /** That of the approval. */
  readonly id: string;
  readonly status: DatabaseBackupStatus;
  /** The account's name in the configuration. */
  readonly account: string;
  readonly database: { readonly id: string; readonly name: string; readonly type: string };
  readonly requestedBy?: Person;
  readonly createdAt: string;
  /** What the provider keeps with it: by this it is found again. */
  readonly comment: string;
  /** Backups that were there before it was asked for the first time. */
  readonly before?: readonly string[];
  /** Begins of requests that went out, each on record before it was sent. */
  readonly asked: readonly string[];
  /** When the provider said that it has taken the order, or it was found there. */
  readonly takenAt?: string;
  readonly backup?: {
    readonly id: string;
    readonly status: ProviderBackup["status"];
    readonly bytes?: number;
    /** 0 to 100. */
    readonly progress?: number;
  };
  readonly endedAt?: string;
  readonly error?: KeptError;
  /** Why it cannot be looked at now. */
  readonly unseen?: { readonly since: string; readonly error: KeptError };
}

/** After a request whose answer was lost the list of backups is looked at for so long before it is repeated; milliseconds. */
export const lookForMs = 60_000;
/** One that could not be asked for at all is not asked for later than this: nobody waits for it any more; milliseconds. */
export const orderWithinMs = 60 * 60_000;
/** Requests that are made at most for one order. */
export const mostRequests = 2;
/** One that does not appear in the list, or does not come to its end, is given up after; milliseconds. */
export const appearsWithinMs = 60 * 60_000;
export const endsWithinMs = 24 * 60 * 60_000;

export function isOver({ status }: Pick<DatabaseBackup, "status">): boolean {
  return status !== "ordering" && status !== "making";
}

/** What is to be done with an order whose request went out and was not answered: by what the list says. */
export function nextAfterUnclear(
  order: Pick<DatabaseBackup, "asked">,
  now: Date,
): "look-again" | "ask-again" | "give-up" {
  const last = order.asked.at(-1);
  const waited = last === undefined ? Number.POSITIVE_INFINITY : now.getTime() - Date.parse(last);
  // A clock that was set back makes nobody ask again at once.
  if (waited < lookForMs) return "look-again";
  return order.asked.length < mostRequests ? "ask-again" : "give-up";
}

/**
 * The backup that came of an order: the one that was named, that with its comment, or, when the provider has taken the
 * order without naming it, the only one that was not there before and carries no comment of somebody else.
 */
export function backupOfOrder(
  order: Pick<DatabaseBackup, "backup" | "comment" | "before" | "takenAt">,
  backups: readonly ProviderBackup[],
): ProviderBackup | undefined {
  const named = backups.find(({ id }) => id === order.backup?.id);
  if (named) return named;
  const marked = backups.find(({ comment, name }) =>
    [comment, name].some((text) => text?.includes(order.comment) ?? false),
  );
  if (marked || order.backup || order.takenAt === undefined || !order.before) return marked;
  const known = new Set(order.before);
  const fresh = backups.filter(({ id, comment }) => !known.has(id) && (comment ?? "") === "");
  return fresh.length === 1 ? fresh[0] : undefined;
}

/** The order after a look at the list of backups; the same object when nothing has changed. */
export function afterLook(order: DatabaseBackup, backups: readonly ProviderBackup[], now: Date): DatabaseBackup {
  if (isOver(order)) return order;
  const found = backupOfOrder(order, backups);
  const { unseen, ...seen } = order;
  const base = unseen ? seen : order;
  if (!found) return withoutBackup(base, now);
  const { id, status, bytes, progress } = found;
  const backup = {
    id,
    status,
    ...(bytes === undefined ? {} : { bytes }),
    ...(progress === undefined ? {} : { progress }),
  };
  const taken = { ...base, status: "making" as const, takenAt: base.takenAt ?? now.toISOString(), backup };
  if (status === "done" || status === "failed") return { ...taken, status, endedAt: now.toISOString() };
  if (now.getTime() - Date.parse(taken.takenAt) > endsWithinMs)
    return { ...taken, status: "unclear", endedAt: now.toISOString() };
  return isSame(base, taken) ? (order === base ? order : base) : taken;
}

function withoutBackup(order: DatabaseBackup, now: Date): DatabaseBackup {
  if (order.status !== "making") return order;
  const ended = { ...order, endedAt: now.toISOString() };
  // It was there, and is not any more: somebody has removed it.
  if (order.backup)
    return { ...ended, status: "failed", error: { code: "not-found", message: "it is gone", text: goneText } };
  const waited = now.getTime() - Date.parse(order.takenAt ?? order.createdAt);
  return waited > appearsWithinMs ? { ...ended, status: "unclear" } : order;
}

const goneText = { key: "error-managed-backup-gone" };

function isSame(a: DatabaseBackup, b: DatabaseBackup): boolean {
  return a.status === b.status && a.takenAt === b.takenAt && JSON.stringify(a.backup) === JSON.stringify(b.backup);
}
