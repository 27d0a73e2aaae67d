import { createHash } from "node:crypto";
import { AppError } from "../../core/errors.ts";
import type { OpenObject } from "../../core/ports.ts";
import { BufferPool, release } from "../../lib/buffers.ts";
import type { CreateOptions, ExpectedObject, ObjectWriter } from "../types.ts";
import { isAbsent, s3Error } from "./errors.ts";
import { partsAtOnce, sizeOfPart } from "./parts.ts";
import { bodyOf, type ObjectAttributes, type S3Target } from "./target.ts";
import { abortUpload, listUploads } from "./uploads.ts";

const abortMs = 60_000;

/** Shared by all objects and storages, and kept for the next run: as many as one object uses at a time. */
const partBuffers = new BufferPool(3);

/**
 * Bytes that an object begins with: a manifest, the globals of a server never need more, and the latter begin while the
 * dump's last parts are still on their way.
 */
const firstBytes = 256 * 1024;

interface SentPart {
  readonly PartNumber: number;
  readonly ETag: string | undefined;
  readonly md5: Buffer;
}

/**
 * An object sent in parts as its bytes come, with constant memory: the parts on their way and the one being filled.
 *
 * Not the SDK's own `Upload`: the upload's id has to be on record before its first byte is sent, so that a killed
 * worker leaves nothing behind; and the upload may be completed only after the processes that made the bytes have
 * exited with 0, which is long after the last byte was written. What is smaller than one part is sent whole at the
 * commit, so that nothing of it exists before.
 */
