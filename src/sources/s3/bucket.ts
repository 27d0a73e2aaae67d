import { Readable } from "node:stream";
import type {
  GetObjectCommandOutput,
  HeadObjectCommandOutput,
  _Object as ListedObject,
  ListObjectsV2CommandOutput,
} from "@aws-sdk/client-s3";
import { AppError } from "../../core/errors.ts";
import { createS3Requests, type S3Requests } from "../../lib/clients/s3.ts";
import { registerSecret } from "../../lib/redaction.ts";
import { bucketError, isGone, isOther, type Place, writeError } from "./errors.ts";
import { compareKeys, decodeKey } from "./keys.ts";

/** How to reach a bucket. */
export interface BucketConfig {
  readonly endpoint?: string | undefined;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  readonly sessionToken?: string | undefined;
  readonly forcePathStyle: boolean;
  readonly concurrency: number;
}

/** An object as it is at one moment. */
export interface Version {
  readonly key: string;
  /** Without its quotes; undefined where the server gives none. */
  readonly etag: string | undefined;
  /** Bytes. */
  readonly size: number;
  readonly modified: Date;
}

/** What an object has besides its content. */
export interface Attributes {
  readonly type?: string | undefined;
  readonly encoding?: string | undefined;
  readonly disposition?: string | undefined;
  readonly language?: string | undefined;
  readonly cache?: string | undefined;
  readonly expires?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

export interface GetOptions {
  readonly signal: AbortSignal;
  /** Only when it still is this version. */
  readonly match?: string | undefined;
  /** First byte. */
  readonly from?: number;
}

/** The answer to a request for an object: `gone` and `other` (than asked for) instead of an error. */
export type Answer = { readonly version: Version; readonly attributes: Attributes; readonly body: Readable } | Missing;
export type Missing = "gone" | "other";

/** Requests to one bucket. Rejects with what `bucketError` makes of an error. */
export class Bucket {
  readonly place: Place;
  readonly requests: S3Requests;
  readonly name: string;

  constructor(config: BucketConfig) {
    for (const secret of [config.secretAccessKey, config.sessionToken])
      if (secret !== undefined) registerSecret(secret);
    this.name = config.bucket;
    this.place = {
      bucket: config.bucket,
      server: config.endpoint === undefined ? `AWS S3 in ${config.region}` : new URL(config.endpoint).host,
    };
    // Two connections more than objects on their way: the listing need not wait for them.
    this.requests = createS3Requests({ ...config, maxSockets: config.concurrency + 2 });
  }

