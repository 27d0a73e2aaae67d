import { createHash } from "node:crypto";
import { AppError } from "../../core/errors.ts";
import type { Text } from "../../core/text.ts";
import type { Difference } from "../types.ts";
import { ahead, type Job } from "./ahead.ts";
import { type Attributes, Bucket, type BucketConfig, type Missing } from "./bucket.ts";
import { type Change, changesOf } from "./changes.ts";
import type { Content } from "./contents.ts";
import { hasHeaders, headerDifferences, headersOf } from "./headers.ts";
import { shownKey } from "./keys.ts";
import type { IndexObject } from "./lines.ts";
import type { Sink } from "./restore.ts";

const mebibyte = 1024 * 1024;
/** Larger objects are sent in parts of this size, or larger ones where these would be too many. */
const partBytes = 8 * mebibyte;
const mostParts = 9000;
/** Small objects on their way, together. */
const sendingBytes = 4 * partBytes;
const abortMs = 60_000;
/** Objects whose headers are asked for ahead of their turn, those under way and those that wait. */
const comparedAhead = 100;

interface Address {
  readonly Bucket: string;
  readonly Key: string;
}

/** Writes objects into a bucket, small ones several at once. */
export class BucketSink implements Sink {
  readonly #bucket: Bucket;
  readonly #prefix: string;
  readonly #signal: AbortSignal;
  readonly #concurrency: number;
  readonly #sending = new Map<Promise<void>, number>();
  #failure: { readonly error: unknown } | undefined;
  #nameless = 0;

  constructor(config: BucketConfig, prefix: string, signal: AbortSignal) {
    this.#bucket = new Bucket(config);
    this.#prefix = prefix;
    this.#signal = signal;
    this.#concurrency = config.concurrency;
  }

  get remarks(): readonly Text[] {
    return this.#nameless === 0 ? [] : [{ key: "remark-s3-nameless" }];
  }

  async prepare(signal: AbortSignal): Promise<void> {
    for await (const { key } of this.#bucket.list(this.#prefix, signal, 1)) {
      const place = `s3://${this.#bucket.name}/${this.#prefix}`;
      throw new AppError("conflict", `${place} is not empty: it has ${shownKey(key)}`, {
        context: { step: "preflight" },
        text: { key: "error-s3-not-empty", args: { place, object: shownKey(key) } },
      });
    }
  }

