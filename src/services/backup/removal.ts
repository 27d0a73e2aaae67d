import { buffer } from "node:stream/consumers";
import { AppError, toAppError } from "../../core/errors.ts";
import { manifestFile } from "../../core/manifest.ts";
import type { Lease } from "../../core/ports.ts";
import { pinFile, proofFile } from "../../core/proof.ts";
import { removalOrder } from "../../core/retention.ts";
import { encodeTombstone, parseTombstone, tombstoneFile } from "../../core/tombstone.ts";
import type { Logger } from "../../lib/logger.ts";
import type { CachedCopy } from "../../state/catalogue.ts";
import type { Prunes } from "../../state/prunes.ts";
import type { Storage } from "../../storages/types.ts";
import type { CatalogueKeeper } from "../catalogue-keeper.ts";
import type { RetentionLook } from "./retention.ts";

/** Backups of one name in one storage that are being removed, under the name's lease. */
export interface Removal {
  readonly storage: Storage;
  readonly name: string;
  readonly lease: Pick<Lease, "isHeld">;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** What remembers what has begun; where there is no Redis, nothing does. */
  readonly prunes: Pick<Prunes, "beginRemoval" | "endRemoval" | "removing" | "orphansSince">;
  readonly catalogueKeeper: Pick<CatalogueKeeper, "forget">;
}

/**
 * Removes one backup: its manifest first, since parts without it are no backup while it without parts would claim to be
 * one. Only what the manifest names and what we put beside it goes: anything else in the folder is not ours. A tombstone
 * says so from before that until the end, for whoever finds it half done. False, leaving all as it is, when it has been
 * pinned or has changed since it was looked at.
 */
export async function removeBackup(removal: Removal, folder: string, copy: CachedCopy): Promise<boolean> {
  const { storage, name, signal, prunes, logger } = removal;
  const found = new Map<string, number>();
  for await (const { key, bytes } of storage.list(folder, signal)) found.set(key.slice(folder.length), bytes);
  if (found.has(pinFile) || found.get(manifestFile) !== copy.manifestBytes) {
    logger.info({ backup: name, storage: storage.name, folder }, "not removed: it was pinned or changed meanwhile");
    return false;
  }
  const parts = new Set(copy.manifest.parts.map(({ file }) => file));
  const files = [...found.keys()].filter((file) => parts.has(file) || isBeside(file));
  await putTombstone(removal, folder, files);
  await prunes.beginRemoval(storage.name, name, folder, files);
  if ((await storage.head(`${folder}${pinFile}`, signal)) !== undefined) {
    await storage.delete([`${folder}${tombstoneFile}`], signal);
    await prunes.endRemoval(storage.name, name, folder);
    logger.info({ backup: name, storage: storage.name, folder }, "not removed: it was pinned meanwhile");
    return false;
  }
  requireLease(removal);
  await storage.delete([`${folder}${manifestFile}`], signal);
  await finish(removal, folder, files);
  const { id, startedAt } = copy.manifest;
  logger.info({ backup: name, storage: storage.name, run: id, startedAt, folder }, "removed by the retention");
  return true;
}

/** Where there is no room for it either, room is made all the same: what was begun is on record in Redis too. */
async function putTombstone({ storage, signal, logger }: Removal, folder: string, files: readonly string[]) {
  const at = new Date().toISOString();
  const bytes = encodeTombstone({ version: 1, folder, at, files: files.filter((file) => file !== tombstoneFile) });
  try {
    await storage.put(`${folder}${tombstoneFile}`, bytes, signal);
  } catch (error) {
    if (toAppError(error).code !== "storage-full") throw error;
    logger.warn({ storage: storage.name, folder }, "no room for a tombstone: removed without");
  }
}

/**
 * Removes several, what needs others before these: wherever it ends, nothing is left that needs what has gone. What one
 * needs that stays (`remove` says false), stays as well. Resolves with how many went.
 */
export async function removeBackups(
  copies: ReadonlyMap<string, CachedCopy>,
  folders: readonly string[],
  remove: (folder: string, copy: CachedCopy) => Promise<boolean>,
): Promise<number> {
  let removed = 0;
  const needed = new Set<string>();
  const needsOf = (folder: string): string[] =>
    (copies.get(folder)?.manifest.references ?? []).map((reference) => reference.folder);
  for (const folder of removalOrder(folders, needsOf)) {
    const copy = copies.get(folder);
    if (copy && !needed.has(folder) && (await remove(folder, copy))) removed += 1;
    else for (const needs of needsOf(folder)) needed.add(needs);
  }
  return removed;
}

/** Goes on with what a killed worker has begun to remove. What still has its manifest is decided upon anew. */
export async function finishRemovals(removal: Removal): Promise<number> {
  const { storage, name, prunes, signal, logger } = removal;
  const begun = await prunes.removing(storage.name, name);
  let finished = 0;
  for (const [folder, files] of begun) {
    requireLease(removal);
    if ((await storage.head(`${folder}${manifestFile}`, signal)) !== undefined) {
      await prunes.endRemoval(storage.name, name, folder);
      continue;
    }
    await finish(removal, folder, files);
    logger.info({ backup: name, storage: storage.name, folder }, "an interrupted removal was finished");
    finished += 1;
  }
  return finished;
}

/**
 * The same by what the storage itself says, where nobody remembers what was begun. A tombstone beside a manifest says
 * nothing: that backup is decided upon anew.
 */
export async function finishMarked(removal: Removal, look: RetentionLook): Promise<number> {
  const { storage, name, signal, logger } = removal;
  let finished = 0;
  for (const folder of look.removing) {
    const key = `${folder}${tombstoneFile}`;
    requireLease(removal);
    if ((await storage.head(`${folder}${manifestFile}`, signal)) !== undefined) {
      await storage.delete([key], signal);
      continue;
    }
    // Finished already, by what was remembered.
    if ((await storage.head(key, signal)) === undefined) continue;
    const tombstone = parseTombstone(await buffer(await storage.read(key, signal)), folder);
    if (!tombstone) {
      logger.warn({ backup: name, storage: storage.name, key }, "makes no sense as a tombstone, and is left alone");
      continue;
    }
    await finish(removal, folder, tombstone.files);
    logger.info({ backup: name, storage: storage.name, folder }, "an interrupted removal was finished");
    finished += 1;
  }
  return finished;
}

async function finish(removal: Removal, folder: string, files: readonly string[]): Promise<void> {
  const { storage, name, prunes, catalogueKeeper, signal } = removal;
  await catalogueKeeper.forget(storage.name, name, [folder]);
  const rest = files.filter((file) => file !== manifestFile && file !== tombstoneFile);
  await storage.delete(
    rest.map((file) => `${folder}${file}`),
    signal,
  );
  // The last of all: until then it tells what is left to do.
  await storage.delete([`${folder}${tombstoneFile}`], signal);
  await prunes.endRemoval(storage.name, name, folder);
}

/** What we write beside a manifest. */
function isBeside(file: string): boolean {
  return [manifestFile, proofFile, pinFile, tombstoneFile].includes(file) || /^audit-[\w.-]+\.json$/.test(file);
}

/** Somebody else may be making a backup that needs what would go. */
export function requireLease({ lease, name }: Removal): void {
  if (!lease.isHeld()) throw new AppError("lease-lost", `another worker works on ${name}`, { permanent: false });
}
