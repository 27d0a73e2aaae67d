import { AppError } from "../../../core/errors.ts";
import type { Manifest } from "../../../core/manifest.ts";
import type { ReplacementContext } from "../../replacement.ts";
import { type BackupReader, type Difference, mostDifferences, type RestoreReport } from "../../types.ts";
import { contentsOf, Different } from "../contents.ts";
import { Index } from "../indexes.ts";
import { shownKey } from "../keys.ts";
import type { S3SourceConfig } from "../schema.ts";
import { bytesTold } from "./apply.ts";
import { nothingText } from "./look.ts";
import { Selection } from "./selection.ts";
import { stepsOf } from "./steps.ts";
import { originOf, placeOf, type Target } from "./target.ts";

/** Fails when a backup is of another bucket or prefix. */
export function sameBucket(manifest: Manifest, config: S3SourceConfig, place: string): void {
  const origin = originOf(manifest);
  if (origin.bucket === config.bucket && origin.prefix === config.prefix) return;
  const other = placeOf(origin, origin.prefix);
  throw new AppError("conflict", `the backup is of ${other}, not of ${place}`, {
    context: { step: "preflight", place },
    text: { key: "replace-obstacle-s3-other", args: { place, other } },
  });
}

/**
 * Reads everything that will be written, to the end of every archive, and compares it with the index. Nothing is kept of it:
 * what it proves is that no object is touched for a backup that breaks off in its middle.
 */
export async function readWanted({
  target,
  reader,
  context,
  pick,
  place,
}: {
  readonly target: Target;
  readonly reader: BackupReader;
  readonly context: Pick<ReplacementContext, "signal" | "progress" | "step">;
  readonly pick: string | undefined;
  readonly place: string;
}): Promise<{ readonly result: RestoreReport; readonly facts: Readonly<Record<string, string>> }> {
  const { signal } = context;
  const begin = performance.now();
  await using index = await Index.load(reader, signal);
  await using selection = await Selection.create(signal);
  const counted = { objects: 0, remove: 0 };
  for await (const step of stepsOf(target, index.objects(signal), { signal, headers: true })) {
    if (step.kind === "remove") counted.remove += 1;
    else counted.objects += 1;
    if (step.kind === "write" || step.kind === "headers") await selection.add(step.object);
  }
  // With a mistyped beginning everything that is live below it would be removed.
  if (pick !== undefined && counted.objects === 0) throw nothingBelow(place);
  await selection.finish();
  const differences: Difference[] = [];
  let total = 0;
  let done = 0;
  for await (const { object, body } of contentsOf(reader, selection, { signal, onBytes: bytesTold(context) })) {
    try {
      for await (const _ of body);
    } catch (error) {
      if (!(error instanceof Different)) throw error;
      total += 1;
      if (differences.length < mostDifferences)
        differences.push({ what: shownKey(object.key), expected: object.sha256, found: error.found });
    }
    done += 1;
    context.step?.(done, selection.count, "objects");
  }
  const { count: write, bytes } = selection;
  const facts = { objects: String(counted.objects), write: String(write), remove: String(counted.remove) };
  const result: RestoreReport = {
    restoreMs: Math.round(performance.now() - begin),
    compared: { objects: counted.objects, bytes },
    differences,
    differencesTotal: total,
    remarks: [{ key: "remark-s3-replace", args: { write, remove: counted.remove, same: counted.objects - write } }],
  };
  return { result, facts };
}

function nothingBelow(place: string): AppError {
  return new AppError("not-found", `the backup has no object below ${place}`, {
    context: { step: "preflight", place },
    text: nothingText(place),
  });
}
