import { randomBytes } from "node:crypto";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { AppError } from "../../core/errors.ts";
import type { OpenObject } from "../../core/ports.ts";
import type { S3Requests } from "../../lib/clients/s3.ts";
import { registerSecret } from "../../lib/redaction.ts";
import { notFound } from "../errors.ts";
import type { CreateOptions, ObjectWriter, Storage, StorageKind, StoredObject } from "../types.ts";
import { classForTiers, isArchived } from "./classes.ts";
import { changeClass } from "./copy.ts";
import { archivedError, isAbsent, type S3Place, s3Error } from "./errors.ts";
import { choosePartSize } from "./parts.ts";
import { readObject } from "./read.ts";
import { type S3Config, s3Schema } from "./schema.ts";
import { type ObjectAttributes, type S3Target, targetOf } from "./target.ts";
import { abortUpload, listUploads, openUploads } from "./uploads.ts";
import { putObject, S3Writer } from "./writer.ts";

/** What servers do not name. */
const standardClass = "STANDARD";
const probeLockMs = 60_000;

function location({ bucket, prefix }: S3Config): string {
  return `s3://${bucket}/${prefix}`.replace(/\/$/, "");
}

/** Backups in a bucket. */
class S3Storage implements Storage {
  readonly kind = "s3";
  readonly local = false;
  readonly name: string;
  readonly location: string;
  readonly lockedMs?: number;
  readonly #config: S3Config;
  readonly #requests: S3Requests;
  readonly #place: S3Place;
  readonly #target: S3Target;

  constructor(name: string, config: S3Config) {
    this.name = name;
    this.location = location(config);
    this.#config = config;
    for (const secret of [config.secretAccessKey, config.sessionToken])
      if (secret !== undefined) registerSecret(secret);
    this.#target = targetOf(name, config);
    this.#requests = this.#target.requests;
    this.#place = this.#target.place;
    if (config.objectLock) this.lockedMs = config.objectLock.for;
  }

  async create(key: string, options: CreateOptions): Promise<ObjectWriter> {
    return new S3Writer(
      this.#target,
      this.#checked(key),
      choosePartSize(options.expectedBytes, this.#config.partSize, this.#config.maxParts),
      options,
    );
  }

  async put(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#put(key, bytes, signal, this.#target.attributes());
  }

  async #put(key: string, bytes: Uint8Array, signal: AbortSignal, attributes: ObjectAttributes): Promise<void> {
    await this.#mapped(putObject(this.#target, this.#checked(key), bytes, signal, attributes), key);
    const stored = await buffer(await this.read(key, signal));
    if (Buffer.compare(stored, bytes) !== 0) {
      throw new AppError("storage-mismatch", `storage ${this.name}: ${key} reads back different`, {
        permanent: false,
        context: { storage: this.name, key },
        text: { key: "error-storage-reads-different", args: { storage: this.name, object: key } },
      });
    }
  }

