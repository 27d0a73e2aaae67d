import { AppError, type ErrorCode } from "../../core/errors.ts";
import { isTransient, networkCode } from "../../lib/resilience.ts";

/** Where an error happened; for its text. */
export interface S3Place {
  readonly storage: string;
  readonly bucket: string;
  /** Host of the server, for a person. */
  readonly server: string;
}

interface Meaning {
  readonly code: ErrorCode;
  readonly line: string;
  /** `error-s3-<key>` in `messages/`. */
  readonly key: Key;
  readonly permanent: boolean;
  /** The server's or the network's own word for it; default the error's name. */
  readonly reason?: string | undefined;
}

type Key =
  | "network"
  | "timeout"
  | "no-bucket"
  | "full"
  | "lost"
  | "clock"
  | "region"
  | "access"
  | "answer"
  | "archived"
  | "class"
  | "kms"
  | "locked"
  | "no-lock"
  | "keys";

const full = new Set([
  "QuotaExceeded",
  "XMinioStorageFull",
  "StorageFull",
  "InsufficientCapacity",
  "ServiceQuotaExceeded",
]);
const mismatch = new Set([
  "BadDigest",
  "InvalidDigest",
  "XAmzContentSHA256Mismatch",
  "InvalidPart",
  "InvalidPartOrder",
  "NoSuchUpload",
  "EntityTooSmall",
]);
const noKeys = new Set(["CredentialsProviderError", "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"]);
/** What servers say when a bucket was made without object lock. */
const withoutLock = new Set(["InvalidBucketObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"]);

/**
 * What an error of a request means for the storage. `AppError`s are returned as they are. `object` is the key that it
 * was about.
 */
export function s3Error(error: unknown, place: S3Place, object?: string): AppError {
  if (error instanceof AppError) return error;
  const cause = error instanceof Error ? error : new Error(String(error));
  const status = statusOf(cause);
  const { code, line, key, permanent, reason = cause.name } = meaning(cause, status, place, object);
  return new AppError(code, `storage ${place.storage}: ${line}`, {
    permanent,
    text: { key: `error-s3-${key}`, args: { ...place, reason, object: object ?? "*" } },
    context: { storage: place.storage, bucket: place.bucket, s3: cause.name, status, key: object },
    cause,
  });
}

export function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

/** True when the object, the upload or the bucket is not there. */
export function isAbsent(error: unknown): boolean {
  return statusOf(error) === 404;
}

/** An object that lies in an archive class: it can not be read before somebody has it restored. */
export function archivedError(place: S3Place, object: string, storageClass: string): AppError {
  const cause = Object.assign(new Error(storageClass), { name: "InvalidObjectState", StorageClass: storageClass });
  return s3Error(cause, place, object);
}

function meaning(cause: Error, status: number | undefined, place: S3Place, object?: string): Meaning {
  const { bucket, server } = place;
  const { name } = cause;
  const special = ofFeature(cause, place, object);
  if (special !== undefined) return special;
  const network = networkCode(cause);
  if (network !== undefined) return unreachable(`${server} can not be reached (${network})`, "network", network);
  if (name === "TimeoutError") return unreachable(`${server} does not answer (timeout)`, "timeout");
  if (name === "NoSuchBucket") return refused(`bucket ${bucket} does not exist on ${server}: create it`, "no-bucket");
  if (full.has(name) || status === 507)
    return { code: "storage-full", line: `bucket ${bucket} is full (${name})`, key: "full", permanent: false };
  if (mismatch.has(name)) {
    const line = `${server} did not keep what was sent (${name})`;
    return { code: "storage-mismatch", line, key: "lost", permanent: false };
  }
  if (name === "RequestTimeTooSkewed") return refused(`the clock of this machine is wrong (${name})`, "clock");
  if (status === 301 || name === "AuthorizationHeaderMalformed")
    return refused(`bucket ${bucket} is in another region (${name})`, "region");
  const answer = `${status ?? ""} ${name}`.trim();
  if (status === 401 || status === 403) {
    return refused(
      `${server} refuses access to bucket ${bucket} (${answer}): check key, secret and policy`,
      "access",
      answer,
    );
  }
  if (isTransient(cause)) return unreachable(`${server} answers ${answer}`, "answer", answer);
  const said = cause.message.split("\n", 1)[0] ?? "";
  if (status === undefined) return unreachable(`${server}: ${said}`, "answer", said);
  return refused(`${server} answers ${answer}: ${said}`, "answer", `${answer}: ${said}`);
}

/** Storage classes, locks, keys: what a setting asked for and the server does not do. */
function ofFeature(cause: Error, { bucket, server }: S3Place, object = "an object"): Meaning | undefined {
  const { name, message } = cause;
  if (name === "InvalidObjectState") {
    const { StorageClass = "archive" } = cause as { StorageClass?: string };
    const line = `${object} is archived in bucket ${bucket} (${StorageClass}): have it restored first (aws s3api restore-object), it can be read hours later`;
    return refused(line, "archived", StorageClass);
  }
  if (name === "InvalidStorageClass")
    return refused(`${server} does not have this storage class: change storageClass or storageClasses`, "class");
  if (name.startsWith("KMS.") || name === "KMSNotConfigured" || /\bkms\b/i.test(message)) {
    const said = name === "AccessDenied" ? `${name}: kms` : name;
    return refused(`${server} can not use the KMS key (${said}): check kmsKeyId and the rights to it`, "kms", said);
  }
  if (withoutLock.has(name) || /missing object\s?lock\s?config/i.test(message))
    return refused(
      `bucket ${bucket} was made without object lock: make one with it, or leave objectLock out`,
      "no-lock",
    );
  if (/\b(?:object lock|objectlock|WORM)\b/i.test(message) || name === "ObjectLocked")
    return refused(`${object} is locked in bucket ${bucket}: it can be removed when its lock has ended`, "locked");
  if (noKeys.has(name))
    return refused(
      `no valid keys for ${server} (${name}): set accessKeyId and secretAccessKey, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`,
      "keys",
    );
  return undefined;
}

function unreachable(line: string, key: Meaning["key"], reason?: string): Meaning {
  return { code: "storage-unreachable", line, key, permanent: false, reason };
}

function refused(line: string, key: Meaning["key"], reason?: string): Meaning {
  return { code: "storage-refused", line, key, permanent: true, reason };
}
