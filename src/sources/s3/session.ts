import { setMaxListeners } from "node:events";
import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { AppError, toAppError } from "../../core/errors.ts";
import { matcherOf } from "../../core/globs.ts";
import { type ManifestNote, type ManifestReference, mostNotes } from "../../core/manifest.ts";
import { type Pipeline, startPipeline } from "../../lib/process.ts";
import type { FullReason, PartFacts, SessionSummary, SourceInfo, SourcePart, SourceSession } from "../types.ts";
import { zstdCommand } from "../zstd.ts";
import { archiveOf, type Tally } from "./archive.ts";
import { type Base, placeFacts } from "./base.ts";
import type { Bucket, Version } from "./bucket.ts";
import { changesOf } from "./changes.ts";
import { IndexWriter } from "./indexes.ts";
import { isMark, shownKey } from "./keys.ts";
import type { S3SourceConfig } from "./schema.ts";

const batchBytes = 256 * 1024;

export interface S3Plan {
  readonly config: S3SourceConfig;
  readonly bucket: Bucket;
  /** What is built upon, or why nothing is. */
  readonly base: Base | FullReason;
  readonly startedAt: Date;
}

/** One run over a bucket: an archive of what is new, where anything is, and the index of everything. */
export class S3Session implements SourceSession {
  readonly #plan: S3Plan;
  readonly #base: Base | undefined;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #tally: Tally = { added: 0, changed: 0, unchanged: 0, deleted: 0, objects: 0, bytes: 0, entries: 0 };
  readonly #runs = new Set<string>();
  readonly #notes: ManifestNote[] = [];
  #notesTotal = 0;
  #listed = 0;
  #index: IndexWriter | undefined;
  #programs: Pipeline | undefined;
  #archived = 0;
  #failure: { readonly error: unknown } | undefined;
  #reading: Promise<void> | undefined;