  async head(key: string, signal?: AbortSignal): Promise<StoredObject | undefined> {
    try {
      const { ContentLength = 0, StorageClass = standardClass } = await this.#requests.call(
        (s3, options) => s3.headObject(this.#address(key), options),
        { signal },
      );
      return { key, bytes: ContentLength, storageClass: StorageClass };
    } catch (error) {
      // Without the right to list, a store answers 403 for what is not there: that is not "absent".
      if (isAbsent(error)) return undefined;
      throw s3Error(error, this.#place);
    }
  }

  read(key: string, signal?: AbortSignal): Promise<Readable> {
    return readObject(this.#target, this.#checked(key), signal);
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncIterable<StoredObject> {
    let token: string | undefined;
    do {
      const input = {
        Bucket: this.#config.bucket,
        Prefix: `${this.#config.prefix}${prefix}`,
        ContinuationToken: token,
      };
      const page = await this.#mapped(
        this.#requests.call((s3, options) => s3.listObjectsV2(input, options), { signal }),
      );
      for (const { Key, Size = 0, LastModified, StorageClass = standardClass } of page.Contents ?? []) {
        if (Key === undefined) continue;
        const modified = LastModified === undefined ? {} : { modified: LastModified.getTime() };
        yield { key: Key.slice(this.#config.prefix.length), bytes: Size, ...modified, storageClass: StorageClass };
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      // A part of the list must not pass for all of it: what is not in it counts as gone.
      if (page.IsTruncated === true && token === undefined) throw cutOff(this.#place);
    } while (token !== undefined);
  }

  async delete(keys: readonly string[], signal?: AbortSignal): Promise<void> {
    // One by one: not every store has DeleteObjects, and some refuse the checksum that the SDK sends with it.
    for (const key of keys) {
      await this.#mapped(
        this.#requests.call((s3, options) => s3.deleteObject(this.#address(key), options), { signal }),
        key,
      );
    }
  }

  async cleanUp(prefix: string, recorded: readonly OpenObject[], signal?: AbortSignal): Promise<number> {
    const uploads = new Map<string, string>();
    for (const { key, handle } of recorded) uploads.set(handle, `${this.#config.prefix}${key}`);
    for (const [id, key] of await listUploads(this.#target, prefix, signal)) uploads.set(id, key);
    let removed = 0;
    for (const [id, key] of uploads) if (await abortUpload(this.#target, key, id, signal)) removed += 1;
    return removed;
  }

  async removeStale(
    prefix: string,
    before: Date,
    isOurs: (key: string) => boolean,
    signal?: AbortSignal,
  ): Promise<number> {
    let removed = 0;
    for await (const { id, key, initiated } of openUploads(this.#target, prefix, signal)) {
      // What has no date may have been begun a moment ago.
      if (initiated === undefined || initiated >= before || !isOurs(key.slice(this.#config.prefix.length))) continue;
      if (await abortUpload(this.#target, key, id, signal)) removed += 1;
    }
    return removed;
  }

  async presign(key: string, seconds: number): Promise<string> {
    const address = this.#address(key);
    const head = await this.#requests
      .call((s3, options) => s3.headObject(address, options))
      .catch((error: unknown) => {
        throw isAbsent(error) ? notFound(this.name, key, error) : s3Error(error, this.#place, key);
      });
    const { StorageClass = standardClass, Restore } = head;
    if (isArchived(StorageClass, Restore)) throw archivedError(this.#place, key, StorageClass);
    return this.#mapped(this.#requests.presign(address, seconds), key);
  }

  classFor(tiers: readonly string[]): string | undefined {
    return classForTiers(this.#config.storageClasses, tiers);
  }

  async setClass(key: string, storageClass: string, signal?: AbortSignal): Promise<void> {
    const found = await this.#mapped(changeClass(this.#target, this.#checked(key), storageClass, signal), key);
    if (!found) throw notFound(this.name, key, undefined);
  }

  async probe(signal: AbortSignal = new AbortController().signal): Promise<void> {
    const key = `.probe-${randomBytes(6).toString("hex")}`;
    // Written as backups are, so that a class, a key or a lock that the server refuses shows here; locked briefly.
    const { storageClass } = this.#target;
    const attributes = this.#target.attributes({ lockMs: probeLockMs });
    const options = storageClass === undefined ? attributes : { ...attributes, StorageClass: storageClass };
    await this.#put(key, randomBytes(1024), signal, options);
    for await (const _ of this.list(key, signal)) break;
    await this.delete([key], signal);
  }

  async close(): Promise<void> {
    this.#requests.close();
  }

  #address(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#config.bucket, Key: `${this.#config.prefix}${this.#checked(key)}` };
  }

  /** A key has no empty, "." or ".." segments: with a prefix, some servers would resolve them. */
  #checked(key: string): string {
    if (
      !key.split("/").some((segment) => segment === "" || segment === "." || segment === ".." || segment.includes("\0"))
    )
      return key;
    throw new AppError("storage-refused", `storage ${this.name}: ${JSON.stringify(key)} is not a valid key`, {
      context: { storage: this.name },
      text: { key: "error-storage-key", args: { storage: this.name, object: key } },
    });
  }

  #mapped<T>(request: Promise<T>, key?: string): Promise<T> {
    return request.catch((error: unknown) => {
      throw s3Error(error, this.#place, key);
    });
  }
}

function cutOff({ storage, server }: S3Place): AppError {
  return new AppError(
    "storage-unreachable",
    `storage ${storage}: ${server} lists a part and does not say how to go on`,
    {
      permanent: false,
      text: { key: "error-s3-list", args: { storage, server } },
    },
  );
}

export const s3Storage: StorageKind<typeof s3Schema> = {
  kind: "s3",
  schema: s3Schema,
  describe: location,
  create: (name, config) => new S3Storage(name, config),
};
