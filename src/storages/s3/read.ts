import { Readable } from "node:stream";
import type { GetObjectCommandInput, GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { AppError } from "../../core/errors.ts";
import { unbroken } from "../../lib/clients/s3-body.ts";
import { readableFrom } from "../../lib/readable-from.ts";
import { notFound } from "../errors.ts";
import { isAbsent, s3Error } from "./errors.ts";
import type { S3Target } from "./target.ts";

/** Streams an object, over several connections where one breaks off. Rejects and fails with what it means for the storage. */
export async function readObject(target: S3Target, key: string, signal?: AbortSignal): Promise<Readable> {
  const over = new AbortController();
  const ended = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
  const { body, ContentLength: size, ETag } = await get(target, key, {}, signal);
  const again = async (from: number, cause: unknown): Promise<Readable> => {
    // Without a tag nobody could tell whether the rest belongs to what was read before.
    if (ETag === undefined) throw cause;
    const input = { IfMatch: ETag, Range: `bytes=${from}-` };
    const rest = await get(target, key, input, ended).catch((error: AppError) => {
      // Another one is there now, or the server has no such thing as a part of an object: it was the line that failed.
      throw error.code === "storage-refused" ? cause : error;
    });
    if (rest.ETag === ETag && rest.ContentRange?.startsWith(`bytes ${from}-`) === true) return rest.body;
    rest.body.destroy();
    throw cause;
  };
  const longer = (): Error => new Error(`${key} is longer than it was said to be`);
  const content = unbroken({ body, size, signal: ended, again, longer, broken: (cause) => cause as Error });
  return readableFrom(content, {
    release: () => {
      over.abort();
      body.destroy();
    },
    meaning: (error) => (ended.aborted ? ended.reason : s3Error(error, target.place, key)),
  });
}

interface Answer extends GetObjectCommandOutput {
  readonly body: Readable;
}

async function get(
  { requests, bucket, prefix, place }: S3Target,
  key: string,
  input: Pick<GetObjectCommandInput, "IfMatch" | "Range">,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const address = { Bucket: bucket, Key: `${prefix}${key}`, ...input };
  try {
    const answer = await requests.call((s3, options) => s3.getObject(address, options), { signal });
    if (answer.Body instanceof Readable) return { ...answer, body: answer.Body };
    throw new AppError("internal", `storage ${place.storage}: no stream for ${key}`);
  } catch (error) {
    if (isAbsent(error)) throw notFound(place.storage, key, error);
    throw s3Error(error, place, key);
  }
}
