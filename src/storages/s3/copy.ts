import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { AppError } from "../../core/errors.ts";
import { isArchived } from "./classes.ts";
import { archivedError, isAbsent } from "./errors.ts";
import { partsAtOnce, sizeOfCopiedPart } from "./parts.ts";
import type { ObjectAttributes, S3Target } from "./target.ts";
import { abortUpload } from "./uploads.ts";

/** S3 copies an object of up to so many bytes with one request. */
const largestCopy = 5 * 1024 ** 3;
const abortMs = 60_000;

/** What a copy would lose unless it is told: the server's encryption and the lock. */
function kept(head: HeadObjectCommandOutput): ObjectAttributes & { BucketKeyEnabled?: boolean } {
  const { ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled, ObjectLockMode, ObjectLockRetainUntilDate } = head;
  const locked = ObjectLockRetainUntilDate !== undefined && ObjectLockRetainUntilDate.getTime() > Date.now();
  return {
    ...(ServerSideEncryption === undefined ? {} : { ServerSideEncryption }),
    ...(SSEKMSKeyId === undefined ? {} : { SSEKMSKeyId }),
    ...(BucketKeyEnabled === undefined ? {} : { BucketKeyEnabled }),
    ...(ObjectLockMode !== undefined && locked ? { ObjectLockMode, ObjectLockRetainUntilDate } : {}),
  };
}

/**
 * Moves an object into another storage class: copied onto itself by the server, with its metadata, encryption and
 * lock. Resolves to false when there is no such object. Rejects with the SDK's errors, and with `AppError`s
 * `storage-refused` for an archived object and `storage-mismatch` when the result is not what was asked for.
 */
export async function changeClass(
  target: S3Target,
  key: string,
  storageClass: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const address = { Bucket: target.bucket, Key: `${target.prefix}${key}` };
  const look = () => target.requests.call((s3, options) => s3.headObject(address, options), { signal });
  const before = await look().catch((error: unknown) => {
    if (isAbsent(error)) return undefined;
    throw error;
  });
  if (before === undefined) return false;
  const { StorageClass: from = "STANDARD", ContentLength: bytes = 0 } = before;
  if (from === storageClass) return true;
  if (isArchived(from, before.Restore)) throw archivedError(target.place, key, from);
  const attributes = { ...kept(before), StorageClass: storageClass as NonNullable<ObjectAttributes["StorageClass"]> };
  const source = {
    CopySource: `${target.bucket}/${address.Key.split("/").map(encodeURIComponent).join("/")}`,
    // Nothing but what was looked at: somebody may just be replacing it.
    ...(before.ETag === undefined ? {} : { CopySourceIfMatch: before.ETag }),
  };
  if (bytes <= largestCopy) {
    await target.requests.call((s3, options) => s3.copyObject({ ...address, ...source, ...attributes }, options), {
      signal,
      patient: true,
    });
  } else {
    await copyInParts(target, address, source, { ...metadataOf(before), ...attributes }, bytes, signal);
  }
  const after = await look();
  if (after.ContentLength === bytes && (after.StorageClass ?? "STANDARD") === storageClass) return true;
  const { storage } = target.place;
  throw new AppError(
    "storage-mismatch",
    `storage ${storage}: ${key} has ${after.ContentLength} bytes in class ${after.StorageClass ?? "STANDARD"} after its move into ${storageClass}`,
    { context: { storage, key }, text: { key: "error-storage-class", args: { storage, object: key, storageClass } } },
  );
}

/** A copy in parts takes none of these over by itself. */
function metadataOf({
  Metadata = {},
  ContentType,
  ContentEncoding,
  CacheControl,
}: HeadObjectCommandOutput): Pick<HeadObjectCommandOutput, "Metadata" | "ContentType" | "CacheControl"> {
  return { Metadata, ...definedOf({ ContentType, ContentEncoding, CacheControl }) };
}

function definedOf<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}

type Address = { readonly Bucket: string; readonly Key: string };

async function copyInParts(
  target: S3Target,
  address: Address,
  source: { readonly CopySource: string; readonly CopySourceIfMatch?: string },
  attributes: object,
  bytes: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { requests, maxParts, concurrency } = target;
  const size = sizeOfCopiedPart(bytes, maxParts);
  const { UploadId } = await requests.call((s3, options) =>
    s3.createMultipartUpload({ ...address, ...attributes }, options),
  );
  if (UploadId === undefined) throw new Error("the server gave no upload id");
  const copyPart = async (number: number): Promise<{ PartNumber: number; ETag: string | undefined }> => {
    const first = (number - 1) * size;
    const CopySourceRange = `bytes=${first}-${Math.min(first + size, bytes) - 1}`;
    const input = { ...address, ...source, UploadId, PartNumber: number, CopySourceRange };
    const { CopyPartResult } = await requests.call((s3, options) => s3.uploadPartCopy(input, options), {
      signal,
      patient: true,
    });
    return { PartNumber: number, ETag: CopyPartResult?.ETag };
  };
  try {
    const numbers = Array.from({ length: Math.ceil(bytes / size) }, (_, index) => index + 1);
    const atOnce = partsAtOnce(0, concurrency ?? 2);
    const Parts: Awaited<ReturnType<typeof copyPart>>[] = [];
    for (let done = 0; done < numbers.length; done += atOnce) {
      const results = await Promise.allSettled(numbers.slice(done, done + atOnce).map(copyPart));
      for (const result of results) {
        if (result.status === "rejected") throw result.reason;
        Parts.push(result.value);
      }
    }
    const input = { ...address, UploadId, MultipartUpload: { Parts } };
    await requests
      .call((s3, options) => s3.completeMultipartUpload(input, options), { signal, patient: true })
      .catch((error: unknown) => {
        // The answer to an earlier attempt may have been lost: the caller looks at what is there.
        if (!isAbsent(error)) throw error;
      });
  } catch (error) {
    // Its own error would hide what happened; what is left is removed with everything that is begun and never ended.
    await abortUpload(target, address.Key, UploadId, AbortSignal.timeout(abortMs)).catch(() => undefined);
    throw error;
  }
}
