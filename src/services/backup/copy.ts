import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { AppError, lostLease, toAppError } from "../../core/errors.ts";
import { type Manifest, type ManifestPart, manifestFile } from "../../core/manifest.ts";
import type { OpenObject } from "../../core/ports.ts";
import type { ObjectWriter, Storage } from "../../storages/types.ts";
import { damaged } from "./reader.ts";
import { withStep } from "./target.ts";

/** A copy of a finished backup to be made from another copy. */
export interface CopyOrder {
  readonly from: Storage;
  readonly to: Storage;
  readonly folder: string;
  readonly manifest: Manifest;
  /** Written as they are: the manifest is the same in every storage. */
  readonly manifestBytes: Uint8Array;
  readonly signal: AbortSignal;
  /** As in `CreateOptions`. */
  opened?(object: OpenObject): Promise<void>;
  /** Bytes copied so far. */
  progress?(bytes: number): void;
}

/**
 * Copies a backup: parts first, their SHA-256 checked on the way, the manifest last. Does nothing when the manifest
 * is there already, so it may be repeated. Rejects with an `AppError` whose context has `step`; what had been written
 * of the failed part is removed, and parts without a manifest are replaced by the next attempt.
 */
export async function copyBackup(order: CopyOrder): Promise<void> {
  const { to, folder, manifest, manifestBytes, signal } = order;
  const key = `${folder}${manifestFile}`;
  const step = `copy to ${to.name}`;
  try {
    await completeReferences(order);
    if (await holds(to, folder, manifest, manifestBytes, signal)) return;
    // One that an earlier attempt has left: parts without it are no backup, it without parts would claim to be one.
    await to.delete([key], signal);
    let copied = 0;
    for (const part of manifest.parts) {
      await copyObject(order, `${folder}${part.file}`, part, (bytes) => {
        copied += bytes;
        order.progress?.(copied);
      });
    }
    // The retention may have removed of them meanwhile what nobody there needed yet.
    await completeReferences(order);
    await to.put(key, manifestBytes, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw withStep(error, step);
  }
}

/**
 * Makes sure that the parts of earlier runs that the backup points at are in the target. One that is damaged or lost
 * while its own backup is there is put back. Where that backup is not there at all, `no-copy`: nobody would keep such a
 * part, nor remove it, and the next run, which finds no backup that is whole everywhere, depends upon none.
 */
async function completeReferences(order: CopyOrder): Promise<void> {
  const { to, manifest, signal } = order;
  for (const { folder, file, run, bytes, sha256 } of manifest.references) {
    const key = `${folder}${file}`;
    if ((await to.head(key, signal))?.bytes === bytes) continue;
    if ((await to.head(`${folder}${manifestFile}`, signal)) === undefined) {
      const message = `${to.name} does not have run ${run}, which this backup needs: the next run reads everything again`;
      throw new AppError("no-copy", message, {
        context: { storage: to.name, key },
        text: { key: "error-copy-references", args: { storage: to.name, run } },
      });
    }
    await copyObject(order, key, { bytes, sha256 }, () => undefined);
  }
}

async function copyObject(
  order: CopyOrder,
  key: string,
  part: Pick<ManifestPart, "bytes" | "sha256">,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const { from, to, signal } = order;
  const stream = await from.read(key, signal).catch((error: unknown) => {
    throw ofSource(error, from.name);
  });
  let writer: ObjectWriter | undefined;
  try {
    writer = await to.create(key, {
      expectedBytes: part.bytes,
      neededBytes: part.bytes,
      signal,
      ...(order.opened === undefined ? {} : { opened: (object) => order.opened?.(object) ?? Promise.resolve() }),
    });
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const chunk of chunksOf(stream, from)) {
      hash.update(chunk);
      bytes += chunk.length;
      await writer.write(chunk);
      onBytes(chunk.length);
    }
    const sha256 = hash.digest("hex");
    if (bytes !== part.bytes || sha256 !== part.sha256) throw ofSource(damaged(from, key), from.name);
    await writer.commit({ bytes, sha256 });
  } catch (error) {
    stream.destroy();
    // A successor may be writing the same objects already: what is left here is its to remove.
    if (!lostLease(signal)) await writer?.abort().catch(() => undefined);
    throw error;
  }
}

/** The reading side's own failures are told apart: another copy may serve. */
async function* chunksOf(stream: AsyncIterable<Uint8Array>, from: Storage): AsyncGenerator<Uint8Array> {
  try {
    yield* stream;
  } catch (error) {
    throw ofSource(error, from.name);
  }
}

/** The same error, saying in its context that it is the storage that is copied from which has failed (`source`). */
export function ofSource(error: unknown, storage: string): AppError {
  const { code, message, permanent, context, text, cause } = toAppError(error);
  return new AppError(code, message, {
    permanent,
    context: { ...context, source: storage },
    ...(text ? { text } : {}),
    cause: cause ?? error,
  });
}

/** True when the copy is complete: the same manifest, and parts of the right sizes beside it. */
async function holds(
  to: Storage,
  folder: string,
  manifest: Manifest,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<boolean> {
  const key = `${folder}${manifestFile}`;
  if ((await to.head(key, signal))?.bytes !== bytes.length) return false;
  if (Buffer.compare(await buffer(await to.read(key, signal)), bytes) !== 0) return false;
  for (const part of manifest.parts)
    if ((await to.head(`${folder}${part.file}`, signal))?.bytes !== part.bytes) return false;
  return true;
}