  constructor(plan: S3Plan, signal: AbortSignal) {
    this.#plan = plan;
    this.#base = typeof plan.base === "string" ? undefined : plan.base;
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
    // Each request waits for it.
    setMaxListeners(0, this.#signal);
  }

  get info(): SourceInfo {
    const { config, bucket, base, startedAt } = this.#plan;
    const { entries: _, ...counted } = this.#tally;
    const facts = Object.entries(counted).map(([name, count]) => [name, String(count)]);
    return {
      title: titleOf(bucket, typeof base === "string" ? base : "changes"),
      facts: {
        ...placeFacts(config),
        mode: this.#base ? "incremental" : "full",
        ...(typeof base === "string" ? { full: base } : { base: base.manifest.id }),
        // Whoever restores in place must not remove what is not in the backup for this reason.
        ...(config.exclude.length > 0 && { exclude: JSON.stringify(config.exclude) }),
        fullAt: (this.#base?.fullAt ?? startedAt).toISOString(),
        ...Object.fromEntries(facts),
      },
    };
  }

  async *parts(): AsyncIterable<SourcePart> {
    const { config } = this.#plan;
    this.#index = await IndexWriter.create(config, config.level, this.#signal);
    const chunks = this.#guarded(batched(this.#archive(this.#index), batchBytes));
    const first = await chunks.next();
    if (first.done !== true) yield this.#archivePart(startingWith(first.value, chunks));
    if (this.#failure) throw this.#failure.error;
    yield await this.#indexPart(this.#index);
  }

  summary(): SessionSummary {
    const archives = this.#base?.archives ?? new Map<string, ManifestReference>();
    // In the order of the runs, so that manifests are the same whatever came first in the bucket.
    const references = [...archives.values()].filter(({ run }) => this.#runs.has(run));
    return { references, notes: this.#notes, notesTotal: this.#notesTotal };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new AppError("interrupted", "the reading was ended", { permanent: false }));
    this.#programs?.stdout.destroy();
    await this.#programs?.done.catch(() => undefined);
    await this.#reading;
    await this.#index?.[Symbol.asyncDispose]();
    await this.#base?.index[Symbol.asyncDispose]();
    this.#plan.bucket.requests.close();
  }

  #archive(index: IndexWriter): AsyncGenerator<Buffer> {
    const { config, bucket } = this.#plan;
    const before = this.#base?.index.objects(this.#signal) ?? nothing();
    return archiveOf(changesOf(this.#listing(), before), {
      bucket,
      concurrency: config.concurrency,
      signal: this.#signal,
      base: this.#base?.manifest.id,
      tally: this.#tally,
      index: (line) => index.add(line),
      refer: (run) => void this.#runs.add(run),
      note: (kind, key) => {
        this.#notesTotal += 1;
        if (this.#notes.length < mostNotes) this.#notes.push({ kind, name: shownKey(key) });
      },
    });
  }

  async *#listing(): AsyncGenerator<Version> {
    const { bucket, config } = this.#plan;
    const isExcluded = matcherOf(config.exclude);
    for await (const version of bucket.list(config.prefix, this.#signal)) {
      if (isExcluded(version.key.slice(config.prefix.length)) || isMark(version.key, config.prefix)) continue;
      this.#listed += 1;
      yield version;
    }
    if (this.#listed > 0 || config.allowEmpty) return;
    const place = `s3://${config.bucket}/${config.prefix}`;
    throw new AppError("source-failed", `there is no object below ${place}: allowEmpty, if that is right`, {
      context: { step: "list", bucket: config.bucket },
      text: { key: "error-source-s3-empty", args: { place } },
    });
  }

  /** Keeps why the reading ended: to the programs behind it every end is the same. */
  async *#guarded(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#reading = promise;
    try {
      for await (const chunk of chunks) {
        this.#archived += chunk.length;
        yield chunk;
      }
    } catch (error) {
      this.#failure = { error: this.#signal.aborted ? toAppError(this.#signal.reason, "cancelled") : error };
      throw this.#failure.error;
    } finally {
      resolve();
    }
  }

  #archivePart(chunks: AsyncIterable<Buffer>): SourcePart {
    const { config } = this.#plan;
    const input = Readable.from(chunks, { objectMode: false, highWaterMark: 2 * batchBytes });
    const programs = startPipeline([zstdCommand(config.level)], { input, signal: this.#signal });
    this.#programs = programs;
    const done = this.#finish(programs);
    done.catch(() => undefined);
    return {
      role: "artifact",
      file: "artifact.tar.zst",
      stream: programs.stdout,
      rawBytes: () => this.#archived,
      done,
    };
  }

  async #finish(programs: Pipeline): Promise<PartFacts> {
    await programs.done.catch((error: unknown) => {
      throw this.#failure?.error ?? error;
    });
    if (this.#failure) throw this.#failure.error;
    await programs.fed;
    return { rawBytes: this.#archived, entries: this.#tally.entries };
  }

  async #indexPart(index: IndexWriter): Promise<SourcePart> {
    const stream = await index.finish();
    const done = finished(stream).then(() => ({ rawBytes: index.rawBytes, entries: this.#tally.objects }));
    done.catch(() => undefined);
    return { role: "index", file: "index.jsonl.zst", stream, rawBytes: () => index.rawBytes, done };
  }
}

/** What is backed up, and how. */
export function titleOf(bucket: Bucket, how: FullReason | "changes" | "not-known"): SourceInfo["title"] {
  return { key: "source-title-s3", args: { ...bucket.place, how } };
}

async function* nothing(): AsyncGenerator<never> {
  // No backup before.
}

/** What was taken from a generator, and the rest of it. It ends the generator also when nobody has begun to read. */
function startingWith(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncIterableIterator<Buffer> {
  let taken: Buffer | undefined = first;
  const iterator: AsyncIterableIterator<Buffer> = {
    [Symbol.asyncIterator]: () => iterator,
    async next() {
      const value = taken;
      taken = undefined;
      return value === undefined ? await rest.next() : { done: false, value };
    },
    return: () => rest.return(undefined),
  };
  return iterator;
}

/** The same bytes in fewer pieces: headers and small objects would be a write each. */
async function* batched(chunks: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer> {
  let batch = Buffer.allocUnsafeSlow(size);
  let used = 0;
  for await (const chunk of chunks) {
    for (let offset = 0; offset < chunk.length; ) {
      const taken = chunk.subarray(offset, offset + size - used);
      batch.set(taken, used);
      used += taken.length;
      offset += taken.length;
      if (used < size) continue;
      yield batch;
      batch = Buffer.allocUnsafeSlow(size);
      used = 0;
    }
  }
  if (used > 0) yield batch.subarray(0, used);
}
