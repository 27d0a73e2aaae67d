import { addAbortSignal, PassThrough, type Readable } from "node:stream";
import { AppError } from "../../core/errors.ts";
import type { ManifestPart } from "../../core/manifest.ts";
import { type Pipeline, startPipeline } from "../../lib/process.ts";
import type { BackupReader } from "../types.ts";
import { zstdCommand } from "../zstd.ts";
import { headLine, type IndexLine, type IndexObject, indexLine, objectsOf, readLines } from "./lines.ts";
import { Spool } from "./spool.ts";
import { unpacked } from "./unpack.ts";

const batchChars = 64 * 1024;

/**
 * An index that is being written: packed on its way into a spool, since it is complete only when the last object has
 * been read, and then is a part of its own.
 */
export class IndexWriter implements AsyncDisposable {
  readonly #spool: Spool;
  readonly #input = new PassThrough({ highWaterMark: 256 * 1024 });
  readonly #programs: Pipeline;
  readonly #written: Promise<void>;
  #batch: string;
  /** Bytes before compression. */
  rawBytes = 0;

  private constructor(spool: Spool, first: string, level: number, signal: AbortSignal) {
    this.#spool = spool;
    this.#batch = first;
    this.#input.on("error", () => undefined);
    this.#programs = startPipeline([zstdCommand(level)], { input: this.#input, signal });
    this.#written = spool.write(this.#programs.stdout as AsyncIterable<Buffer>);
    // The compressor is told by its closed pipe, whoever adds lines by the input that is destroyed.
    this.#written.catch((error: Error) => this.#input.destroy(error));
  }

  static async create(
    place: { bucket: string; prefix: string },
    level: number,
    signal: AbortSignal,
  ): Promise<IndexWriter> {
    const spool = await Spool.create();
    try {
      return new IndexWriter(spool, headLine(place.bucket, place.prefix), level, signal);
    } catch (error) {
      await spool[Symbol.asyncDispose]();
      throw error;
    }
  }

  async add(line: IndexLine): Promise<void> {
    this.#batch += indexLine(line);
    if (this.#batch.length >= batchChars) await this.#flush();
  }

  /** No more lines. Resolves with the packed index. */
  async finish(): Promise<Readable> {
    await this.#flush();
    this.#input.end();
    await this.#settled();
    return this.#spool.reader();
  }

  /** When it is finished: its objects, in their order; any number of readers at once. */
  objects(signal: AbortSignal): AsyncGenerator<IndexObject> {
    return objectsOf(readLines(unpacked(this.#spool.reader(), signal)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#input.destroy();
    this.#programs.stdout.destroy();
    await Promise.allSettled([this.#programs.done, this.#written]);
    await this.#spool[Symbol.asyncDispose]();
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.from(this.#batch);
    this.#batch = "";
    this.rawBytes += bytes.length;
    if (!this.#input.destroyed && this.#input.write(bytes)) return;
    if (!this.#input.destroyed) await drained(this.#input);
    if (!this.#input.destroyed) return;
    await this.#settled();
    throw new AppError("internal", "the index was closed before its end");
  }

  /** The disk's error before that of the compressor, which it is the cause of. */
  async #settled(): Promise<void> {
    const [written, done] = await Promise.allSettled([this.#written, this.#programs.done]);
    for (const result of [written, done]) if (result.status === "rejected") throw result.reason;
  }
}

/** Resolves when a stream takes more, or is closed. */
function drained(stream: PassThrough): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      stream.off("drain", go).off("close", go);
      resolve();
    };
    stream.on("drain", go).on("close", go);
  });
}

/** The index of a finished backup, read whole once and found sound: it may be read again and again. */
export class Index implements AsyncDisposable {
  readonly #spool: Spool;
  /** Objects that it names. */
  readonly count: number;
  /** Of their contents. */
  readonly bytes: number;
  /** Ids of the runs whose archives it points at, without its own. */
  readonly runs: ReadonlySet<string>;

  private constructor(spool: Spool, found: { objects: number; bytes: number; runs: ReadonlySet<string> }) {
    this.#spool = spool;
    this.count = found.objects;
    this.bytes = found.bytes;
    this.runs = found.runs;
  }

  /** Rejects when the part is damaged, encrypted for another key, or not what the manifest says. */
  static async load(reader: BackupReader, signal: AbortSignal): Promise<Index> {
    const { manifest } = reader;
    const part = indexPart(reader);
    const spool = await Spool.create();
    try {
      await spool.write(addAbortSignal(signal, await reader.open(part)));
      const runs = new Set<string>();
      const known = new Set(manifest.references.map(({ run }) => run));
      if (manifest.parts.some(({ role }) => role === "artifact")) known.add(manifest.id);
      let objects = 0;
      let bytes = 0;
      for await (const object of objectsOf(readLines(unpacked(spool.reader(), signal)))) {
        objects += 1;
        bytes += object.size;
        const run = object.in ?? manifest.id;
        if (!known.has(run)) throw unlike(`it points at run ${run}, of which the manifest knows nothing`);
        if (object.in !== undefined) runs.add(run);
      }
      checkCount(part, objects);
      return new Index(spool, { objects, bytes, runs });
    } catch (error) {
      await spool[Symbol.asyncDispose]();
      signal.throwIfAborted();
      throw error;
    }
  }

  /** Its objects, in the order of keys. */
  objects(signal: AbortSignal): AsyncGenerator<IndexObject> {
    return objectsOf(readLines(unpacked(this.#spool.reader(), signal)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#spool[Symbol.asyncDispose]();
  }
}

/** Fails when a part has another number of objects than the manifest says. */
export function checkCount(part: ManifestPart, objects: number): void {
  if (part.entries === undefined || part.entries === objects) return;
  throw unlike(`it has ${objects} objects, the manifest says ${part.entries}`);
}

function indexPart({ manifest }: BackupReader): ManifestPart {
  const part = manifest.parts.find(({ role }) => role === "index");
  if (part) return part;
  throw new AppError("manifest", "the manifest names no index", { text: { key: "error-manifest" } });
}

function unlike(how: string): AppError {
  return new AppError("source-failed", `the backup is not what its manifest says: ${how}`, {
    context: { step: "index" },
    text: { key: "error-s3-count" },
  });
}