export class S3Writer implements ObjectWriter {
  readonly key: string;
  readonly #target: S3Target;
  readonly #options: CreateOptions;
  readonly #partSize: number;
  readonly #sending = new Set<Promise<void>>();
  readonly #sent: SentPart[] = [];
  #filling: Buffer | undefined;
  #used = 0;
  #ended: Promise<void> | undefined;
  #number = 1;
  #uploadId: string | undefined;
  /** An upload was asked for, whether or not an answer came. */
  #begun = false;
  /** The object may exist under its key, whether or not an answer came. */
  #committing = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(target: S3Target, key: string, partSize: number, options: CreateOptions) {
    this.key = key;
    this.#target = target;
    this.#partSize = partSize;
    this.#options = options;
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let offset = 0; offset < chunk.length; ) {
      this.#check();
      // A full part is sent only when more follows: an object that fits into one is sent whole at the commit.
      if (this.#used === this.#size) await this.#sendPart();
      const filling = this.#room();
      const taken = chunk.subarray(offset, offset + filling.length - this.#used);
      filling.set(taken, this.#used);
      this.#used += taken.length;
      offset += taken.length;
    }
  }

  end(): void {
    if (this.#uploadId === undefined) return;
    this.#ended = this.#sendPart();
    // Its error is the commit's.
    this.#ended.catch(() => undefined);
  }

  async commit(expected: ExpectedObject): Promise<void> {
    this.#check();
    this.#committing = true;
    try {
      const etag =
        this.#uploadId === undefined ? await this.#putWhole() : await this.#complete(this.#uploadId, expected);
      await this.#readBack(expected, etag);
    } catch (error) {
      throw s3Error(error, this.#target.place);
    }
    // Only now: after a failure, a request that was given up might still be reading it.
    if (this.#filling !== undefined) this.#giveBack(this.#filling);
    this.#filling = undefined;
  }

  async abort(): Promise<void> {
    this.#failure ??= {
      error: new AppError("interrupted", `the upload of ${this.key} was aborted`, { permanent: false }),
    };
    await this.#ended?.catch(() => undefined);
    // A part that is still on its way could be stored after the abort and would stay for ever.
    await Promise.allSettled(this.#sending);
    this.#filling = undefined;
    const signal = AbortSignal.timeout(abortMs);
    const key = `${this.#target.prefix}${this.key}`;
    const ids = new Set(this.#uploadId === undefined ? [] : [this.#uploadId]);
    // A request whose answer was lost may have begun an upload that is not known here.
    const uploads = this.#begun ? await listUploads(this.#target, this.key, signal) : [];
    for (const [id, listed] of uploads) if (listed === key) ids.add(id);
    for (const id of ids) await abortUpload(this.#target, key, id, signal);
    if (this.#committing) await this.#delete(signal);
    this.#uploadId = undefined;
    this.#begun = false;
    this.#committing = false;
  }

  get #address(): { Bucket: string; Key: string } {
    return { Bucket: this.#target.bucket, Key: `${this.#target.prefix}${this.key}` };
  }

  /** Bytes of the part that is being filled. */
  get #size(): number {
    return sizeOfPart(this.#number, this.#partSize, this.#target.maxParts);
  }

  #check(): void {
    this.#options.signal.throwIfAborted();
    if (this.#failure !== undefined) throw s3Error(this.#failure.error, this.#target.place);
  }

  /** A buffer that is not full: a small one at first, a whole part's as soon as that has been too small. */
  #room(): Buffer {
    const size = this.#size;
    const filling = this.#filling;
    if (filling !== undefined && this.#used < filling.length) return filling;
    const small = this.#number === 1 && filling === undefined && size > firstBytes;
    const next = small ? Buffer.allocUnsafeSlow(firstBytes) : partBuffers.take(size);
    if (filling !== undefined) {
      next.set(filling.subarray(0, this.#used));
      this.#giveBack(filling);
    }
    this.#filling = next;
    return next;
  }

  #giveBack(buffer: Buffer): void {
    if (buffer.length === firstBytes) release(buffer);
    else partBuffers.give(buffer);
  }

  /** Hands the filled part over, once there is room on the way. */
  async #sendPart(): Promise<void> {
    const buffer = this.#filling;
    if (buffer === undefined) return;
    if (this.#number > this.#target.maxParts) throw tooManyParts(this.#target);
    this.#uploadId ??= await this.#begin();
    const uploadId = this.#uploadId;
    while (this.#sending.size >= partsAtOnce(buffer.length, this.#target.concurrency)) {
      await Promise.race(this.#sending);
      this.#check();
    }
    const number = this.#number;
    const body = buffer.subarray(0, this.#used);
    const sending = this.#upload(uploadId, number, body)
      .then(() => {
        partBuffers.give(buffer);
      })
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
    this.#filling = undefined;
    this.#used = 0;
    this.#number += 1;
  }

  async #begin(): Promise<string> {
    const { requests, place } = this.#target;
    this.#begun = true;
    try {
      // Not ended by the signal: the id has to be known, so that the upload can be aborted.
      const { UploadId } = await requests.call((s3, options) =>
        s3.createMultipartUpload({ ...this.#address, ...this.#attributes() }, options),
      );
      if (UploadId === undefined)
        throw new AppError("storage-refused", `storage ${place.storage}: the server gave no upload id`, {
          text: { key: "error-storage-no-upload", args: { storage: place.storage, server: place.server } },
        });
      // Known here first: should the record fail, the abort still finds it.
      this.#uploadId = UploadId;
      const open: OpenObject = { storage: place.storage, key: this.key, handle: UploadId };
      await this.#options.opened?.(open);
      return UploadId;
    } catch (error) {
      throw s3Error(error, place);
    }
  }

  async #upload(uploadId: string, number: number, body: Buffer): Promise<void> {
    const md5 = createHash("md5").update(body).digest();
    const input = {
      ...this.#address,
      UploadId: uploadId,
      PartNumber: number,
      ContentMD5: md5.toString("base64"),
    };
    const { signal } = this.#options;
    const { ETag } = await this.#target.requests.call(
      (s3, options) => s3.uploadPart({ ...input, ...bodyOf(this.#target, body, signal) }, options),
      { signal },
    );
    this.#sent.push({ PartNumber: number, ETag, md5 });
  }

  /** Sends a small object whole. Resolves to the ETag that it must have, if that can be told. */
  async #putWhole(): Promise<string | undefined> {
    const body = this.#filling?.subarray(0, this.#used) ?? Buffer.alloc(0);
    return putObject(this.#target, this.key, body, this.#options.signal, this.#attributes());
  }

  #attributes(): ObjectAttributes {
    const { storageClass } = this.#target;
    return { ...this.#target.attributes(), ...(storageClass === undefined ? {} : { StorageClass: storageClass }) };
  }

  async #complete(uploadId: string, expected: ExpectedObject): Promise<string | undefined> {
    await (this.#ended ?? this.#sendPart());
    await Promise.all(this.#sending);
    this.#check();
    const parts = this.#sent.toSorted((a, b) => a.PartNumber - b.PartNumber);
    const list = parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag }));
    const input = { ...this.#address, UploadId: uploadId, MultipartUpload: { Parts: list } };
    const { signal } = this.#options;
    try {
      await this.#target.requests.call((s3, options) => s3.completeMultipartUpload(input, options), {
        signal,
        patient: true,
      });
    } catch (error) {
      // The answer to an earlier attempt may have been lost after the server had completed the upload.
      if (!isAbsent(error)) throw error;
      const head = await this.#head();
      if (head?.ContentLength !== expected.bytes) throw error;
    }
    this.#uploadId = undefined;
    // Where part ETags are MD5 sums, the object's is the MD5 of these; stores that encrypt have others.
    if (!parts.every(({ ETag, md5 }) => unquoted(ETag) === md5.toString("hex"))) return undefined;
    const all = createHash("md5");
    for (const { md5 } of parts) all.update(md5);
    return `${all.digest("hex")}-${parts.length}`;
  }

  async #readBack(expected: ExpectedObject, etag: string | undefined): Promise<void> {
    const head = await this.#head();
    const found = unquoted(head?.ETag);
    const sameSum = etag === undefined || found === undefined || !/^[0-9a-f]{32}(-\d+)?$/.test(found) || found === etag;
    if (head?.ContentLength === expected.bytes && sameSum) return;
    const { place } = this.#target;
    await this.#delete().catch(() => undefined);
    const size = head === undefined ? "is not there" : `has ${head.ContentLength} bytes and ETag ${found}`;
    throw new AppError(
      "storage-mismatch",
      `storage ${place.storage}: ${this.key} ${size} after the upload of ${expected.bytes} bytes; it was removed`,
      {
        permanent: false,
        context: { storage: place.storage, key: this.key },
        text: { key: "error-storage-size", args: { storage: place.storage, object: this.key } },
      },
    );
  }

  async #delete(signal?: AbortSignal): Promise<void> {
    await this.#target.requests
      .call((s3, options) => s3.deleteObject(this.#address, options), { signal })
      .catch((error: unknown) => {
        throw s3Error(error, this.#target.place);
      });
  }

  async #head(): Promise<{ ContentLength?: number | undefined; ETag?: string | undefined } | undefined> {
    const { signal } = this.#options;
    return await this.#target.requests
      .call((s3, options) => s3.headObject(this.#address, options), { signal })
      .catch((error: unknown) => {
        if (isAbsent(error)) return undefined;
        throw error;
      });
  }
}

/** Puts a small object. Resolves to its ETag where that is the MD5 of its bytes, as it must read back then. */
export async function putObject(
  target: S3Target,
  key: string,
  body: Uint8Array,
  signal: AbortSignal,
  attributes: ObjectAttributes = target.attributes(),
): Promise<string | undefined> {
  const md5 = createHash("md5").update(body).digest();
  const { bucket, prefix, requests } = target;
  const input = { Bucket: bucket, Key: `${prefix}${key}`, ContentMD5: md5.toString("base64"), ...attributes };
  const { ETag } = await requests.call(
    (s3, options) => s3.putObject({ ...input, ...bodyOf(target, body, signal) }, options),
    { signal },
  );
  return unquoted(ETag) === md5.toString("hex") ? md5.toString("hex") : undefined;
}

function tooManyParts({ place, maxParts }: S3Target): AppError {
  const { storage, server } = place;
  return new AppError(
    "storage-refused",
    `storage ${place.storage}: ${place.server} takes ${maxParts} parts of an object, and this one needs more: set a larger partSize`,
    { context: { storage }, text: { key: "error-storage-parts", args: { storage, server, parts: maxParts } } },
  );
}

function unquoted(etag: string | undefined): string | undefined {
  return etag?.replaceAll('"', "");
}
