import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { AppError } from "../../core/errors.ts";
import type { OpenObject } from "../../core/ports.ts";
import { createS3Requests, type S3Requests } from "../../lib/clients/s3.ts";
import { registerSecret } from "../../lib/redaction.ts";
import type { CreateOptions, ObjectWriter, Storage, StorageKind, StoredObject } from "../types.ts";
import { isAbsent, type S3Place, s3Error } from "./errors.ts";
import { choosePartSize } from "./parts.ts";
import { type S3Config, s3Schema } from "./schema.ts";
import { abortUpload, listUploads, type S3Target } from "./uploads.ts";
import { putObject, S3Writer } from "./writer.ts";

function location({ bucket, prefix }: S3Config): string {
  return `s3://${bucket}/${prefix}`.replace(/\/$/, "");
}

/** Backups in a bucket. */
class S3Storage implements Storage {
  readonly kind = "s3";
  readonly local = false;
  readonly name: string;
  readonly location: string;
  readonly #config: S3Config;
  readonly #requests: S3Requests;
  readonly #place: S3Place;
  readonly #target: S3Target;

  constructor(name: string, config: S3Config) {
    this.name = name;
    this.location = location(config);
    this.#config = config;
    this.#requests = createS3Requests(config);
    registerSecret(config.secretAccessKey);
    const server = config.endpoint === undefined ? `AWS S3 in ${config.region}` : new URL(config.endpoint).host;
    this.#place = { storage: name, bucket: config.bucket, server };
    this.#target = { requests: this.#requests, place: this.#place, bucket: config.bucket, prefix: config.prefix };
  }

  async create(key: string, options: CreateOptions): Promise<ObjectWriter> {
    return new S3Writer(
      this.#target,
      this.#checked(key),
      choosePartSize(options.expectedBytes, this.#config.partSize),
      options,
    );
  }

  async put(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#mapped(putObject(this.#target, this.#checked(key), bytes, signal));
    const stored = await buffer(await this.read(key, signal)).catch((error: unknown) => {
      throw s3Error(error, this.#place);
    });
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
      const { ContentLength = 0 } = await this.#requests.call(
        (s3, options) => s3.headObject(this.#address(key), options),
        { signal },
      );
      return { key, bytes: ContentLength };
    } catch (error) {
      // Without the right to list, a store answers 403 for what is not there: that is not "absent".
      if (isAbsent(error)) return undefined;
      throw s3Error(error, this.#place);
    }
  }

  async read(key: string, signal?: AbortSignal): Promise<Readable> {
    try {
      const { Body } = await this.#requests.call((s3, options) => s3.getObject(this.#address(key), options), {
        signal,
      });
      if (Body instanceof Readable) return Body;
      throw new AppError("internal", `storage ${this.name}: no stream for ${key}`);
    } catch (error) {
      if (isAbsent(error)) throw notFound(this.name, key, error);
      throw s3Error(error, this.#place);
    }
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
      for (const { Key, Size = 0 } of page.Contents ?? []) {
        if (Key !== undefined) yield { key: Key.slice(this.#config.prefix.length), bytes: Size };
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async delete(keys: readonly string[], signal?: AbortSignal): Promise<void> {
    // One by one: not every store has DeleteObjects, and some refuse the checksum that the SDK sends with it.
    for (const key of keys) {
      await this.#mapped(
        this.#requests.call((s3, options) => s3.deleteObject(this.#address(key), options), { signal }),
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

  async probe(signal: AbortSignal = new AbortController().signal): Promise<void> {
    const key = `.probe-${randomBytes(6).toString("hex")}`;
    await this.put(key, randomBytes(1024), signal);
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

  #mapped<T>(request: Promise<T>): Promise<T> {
    return request.catch((error: unknown) => {
      throw s3Error(error, this.#place);
    });
  }
}

function notFound(storage: string, key: string, cause: unknown): AppError {
  return new AppError("not-found", `storage ${storage} has no ${key}`, {
    context: { storage, key },
    text: { key: "error-storage-no-object", args: { storage, object: key } },
    cause,
  });
}

export const s3Storage: StorageKind<typeof s3Schema> = {
  kind: "s3",
  schema: s3Schema,
  describe: location,
  create: (name, config) => new S3Storage(name, config),
};
