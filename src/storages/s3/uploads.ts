import { isAbsent, s3Error, statusOf } from "./errors.ts";
import type { S3Target } from "./target.ts";

/** A multipart upload that was neither completed nor aborted. */
export interface OpenUpload {
  readonly id: string;
  /** Full key, with the prefix. */
  readonly key: string;
  readonly initiated: Date | undefined;
}

/** Open uploads of keys (without prefix) that begin so, a page of them in memory at a time. */
export async function* openUploads(
  target: S3Target,
  begin: string,
  signal?: AbortSignal,
): AsyncGenerator<OpenUpload, void, undefined> {
  let marker: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {};
  for (;;) {
    const input = { Bucket: target.bucket, Prefix: `${target.prefix}${begin}`, ...marker };
    const page = await target.requests
      .call((s3, options) => s3.listMultipartUploads(input, options), { signal })
      .catch((error: unknown) => {
        // Not every store lists them, and not every key may: the recorded ones are known all the same.
        if ([403, 405, 501].includes(statusOf(error) ?? 0)) return undefined;
        throw s3Error(error, target.place);
      });
    for (const { Key, UploadId, Initiated } of page?.Uploads ?? []) {
      if (Key?.startsWith(input.Prefix) && UploadId !== undefined)
        yield { id: UploadId, key: Key, initiated: Initiated };
    }
    if (page?.IsTruncated !== true) return;
    marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  }
}

/** All of `openUploads`: id and full key. */
export async function listUploads(target: S3Target, begin: string, signal?: AbortSignal): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { id, key } of openUploads(target, begin, signal)) found.set(id, key);
  return found;
}

/** Aborts an upload; one that is gone already is fine. */
export async function abortUpload(
  target: S3Target,
  key: string,
  uploadId: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const input = { Bucket: target.bucket, Key: key, UploadId: uploadId };
  try {
    await target.requests.call((s3, options) => s3.abortMultipartUpload(input, options), { signal });
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw s3Error(error, target.place);
  }
}
