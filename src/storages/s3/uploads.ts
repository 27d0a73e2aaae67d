import type { S3Requests } from "../../lib/clients/s3.ts";
import { isAbsent, type S3Place, s3Error, statusOf } from "./errors.ts";

/** The bucket that a writer writes to. */
export interface S3Target {
  readonly requests: S3Requests;
  readonly place: S3Place;
  readonly bucket: string;
  /** Put before every key. */
  readonly prefix: string;
}

/** Uploads that were neither completed nor aborted, of keys (without prefix) that begin so: id and full key. */
export async function listUploads(target: S3Target, begin: string, signal?: AbortSignal): Promise<Map<string, string>> {
  const found = new Map<string, string>();
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
    for (const { Key, UploadId } of page?.Uploads ?? []) {
      if (Key?.startsWith(input.Prefix) && UploadId !== undefined) found.set(UploadId, Key);
    }
    if (page?.IsTruncated !== true) return found;
    marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  }
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