  async write(name: string, { object, body }: Content): Promise<void> {
    const address = { Bucket: this.#bucket.name, Key: `${this.#prefix}${name}` };
    if (address.Key === "") {
      // The mark of the folder that was backed up; a bucket's own root can have none.
      this.#nameless += 1;
      return;
    }
    if (object.size > partBytes) return await this.#writeInParts(address, object, body);
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    await this.#room(object.size);
    const sending = this.#put(address, object, Buffer.concat(chunks))
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#sending.delete(sending));
    this.#sending.set(sending, object.size);
  }

  async finish(): Promise<void> {
    await Promise.all(this.#sending.keys());
    this.#check();
  }

  async *compare(objects: AsyncIterable<IndexObject>, nameOf: (key: string) => string): AsyncIterable<Difference> {
    const changes = changesOf(this.#bucket.list(this.#prefix, this.#signal), this.#named(objects, nameOf));
    const jobOf = (change: Change) => headersJob(change, this.#bucket, this.#signal);
    const limits = { items: comparedAhead, running: this.#concurrency, bytes: 0 };
    for await (const { item, result } of ahead(changes, jobOf, limits)) yield* differenceOf(item, await result);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#sending.keys());
    this.#bucket.requests.close();
  }

  /** As they are called here. A common beginning cut off or put before does not change their order. */
  async *#named(objects: AsyncIterable<IndexObject>, nameOf: (key: string) => string): AsyncGenerator<IndexObject> {
    for await (const object of objects) {
      const key = `${this.#prefix}${nameOf(object.key)}`;
      if (key !== "") yield { ...object, key };
    }
  }

  async #room(size: number): Promise<void> {
    const isFull = (): boolean => {
      const held = [...this.#sending.values()].reduce((sum, bytes) => sum + bytes, 0);
      return this.#sending.size >= this.#concurrency || (held > 0 && held + size > sendingBytes);
    };
    while (isFull()) await Promise.race(this.#sending.keys());
    this.#check();
  }

  #check(): void {
    if (this.#failure) throw this.#failure.error;
  }

  async #put(address: Address, object: IndexObject, bytes: Buffer): Promise<void> {
    const input = {
      ...address,
      ...headersOf(object),
      Body: bytes,
      ContentLength: bytes.length,
      ContentMD5: md5(bytes),
    };
    await this.#bucket.call((s3, options) => s3.putObject(input, options), this.#signal);
  }

  /** Completed only when its content was found to be what was backed up. */
  async #writeInParts(address: Address, object: IndexObject, body: AsyncIterable<Buffer>): Promise<void> {
    const size = Math.max(partBytes, Math.ceil(object.size / mostParts));
    const { UploadId } = await this.#bucket.call(
      (s3, options) => s3.createMultipartUpload({ ...address, ...headersOf(object) }, options),
      this.#signal,
    );
    const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
    const send = async (bytes: Buffer): Promise<void> => {
      const PartNumber = Parts.length + 1;
      const part: (typeof Parts)[number] = { PartNumber, ETag: undefined };
      Parts.push(part);
      const input = {
        ...address,
        UploadId,
        PartNumber,
        Body: bytes,
        ContentLength: bytes.length,
        ContentMD5: md5(bytes),
      };
      part.ETag = (await this.#bucket.call((s3, options) => s3.uploadPart(input, options), this.#signal)).ETag;
    };
    let sending: Promise<void> = Promise.resolve();
    try {
      for await (const bytes of piecesOf(body, size)) {
        await sending;
        sending = send(bytes);
        sending.catch(() => undefined);
      }
      await sending;
      const input = { ...address, UploadId, MultipartUpload: { Parts } };
      await this.#bucket.call((s3, options) => s3.completeMultipartUpload(input, options), this.#signal);
    } catch (error) {
      await sending.catch(() => undefined);
      await this.#bucket
        .call((s3, options) => s3.abortMultipartUpload({ ...address, UploadId }, options), AbortSignal.timeout(abortMs))
        .catch(() => undefined);
      throw error;
    }
  }
}

/** What there is to be asked of an object that was written: nothing where its size tells already that it is another one. */
function headersJob(change: Change, bucket: Bucket, signal: AbortSignal): Job<Attributes | Missing> | undefined {
  if (change.kind === "deleted" || change.before?.size !== change.version.size || !hasHeaders(change.before))
    return undefined;
  const { key } = change.version;
  return { bytes: 0, run: async () => await bucket.attributes(key, undefined, signal) };
}

function* differenceOf(change: Change, found: Attributes | Missing | undefined): Generator<Difference> {
  const { before } = change;
  const size = change.kind === "deleted" || typeof found === "string" ? "-" : String(change.version.size);
  const expected = before === undefined ? "-" : String(before.size);
  const key = change.kind === "deleted" ? change.before.key : change.version.key;
  if (size !== expected) yield { what: shownKey(key), expected, found: size };
  else if (before && typeof found === "object") yield* headerDifferences(before, found);
}

function md5(bytes: Buffer): string {
  return createHash("md5").update(bytes).digest("base64");
}

/** Pieces of exactly this size, the last one excepted. */
async function* piecesOf(chunks: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    for (let rest = chunk; rest.length > 0; ) {
      const taken = rest.subarray(0, size - bytes);
      rest = rest.subarray(taken.length);
      held.push(taken);
      bytes += taken.length;
      if (bytes < size) continue;
      yield Buffer.concat(held);
      held = [];
      bytes = 0;
    }
  }
  if (bytes > 0) yield Buffer.concat(held);
}
