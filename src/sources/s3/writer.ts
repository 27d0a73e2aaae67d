import { createHash } from "node:crypto";
import type { Bucket } from "./bucket.ts";
import type { Content } from "./contents.ts";
import { headersOf } from "./headers.ts";
import type { IndexObject } from "./lines.ts";
import { Pool } from "./pool.ts";

const mebibyte = 1024 * 1024;
/** Larger objects are sent in parts of this size, or larger ones where these would be too many. */
const partBytes = 8 * mebibyte;
const mostParts = 9000;
/** Small objects on their way, together. */
const sendingBytes = 4 * partBytes;
const abortMs = 60_000;

interface Address {
  readonly Bucket: string;
  readonly Key: string;
}

/** Writes objects with what they have besides their content, small ones several at once. */
export class ObjectWriter implements AsyncDisposable {
  readonly #bucket: Bucket;
  readonly #signal: AbortSignal;
  readonly #onWritten: ((key: string, versionId: string | undefined) => void) | undefined;
  readonly #pool: Pool;

  /** `onWritten` is told of every object that is there, with its version where the server tells one; it may throw. */
  constructor(
    bucket: Bucket,
    options: {
      readonly concurrency: number;
      readonly signal: AbortSignal;
      readonly onWritten?: (key: string, versionId: string | undefined) => void;
    },
  ) {
    this.#bucket = bucket;
    this.#signal = options.signal;
    this.#onWritten = options.onWritten;
    this.#pool = new Pool({ running: options.concurrency, bytes: sendingBytes });
  }

  /** Its body has been read when it resolves; an object whose body fails is not written. */
  async write(key: string, { object, body }: Content): Promise<void> {
    const address = { Bucket: this.#bucket.name, Key: key };
    if (object.size > partBytes) return await this.#writeInParts(address, object, body);
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    await this.#pool.add(() => this.#put(address, object, Buffer.concat(chunks)), object.size);
  }

  /** Resolves when everything is there. */
  async finish(): Promise<void> {
    await this.#pool.finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end();
  }

  async #put(address: Address, object: IndexObject, bytes: Buffer): Promise<void> {
    const input = {
      ...address,
      ...headersOf(object),
      Body: bytes,
      ContentLength: bytes.length,
      ContentMD5: md5(bytes),
    };
    const { VersionId } = await this.#bucket.write((s3, options) => s3.putObject(input, options), this.#signal);
    this.#onWritten?.(address.Key, VersionId);
  }

  /** Completed only when its content was found to be what was backed up. */
  async #writeInParts(address: Address, object: IndexObject, body: AsyncIterable<Buffer>): Promise<void> {
    const size = Math.max(partBytes, Math.ceil(object.size / mostParts));
    const { UploadId } = await this.#bucket.write(
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
      part.ETag = (await this.#bucket.write((s3, options) => s3.uploadPart(input, options), this.#signal)).ETag;
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
      const { VersionId } = await this.#bucket.write(
        (s3, options) => s3.completeMultipartUpload(input, options),
        this.#signal,
      );
      this.#onWritten?.(address.Key, VersionId);
    } catch (error) {
      await sending.catch(() => undefined);
      await this.#bucket
        .call((s3, options) => s3.abortMultipartUpload({ ...address, UploadId }, options), AbortSignal.timeout(abortMs))
        .catch(() => undefined);
      throw error;
    }
  }
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