  /**
   * All objects below a prefix, one page in memory at a time. Rejects with `source-failed` when the server does not
   * list in the order of keys.
   */
  async *list(prefix: string, signal: AbortSignal, pageSize?: number): AsyncGenerator<Version> {
    let token: string | undefined;
    let last: string | undefined;
    do {
      const page = await this.#page(prefix, token, pageSize, signal);
      for (const object of page.Contents ?? []) {
        const version = this.#listed(object, page.EncodingType === "url");
        const order = last === undefined ? 1 : compareKeys(version.key, last);
        if (order < 0) throw this.odd("a list that is not in the order of keys");
        last = version.key;
        // Not twice what was written while it was listed, at the border of two pages.
        if (order > 0) yield version;
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      if (page.IsTruncated === true && token === undefined)
        throw this.odd("a list that is cut, without saying how it goes on");
    } while (token !== undefined);
  }

  /** An object, or what has become of it. Its body may break off: it is to be counted. */
  async get(key: string, { signal, match, from = 0 }: GetOptions): Promise<Answer> {
    const input = {
      Bucket: this.name,
      Key: key,
      ...(match === undefined ? {} : { IfMatch: `"${match}"` }),
      ...(from === 0 ? {} : { Range: `bytes=${from}-` }),
    };
    const answer = await this.#unlessMissing(key, signal, (s3, options) => s3.getObject(input, options));
    if (typeof answer === "string") return answer;
    const { Body, ContentLength } = answer;
    if (!(Body instanceof Readable)) throw this.odd("an object without its content");
    if (ContentLength === undefined) {
      Body.destroy();
      throw this.odd("an object without its length");
    }
    const whole = answer.ContentRange === undefined ? ContentLength : Number(answer.ContentRange.split("/")[1]);
    const begins = answer.ContentRange === undefined ? 0 : Number(/^bytes (\d+)-/.exec(answer.ContentRange)?.[1]);
    if (begins !== from || !Number.isSafeInteger(whole)) {
      Body.destroy();
      throw this.odd("another part of an object than it was asked for");
    }
    const version = { key, etag: unquoted(answer.ETag), size: whole, modified: answer.LastModified ?? new Date(0) };
    if (match !== undefined && version.etag !== match) {
      Body.destroy();
      return "other";
    }
    return { version, attributes: attributesOf(answer), body: Body };
  }

  /** What an object has besides its content, while it still is this version. */
  async attributes(key: string, match: string | undefined, signal: AbortSignal): Promise<Attributes | Missing> {
    const input = { Bucket: this.name, Key: key, ...(match === undefined ? {} : { IfMatch: `"${match}"` }) };
    const answer = await this.#unlessMissing(key, signal, (s3, options) => s3.headObject(input, options));
    return typeof answer === "string" ? answer : attributesOf(answer);
  }

  /** Any other request. `key`: the object that it is about. */
  async call<T>(request: Parameters<typeof this.requests.call<T>>[0], signal: AbortSignal, key?: string): Promise<T> {
    try {
      return await this.requests.call(request, { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw bucketError(error, this.place, key);
    }
  }

  /** As `call`, for a request that changes something: what is refused is told so. */
  async write<T>(request: Parameters<typeof this.requests.call<T>>[0], signal: AbortSignal): Promise<T> {
    try {
      return await this.requests.call(request, { signal, patient: true });
    } catch (error) {
      signal.throwIfAborted();
      throw writeError(error, this.place);
    }
  }

  async #unlessMissing<T>(
    key: string,
    signal: AbortSignal,
    request: Parameters<typeof this.requests.call<T>>[0],
  ): Promise<T | Missing> {
    try {
      return await this.requests.call(request, { signal });
    } catch (error) {
      signal.throwIfAborted();
      if (isGone(error)) return "gone";
      if (isOther(error)) return "other";
      throw bucketError(error, this.place, key);
    }
  }

  #page(
    prefix: string,
    token: string | undefined,
    pageSize: number | undefined,
    signal: AbortSignal,
  ): Promise<ListObjectsV2CommandOutput> {
    const input = {
      Bucket: this.name,
      Prefix: prefix,
      ContinuationToken: token,
      // Without it XML has no way to say some of the characters that keys may have.
      EncodingType: "url" as const,
      ...(pageSize === undefined ? {} : { MaxKeys: pageSize }),
    };
    return this.call((s3, options) => s3.listObjectsV2(input, options), signal);
  }

  #listed({ Key, Size, ETag, LastModified }: ListedObject, isEncoded: boolean): Version {
    if (Key === undefined || Size === undefined) throw this.odd("a list with an object that has no key or size");
    const key = isEncoded ? this.decoded(Key) : Key;
    return { key, size: Size, etag: unquoted(ETag), modified: LastModified ?? new Date(0) };
  }

  /** A key of a listing in `encoding-type=url`. */
  decoded(text: string): string {
    try {
      return decodeKey(text);
    } catch (error) {
      throw this.odd("a key that is no UTF-8", error);
    }
  }

  /** The server does what none may do. `what`: "gives <what>". */
  odd(what: string, cause?: unknown): AppError {
    const { server } = this.place;
    return new AppError("source-failed", `${server} gives ${what}`, {
      context: { ...this.place },
      text: { key: "error-source-s3-odd", args: { server, what } },
      cause,
    });
  }
}

/** An ETag without its quotes. */
export function unquoted(etag: string | undefined): string | undefined {
  return etag?.replace(/^"(.*)"$/, "$1");
}

function attributesOf(answer: GetObjectCommandOutput | HeadObjectCommandOutput): Attributes {
  const { Metadata = {} } = answer;
  return defined({
    type: answer.ContentType,
    encoding: answer.ContentEncoding,
    disposition: answer.ContentDisposition,
    language: answer.ContentLanguage,
    cache: answer.CacheControl,
    expires: answer.ExpiresString,
    metadata: Object.keys(Metadata).length === 0 ? undefined : Metadata,
  });
}

function defined(values: Attributes): Attributes {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
