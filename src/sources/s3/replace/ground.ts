import { randomUUID } from "node:crypto";
import { AppError } from "../../../core/errors.ts";
import type { ReplacementIdentity } from "../../../core/replacement.ts";
import type { Text } from "../../../core/text.ts";
import { isTransient } from "../../../lib/resilience.ts";
import type { Bucket } from "../bucket.ts";
import { bucketError, statusOf } from "../errors.ts";
import { marksBelow, shownKey } from "../keys.ts";
import type { S3SourceConfig } from "../schema.ts";
import { identityOf } from "./target.ts";

/** What a bucket says of its versions. `unknown`: the key may not ask. */
export type Versioning = "enabled" | "suspended" | "never" | "unknown";

/** Rejects where the server cannot be reached or the bucket is not there. */
export async function versioningOf(bucket: Bucket, signal: AbortSignal): Promise<Versioning> {
  try {
    const { Status } = await bucket.requests.call((s3, o) => s3.getBucketVersioning({ Bucket: bucket.name }, o), {
      signal,
    });
    return Status === "Enabled" ? "enabled" : Status === "Suspended" ? "suspended" : "never";
  } catch (error) {
    signal.throwIfAborted();
    const status = statusOf(error);
    const name = error instanceof Error ? error.name : "";
    if (status === 403) return "unknown";
    // A server that knows no versions at all says so in several ways.
    if (status === 501 || status === 405 || name === "NotImplemented" || name === "MethodNotAllowed") return "never";
    throw bucketError(error, bucket.place);
  }
}

/** Fails unless what is written over can be had again. */
export async function requireVersions(bucket: Bucket, signal: AbortSignal): Promise<void> {
  if ((await versioningOf(bucket, signal)) === "enabled") return;
  const { name, place } = bucket;
  const { server } = place;
  throw new AppError("conflict", `bucket ${name} keeps no versions (any more): what is written over would be lost`, {
    context: { step: "preflight", bucket: name },
    text: { key: "error-replace-s3-versions", args: { bucket: name, server } },
  });
}

/** Fails when the configuration names another bucket than was approved. */
export function requireIdentity(config: S3SourceConfig, approved: ReplacementIdentity, prefix?: string): void {
  const { system, database } = identityOf(config, prefix);
  if (system === approved.system && database === approved.database) return;
  throw new AppError("conflict", `${database} at ${system} is not what was to be restored (${approved.database})`, {
    context: { step: "preflight", database },
    text: { key: "error-replace-s3-changed", args: { place: database } },
  });
}

/** What the key of the source may not do of what a restore needs. Writes no object: an upload is begun and given up. */
export async function rightsMissing(
  bucket: Bucket,
  prefix: string,
  { versions, signal }: { readonly versions: boolean; readonly signal: AbortSignal },
): Promise<Text[]> {
  const missing: Text[] = [];
  const address = { Bucket: bucket.name, Key: `${marksBelow(prefix)}${randomUUID().replaceAll("-", "")}-probe` };
  const unless = async (key: string, request: () => Promise<void>): Promise<void> => {
    try {
      await request();
    } catch (error) {
      signal.throwIfAborted();
      if (isTransient(error)) throw bucketError(error, bucket.place);
      const reason = `${statusOf(error) ?? ""} ${(error as Error).name}`.trim();
      missing.push({ key, args: { ...bucket.place, reason } });
    }
  };
  await unless("replace-obstacle-s3-write", async () => {
    const { UploadId } = await bucket.requests.call((s3, o) => s3.createMultipartUpload(address, o), { signal });
    await bucket.requests.call((s3, o) => s3.abortMultipartUpload({ ...address, UploadId }, o), { signal });
  });
  if (versions)
    await unless("replace-obstacle-s3-list-versions", async () => {
      const input = { Bucket: bucket.name, Prefix: prefix, MaxKeys: 1 };
      await bucket.requests.call((s3, o) => s3.listObjectVersions(input, o), { signal });
    });
  return missing;
}

/** What the bucket itself does with versions, as far as the key may see it. */
export async function rulesOf(bucket: Bucket, signal: AbortSignal): Promise<Text[]> {
  const remarks: Text[] = [];
  const input = { Bucket: bucket.name };
  const ask = async <T>(request: Parameters<typeof bucket.requests.call<T>>[0]): Promise<T | undefined> => {
    try {
      return await bucket.requests.call(request, { signal });
    } catch {
      // There are none, or the key may not see them: nothing depends on it.
      signal.throwIfAborted();
      return undefined;
    }
  };
  const lifecycle = await ask((s3, options) => s3.getBucketLifecycleConfiguration(input, options));
  const days = (lifecycle?.Rules ?? [])
    .filter(({ Status }) => Status === "Enabled")
    .map(({ NoncurrentVersionExpiration: rule }) => rule?.NoncurrentDays)
    .filter((number) => number !== undefined);
  if (days.length > 0) remarks.push({ key: "replace-remark-s3-lifecycle", args: { days: Math.min(...days) } });
  const lock = await ask((s3, options) => s3.getObjectLockConfiguration(input, options));
  if (lock?.ObjectLockConfiguration?.Rule !== undefined) remarks.push({ key: "replace-remark-s3-lock" });
  return remarks;
}

/** Another restore is at work in the same bucket. `mark`: what it has put there. */
export function busyText(mark: string): Text {
  return { key: "replace-obstacle-s3-busy", args: { object: shownKey(mark) } };
}

export function busy(mark: string): AppError {
  return new AppError("busy", `another restore is at work in this bucket, or was killed at it: ${shownKey(mark)}`, {
    permanent: false,
    context: { step: "preflight" },
    text: busyText(mark),
  });
}
