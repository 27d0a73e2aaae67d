import { AppError } from "../../../core/errors.ts";
import type { ReplacementContext } from "../../replacement.ts";
import type { BackupReader } from "../../types.ts";
import { contentsOf, Different } from "../contents.ts";
import type { Index } from "../indexes.ts";
import { shownKey } from "../keys.ts";
import { Pool } from "../pool.ts";
import { ObjectWriter } from "../writer.ts";
import { Selection } from "./selection.ts";
import { stepsOf } from "./steps.ts";
import type { Target } from "./target.ts";

export interface Work {
  readonly target: Target;
  readonly reader: BackupReader;
  readonly index: Index;
  readonly context: Pick<ReplacementContext, "signal" | "progress" | "step">;
}

/** Makes the bucket as the backup: removes what it does not have, writes what is otherwise, and leaves the rest alone. */
export async function apply(
  work: Work,
  options: {
    /** As `StepsOptions`. */
    readonly readSince: Date | undefined;
    /** Objects that the backup does not have stay. */
    readonly keepOthers?: boolean;
    /** Told of every object that was written, and of every one that was removed; may throw. */
    readonly onWritten?: (key: string, versionId: string | undefined) => void;
  },
): Promise<void> {
  const { target, reader, index, context } = work;
  const { signal } = context;
  const { onWritten, keepOthers = false } = options;
  const removals = new Pool({ running: target.concurrency });
  await using selection = await Selection.create(signal);
  try {
    const steps = stepsOf(target, index.objects(signal), { signal, headers: true, ...since(options.readSince) });
    for await (const step of steps) {
      if (step.kind === "write" || step.kind === "headers") await selection.add(step.object);
      else if (step.kind === "remove" && !keepOthers)
        await removals.add(async () => onWritten?.(step.version.key, await remove(target, step.version.key, signal)));
    }
    await removals.finish();
  } finally {
    await removals.end();
  }
  await selection.finish();
  const writerOptions = { concurrency: target.concurrency, signal, ...(onWritten && { onWritten }) };
  await using writer = new ObjectWriter(target.bucket, writerOptions);
  let done = 0;
  for await (const content of contentsOf(reader, selection, { signal, onBytes: bytesTold(context) })) {
    await writer.write(target.keyOf(content.object.key), content).catch(notAsBackedUp);
    done += 1;
    context.step?.(done, selection.count, "objects");
  }
  await writer.finish();
}

/** Removes an object; the id of what stands in its place where the bucket keeps versions. */
export async function remove(
  { bucket }: Pick<Target, "bucket">,
  key: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const input = { Bucket: bucket.name, Key: key };
  return (await bucket.write((s3, options) => s3.deleteObject(input, options), signal)).VersionId;
}

/** What is not as in the backup. */
export interface Left {
  /** Objects that are missing, have another content, or are too much. */
  readonly contents: number;
  /** Objects whose headers or metadata are others. */
  readonly headers: number;
  /** One of them. */
  readonly example: string | undefined;
  /** Objects that were compared, and the bytes of their contents. */
  readonly objects: number;
  readonly bytes: number;
}

/** Compares the bucket with the backup. `until`: what was written or removed since then is not this restore's matter. */
export async function check(
  { target, index, context: { signal } }: Pick<Work, "target" | "index" | "context">,
  options: { readonly readSince: Date | undefined; readonly until?: Date; readonly keepOthers?: boolean },
): Promise<Left> {
  const left = { contents: 0, headers: 0, example: undefined as string | undefined, objects: 0, bytes: 0 };
  const { until, readSince, keepOthers = false } = options;
  const steps = stepsOf(target, index.objects(signal), { signal, headers: true, ...since(readSince) });
  for await (const step of steps) {
    if ("object" in step) {
      left.objects += 1;
      left.bytes += step.object.size;
    }
    if (step.kind === "same" || (step.kind === "remove" && keepOthers)) continue;
    if (until !== undefined && step.version !== undefined && step.version.modified >= until) continue;
    left[step.kind === "headers" ? "headers" : "contents"] += 1;
    left.example ??= shownKey(step.kind === "remove" ? step.version.key : target.keyOf(step.object.key));
  }
  return left;
}

/** Bytes read so far, over all archives. */
export function bytesTold({ progress }: Pick<ReplacementContext, "progress">): (bytes: number) => void {
  let read = 0;
  return (bytes) => {
    read += bytes;
    progress?.(read);
  };
}

function since(readSince: Date | undefined): { readonly readSince?: Date } {
  return readSince === undefined ? {} : { readSince };
}

function notAsBackedUp(error: unknown): never {
  if (!(error instanceof Different)) throw error;
  throw new AppError("source-failed", error.message, {
    context: { step: "archive" },
    text: { key: "error-s3-archive" },
    cause: error,
  });
}
