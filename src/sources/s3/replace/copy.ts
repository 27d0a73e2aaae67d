import { AppError } from "../../../core/errors.ts";
import type { Bucket } from "../bucket.ts";
import { isGone, writeError } from "../errors.ts";
import { shownKey } from "../keys.ts";
import type { Entry } from "./versions.ts";

const gibibyte = 1024 ** 3;
/** The most that S3 copies at once, and the parts in which more is copied; bytes. */
const copyLimits = { whole: 5 * gibibyte, part: 512 * 1024 ** 2 } as const;
const mostParts = 9000;
const abortMs = 60_000;

export interface CopyLimits {
  readonly whole: number;
  readonly part: number;
}

type Copied = Pick<Entry, "key" | "id" | "size" | "storageClass">;

/** Makes an older version of an object the present one, on the server: with its headers, metadata and tags. */
export async function copyVersion(
  bucket: Bucket,
  version: Copied,
  signal: AbortSignal,
  limits: CopyLimits = copyLimits,
): Promise<void> {
  const { key, size, id, storageClass } = version;
  const source = `${bucket.name}/${encodeURIComponent(key).replaceAll("%2F", "/")}?versionId=${encodeURIComponent(id)}`;
  const address = { Bucket: bucket.name, Key: key };
  const input = { ...address, CopySource: source, ...storage(storageClass) };
  try {
    if (size > limits.whole) await copyInParts(bucket, version, input, signal, limits);
    else await bucket.requests.call((s3, options) => s3.copyObject(input, options), { signal, patient: true });
  } catch (error) {
    signal.throwIfAborted();
    if (isGone(error)) throw gone(key);
    throw writeError(error, bucket.place);
  }
}

async function copyInParts(
  bucket: Bucket,
  { key, size, id }: Copied,
  { CopySource, ...target }: { readonly Bucket: string; readonly Key: string; readonly CopySource: string },
  signal: AbortSignal,
  limits: CopyLimits,
): Promise<void> {
  const { requests } = bucket;
  const address = { Bucket: bucket.name, Key: key };
  const head = await requests.call((s3, options) => s3.headObject({ ...address, VersionId: id }, options), { signal });
  const { ContentType, ContentEncoding, ContentDisposition, ContentLanguage, CacheControl, Metadata } = head;
  const headers = { ContentType, ContentEncoding, ContentDisposition, ContentLanguage, CacheControl, Metadata };
  const expires = new Date(head.ExpiresString ?? "");
  const Expires = Number.isNaN(expires.getTime()) ? undefined : expires;
  const tagging = await tagsOf(bucket, { ...address, VersionId: id }, signal);
  const { UploadId } = await requests.call(
    (s3, options) => s3.createMultipartUpload({ ...target, ...headers, Expires, ...tagging }, options),
    { signal },
  );
  try {
    const part = Math.max(limits.part, Math.ceil(size / mostParts));
    const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
    for (let from = 0; from < size; from += part) {
      const PartNumber = Parts.length + 1;
      const CopySourceRange = `bytes=${from}-${Math.min(from + part, size) - 1}`;
      const input = { ...address, UploadId, PartNumber, CopySource, CopySourceRange };
      const { CopyPartResult } = await requests.call((s3, options) => s3.uploadPartCopy(input, options), {
        signal,
        patient: true,
      });
      Parts.push({ PartNumber, ETag: CopyPartResult?.ETag });
    }
    const input = { ...address, UploadId, MultipartUpload: { Parts } };
    await requests.call((s3, options) => s3.completeMultipartUpload(input, options), { signal, patient: true });
  } catch (error) {
    await requests
      .call((s3, options) => s3.abortMultipartUpload({ ...address, UploadId }, options), {
        signal: AbortSignal.timeout(abortMs),
      })
      .catch(() => undefined);
    throw error;
  }
}

/** As a copy at once would take them over; nothing where the key may not see them. */
async function tagsOf(
  { requests }: Bucket,
  address: { readonly Bucket: string; readonly Key: string; readonly VersionId: string },
  signal: AbortSignal,
): Promise<{ readonly Tagging?: string }> {
  try {
    const { TagSet = [] } = await requests.call((s3, options) => s3.getObjectTagging(address, options), { signal });
    const tags = new URLSearchParams(TagSet.map(({ Key = "", Value = "" }): [string, string] => [Key, Value]));
    return tags.size === 0 ? {} : { Tagging: tags.toString() };
  } catch {
    signal.throwIfAborted();
    return {};
  }
}

function storage(storageClass: string | undefined) {
  return storageClass === undefined || storageClass === "STANDARD"
    ? {}
    : { StorageClass: storageClass as "STANDARD_IA" };
}

function gone(key: string): AppError {
  const object = shownKey(key);
  return new AppError("source-failed", `the former version of ${object} is not there any more`, {
    context: { step: "undo", key: object },
    text: { key: "error-replace-s3-gone", args: { object } },
  });
}
