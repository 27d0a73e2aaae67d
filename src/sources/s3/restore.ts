import type { Manifest } from "../../core/manifest.ts";
import type { Text } from "../../core/text.ts";
import { lookAtFolder } from "../folder.ts";
import {
  type BackupReader,
  type Difference,
  mostDifferences,
  type RestoreReport,
  type RestoreTarget,
  type Scratch,
  type TargetLook,
} from "../types.ts";
import { parseTarget } from "./address.ts";
import { type Content, contentsOf, Different } from "./contents.ts";
import { Index } from "./indexes.ts";
import { shownKey } from "./keys.ts";
import type { IndexObject } from "./lines.ts";
import type { S3SourceConfig } from "./schema.ts";
import { BucketSink } from "./to-bucket.ts";
import { FolderSink } from "./to-folder.ts";

/** Where objects are written to. */
export interface Sink extends AsyncDisposable {
  /** Rejects with `conflict` when there is anything already. */
  prepare(signal: AbortSignal): Promise<void>;
  /**
   * Writes an object under its key without the backup's prefix. Its body has been read when it resolves; an object whose
   * body fails is not there afterwards.
   */
  write(name: string, content: Content): Promise<void>;
  /** Resolves when everything is there. */
  finish(): Promise<void>;
  /** What is there of these objects is compared with what was written; resolves with what differs. */
  compare(objects: AsyncIterable<IndexObject>, nameOf: (key: string) => string): AsyncIterable<Difference>;
  readonly remarks: readonly Text[];
}

/** Collects differences, and names the first of them. */
class Differences {
  readonly named: Difference[] = [];
  total = 0;

  add(difference: Difference): void {
    this.total += 1;
    if (this.named.length < mostDifferences) this.named.push(difference);
  }
}

/** Restores all objects into an empty bucket, or below an empty prefix of one, or as files into an empty folder. */
export async function restore(
  reader: BackupReader,
  target: RestoreTarget,
  config?: S3SourceConfig,
): Promise<RestoreReport> {
  const { signal } = target;
  const place = parseTarget(target.to, config);
  await using sink: Sink =
    place.kind === "bucket" ? new BucketSink(place.config, place.prefix, signal) : new FolderSink(place.path);
  await sink.prepare(signal);
  const begin = performance.now();
  await using index = await Index.load(reader, signal);
  const prefix = reader.manifest.source["prefix"] ?? "";
  const nameOf = (key: string): string => key.slice(prefix.length);
  const differences = new Differences();
  let read = 0;
  const onBytes = (bytes: number): void => {
    read += bytes;
    target.progress?.(read);
  };
  const compared = { objects: 0, bytes: 0 };
  for await (const content of contentsOf(reader, index, { signal, onBytes })) {
    const { object } = content;
    try {
      await sink.write(nameOf(object.key), content);
    } catch (error) {
      if (!(error instanceof Different)) throw error;
      differences.add(differenceOf(object, error));
    }
    compared.objects += 1;
    compared.bytes += object.size;
  }
  await sink.finish();
  const restoreMs = Math.round(performance.now() - begin);
  // What differed on its way was not written: it would be told twice.
  if (differences.total === 0)
    for await (const difference of sink.compare(index.objects(signal), nameOf)) differences.add(difference);
  return {
    restoreMs,
    compared,
    differences: differences.named,
    differencesTotal: differences.total,
    remarks: sink.remarks,
  };
}

/** Whether the target is empty. Touches nothing; rejects as `restore` does. */
export async function lookAtTarget(
  _manifest: Manifest,
  { to, signal }: RestoreTarget,
  config?: S3SourceConfig,
): Promise<TargetLook> {
  const place = parseTarget(to, config);
  if (place.kind === "folder") return await lookAtFolder(place.path);
  await using sink = new BucketSink(place.config, place.prefix, signal);
  await sink.prepare(signal);
  return { facts: {} };
}

/**
 * Reads every object out of all archives and compares it, without writing it anywhere: a bucket is larger than any disk
 * that would have to hold it, and what a server does with objects is not the backup's matter.
 */
export async function testRestore(reader: BackupReader, { signal }: Scratch): Promise<RestoreReport> {
  const begin = performance.now();
  await using index = await Index.load(reader, signal);
  const differences = new Differences();
  const compared = { objects: 0, bytes: 0 };
  for await (const { object, body } of contentsOf(reader, index, { signal })) {
    try {
      for await (const chunk of body) compared.bytes += chunk.length;
    } catch (error) {
      if (!(error instanceof Different)) throw error;
      differences.add(differenceOf(object, error));
    }
    compared.objects += 1;
  }
  return {
    restoreMs: Math.round(performance.now() - begin),
    compared,
    differences: differences.named,
    differencesTotal: differences.total,
    remarks: [{ key: "remark-s3-not-written" }],
  };
}

function differenceOf({ key, sha256 }: IndexObject, { found }: Different): Difference {
  return { what: shownKey(key), expected: sha256, found };
}
