import { AppError, toAppError } from "../../core/errors.ts";
import { neededBytes } from "../../core/manifest.ts";
import type { Text } from "../../core/text.ts";
import type { RestoreReport } from "../../sources/types.ts";
import { openBackup } from "../backup/reader.ts";
import { verifyStored } from "../backup/verify.ts";
import type { FoundCopy } from "./choose.ts";
import { type RestoredFiles, restoreFiles } from "./files.ts";
import { preflight, type RestoreQuery, restoringKind, sameKind } from "./preflight.ts";

/** Stored bytes that are read an additional time from a store that is not this machine's disk, without being asked for. */
const affordableBytes = 1024 ** 3;
/** Milliseconds for a look at what a failed restore has left. */
const lookMs = 30_000;

/** Whether all stored bytes of a copy are compared before the first one is restored. */
export function isCheckAffordable({ storage, manifest }: Pick<FoundCopy, "storage" | "manifest">): boolean {
  return storage.local || neededBytes(manifest) <= affordableBytes;
}

/** Told of what happens, to be shown. */
export interface RestoreObserver {
  /** `total`: bytes that will be read in it. */
  phase(phase: "check" | "restore", total: number): void;
  /** Bytes read so far in this phase. */
  progress(bytes: number): void;
  /** A copy was found to be damaged; the next one is tried. */
  refused(copy: FoundCopy, error: AppError): void;
}

/**
 * The first of these copies whose stored bytes are all what the manifest says. Rejects, when there is none, with what is
 * wrong with the first one. A sound copy that is too large to be read twice is taken as it is: each restore compares what
 * it reads, and takes back what it has made of damaged bytes.
 */
export async function soundCopy(
  copies: readonly FoundCopy[],
  options: { readonly check?: boolean | undefined; readonly signal: AbortSignal; readonly observer: RestoreObserver },
): Promise<FoundCopy> {
  const { signal, observer } = options;
  let first: AppError | undefined;
  for (const copy of copies) {
    if (!(options.check ?? (!copy.sound || isCheckAffordable(copy)))) return copy;
    let read = 0;
    observer.phase("check", neededBytes(copy.manifest));
    try {
      const onBytes = (count: number): void => {
        read += count;
        observer.progress(read);
      };
      await verifyStored(copy.storage, copy.manifest, { signal, onBytes });
      return copy;
    } catch (error) {
      signal.throwIfAborted();
      const reason = toAppError(error);
      first ??= reason;
      observer.refused(copy, reason);
    }
  }
  throw first ?? new AppError("no-copy", "there is no copy of this backup");
}

/** A restore to be carried out, the copy chosen. */
export interface RestoreOrder extends Omit<RestoreQuery, "manifest"> {
  readonly copy: FoundCopy;
  readonly identity?: string | undefined;
  readonly observer: RestoreObserver;
}

/** What a restore that has ended early has left in its target. `unknown`: it could not be looked at. */
export type Remains =
  | { readonly state: "nothing" }
  | { readonly state: "left" | "unknown"; readonly found: Text | string };

/** Why a restore has ended early, and what it has left. */
export class RestoreFailure extends Error {
  override readonly name = "RestoreFailure";
  readonly reason: AppError;
  readonly remains: Remains;

  constructor(reason: AppError, remains: Remains) {
    super(reason.message, { cause: reason });
    this.reason = reason;
    this.remains = remains;
  }
}

/**
 * Restores one copy and compares it with its manifest. Rejects with `RestoreFailure`, which says what is left in the
 * target: that is looked at, not assumed, also after an abort.
 */
export async function restoreCopy(order: RestoreOrder): Promise<RestoreReport & Partial<RestoredFiles>> {
  const { copy, identity, observer, files, config } = order;
  const { storage, manifest } = copy;
  const { signal } = order.target;
  let read = 0;
  const onBytes = (count: number): void => {
    read += count;
    observer.progress(read);
  };
  observer.phase("restore", neededBytes(manifest));
  const target = order.target;
  try {
    const reader = openBackup(storage, manifest, { identity, signal, onBytes });
    if (files) return await restoreFiles(reader, target);
    const kind = restoringKind({ manifest, files });
    const report = await kind.restore?.(reader, target, sameKind(manifest, config));
    if (report === undefined) throw new AppError("internal", `nothing restores backups of kind ${manifest.kind}`);
    signal.throwIfAborted();
    return report;
  } catch (error) {
    throw await failureOf(order, signal.aborted ? toAppError(signal.reason, "cancelled") : toAppError(error));
  }
}

async function failureOf(order: RestoreOrder, reason: AppError): Promise<RestoreFailure> {
  return new RestoreFailure(reason, await remainsOf(order, reason));
}

async function remainsOf(order: RestoreOrder, reason: AppError): Promise<Remains> {
  // It was refused before anything was written: what is there is not ours.
  if (reason.code === "conflict" && reason.context["step"] === "preflight") return { state: "nothing" };
  // Not under the signal, which may be what has ended the restore.
  const target = { ...order.target, signal: AbortSignal.timeout(lookMs) };
  try {
    await preflight({ ...order, manifest: order.copy.manifest, target });
    return { state: "nothing" };
  } catch (error) {
    const { text, message, code } = toAppError(error);
    // Both are found out after the target was seen to be empty.
    if (code === "storage-full" || code === "tool-missing") return { state: "nothing" };
    return { state: code === "conflict" ? "left" : "unknown", found: text ?? message };
  }
}
