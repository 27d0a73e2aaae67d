import { judgeSizes } from "../../core/anomaly.ts";
import { AppError } from "../../core/errors.ts";
import type { KeepPolicy } from "../../core/retention.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Storage } from "../../storages/types.ts";
import { ownKey } from "../catalogue.ts";
import { takeLeaseFile } from "./lease-file.ts";
import { removeBackup, removeBackups } from "./removal.ts";
import { explainPrune, type RetentionLook, sizesOf } from "./retention.ts";

/** What is to be removed of one name in one storage, by a program that has no Redis. */
export interface PruneHere {
  readonly storage: Storage;
  /** Of the backup. */
  readonly name: string;
  readonly policy: KeepPolicy;
  readonly timezone: string;
  readonly host: string;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** The look at sizes, as in the configuration; false: none. */
  readonly anomaly: false | { readonly below: number; readonly of: number };
}

/** Names of which a storage holds backups, in order. */
export async function namesIn(storage: Storage, signal: AbortSignal): Promise<string[]> {
  const names = new Set<string>();
  for await (const { key } of storage.list("", signal)) {
    const own = ownKey(key);
    if (own) names.add(own.name);
  }
  return [...names].toSorted();
}

/** What would go and what stays, with every reason. Removes nothing. */
export async function explainHere({ storage, name, policy, timezone, signal }: PruneHere): Promise<RetentionLook> {
  return await explainPrune(storage, name, { policy, timezone, now: new Date(), signal });
}

/**
 * Why nothing may be removed there, whoever agrees: a manifest that makes no sense may need what would go, and a newest
 * backup far smaller than those before it may stand for data that were lost. Throws `conflict`.
 */
export function requireClear({ storage, name, anomaly }: PruneHere, look: RetentionLook): void {
  const [unreadable] = look.unreadable;
  if (unreadable) {
    const object = unreadable.key ?? "";
    throw new AppError("conflict", `nothing is removed from ${storage.name}: ${object} makes no sense`, {
      text: { key: "error-prune-unreadable", args: { storage: storage.name, object } },
    });
  }
  if (anomaly === false) return;
  const { anomaly: found } = judgeSizes(sizesOf(look.copies), anomaly, { now: new Date() });
  if (!found) return;
  const folder = found.id.slice(0, -1);
  throw new AppError("conflict", `nothing of ${name} is removed: ${folder} is far smaller than those before it`, {
    text: { key: "error-prune-anomaly", args: { name, backup: folder } },
  });
}

/**
 * Removes what was agreed to under the name's lease file: what has become pinned, needed or the last good
 * one since then makes it reject with `conflict` before anything goes. Resolves with how many went.
 */
export async function pruneHere(order: PruneHere, agreed: readonly string[]): Promise<number> {
  const { storage, name, host, signal, logger } = order;
  await using _lease = await takeLeaseFile(storage, { name, work: "prune", host, signal });
  const look = await explainHere(order);
  requireClear(order, look);
  const going = new Set(look.plan.remove);
  const changed = agreed.find((folder) => !going.has(folder) && look.copies.has(folder));
  if (changed !== undefined) {
    throw new AppError("conflict", `${changed} has to stay by now: nothing was removed`, {
      text: { key: "error-prune-changed", args: { backup: changed.slice(0, -1) } },
    });
  }
  return await removeBackups(
    look.copies,
    look.plan.remove.filter((folder) => agreed.includes(folder)),
    async (folder, copy) => {
      signal.throwIfAborted();
      return await removeBackup({ storage, name, signal, logger, ...withoutRedis }, folder, copy);
    },
  );
}

/** Nothing remembers what has begun: what is left of an interrupted removal has no manifest, and is no backup. */
const withoutRedis = {
  lease: { isHeld: () => true },
  prunes: {
    beginRemoval: () => Promise.resolve(),
    endRemoval: () => Promise.resolve(),
    removing: () => Promise.resolve(new Map<string, readonly string[]>()),
    orphansSince: () => Promise.resolve(new Map<string, Date>()),
  },
  catalogueKeeper: { forget: () => Promise.resolve() },
};
