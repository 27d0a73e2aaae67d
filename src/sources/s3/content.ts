import type { Readable } from "node:stream";
import { AppError } from "../../core/errors.ts";
import { unbroken } from "../../lib/clients/s3-body.ts";
import type { Answer, Attributes, Bucket, Missing, Version } from "./bucket.ts";
import { bucketError } from "./errors.ts";
import { shownKey } from "./keys.ts";

/** How often an object is begun anew that is replaced while it is read. */
export const mostReplacements = 5;

/** An object that is there, and the beginning of its content. */
export interface Opened {
  /** What is read, which need not be what was listed. */
  readonly version: Version;
  readonly attributes: Attributes;
  /** It is another version than was listed. */
  readonly changed: boolean;
  /** Fails with `Replaced`. */
  readonly body: AsyncIterable<Buffer>;
}

/** A small object, read whole. */
export type Whole = Omit<Opened, "body"> & { readonly body: readonly Buffer[] };

/** The rest of an object can not be had any more: there is another one in its place, or none. */
export class Replaced extends Error {}

/** The listed version of an object where it still is that, else the present one; undefined: it is gone. */
export async function openObject(bucket: Bucket, listed: Version, signal: AbortSignal): Promise<Opened | undefined> {
  const { key, etag, size } = listed;
  const asked = await bucket.get(key, { signal, match: etag });
  const answer = asked === "other" ? await bucket.get(key, { signal }) : asked;
  if (isMissing(answer)) return undefined;
  const { version, attributes, body } = answer;
  const changed = version.etag !== etag || version.size !== size;
  // The date of a list is more exact than that of a header, and the next run will see that one.
  const found = changed ? version : listed;
  return { version: found, attributes, changed, body: contentOf(bucket, found, body, signal) };
}

/** As `openObject`, with its content in memory. */
export async function readObject(bucket: Bucket, listed: Version, signal: AbortSignal): Promise<Whole | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    const opened = await openObject(bucket, listed, signal);
    if (opened === undefined) return undefined;
    try {
      const body: Buffer[] = [];
      for await (const chunk of opened.body) body.push(chunk);
      return { ...opened, changed: opened.changed || attempt > 1, body };
    } catch (error) {
      if (!(error instanceof Replaced)) throw error;
      if (attempt === mostReplacements) throw restless(listed.key);
    }
  }
}

/** It is replaced again and again. */
export function restless(key: string): AppError {
  const object = shownKey(key);
  return new AppError("source-failed", `${object} is replaced faster than it can be read: exclude it`, {
    permanent: false,
    context: { step: "read", key: object },
    text: { key: "error-source-s3-restless", args: { object } },
  });
}

/** All bytes of a version, also over several connections. */
function contentOf(
  bucket: Bucket,
  { key, etag, size }: Version,
  body: Readable,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  return unbroken({
    body,
    size,
    signal,
    again: async (from) => {
      // Without a tag nobody could tell whether the rest belongs to what was read before.
      const answer = etag === undefined ? "gone" : await bucket.get(key, { signal, match: etag, from });
      if (isMissing(answer)) throw new Replaced();
      return answer.body;
    },
    longer: () => longer(key),
    broken: (cause) => bucketError(cause, bucket.place, key),
  });
}

function isMissing(answer: Answer): answer is Missing {
  return typeof answer === "string";
}

function longer(key: string): AppError {
  const object = shownKey(key);
  return new AppError("source-failed", `${object} gives more bytes than its length says`, {
    context: { step: "read", key: object },
    text: { key: "error-source-s3-longer", args: { object } },
  });
}
