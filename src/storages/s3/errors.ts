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
  readonly text: string;
  readonly permanent: boolean;
}

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

/** What an error of a request means for the storage. `AppError`s are returned as they are. */
export function s3Error(error: unknown, place: S3Place): AppError {
  if (error instanceof AppError) return error;
  const cause = error instanceof Error ? error : new Error(String(error));
  const status = statusOf(cause);
  const { code, text, permanent } = meaning(cause, status, place);
  return new AppError(code, `storage ${place.storage}: ${text}`, {
    permanent,
    context: { storage: place.storage, bucket: place.bucket, s3: cause.name, status },
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

function meaning(cause: Error, status: number | undefined, { bucket, server }: S3Place): Meaning {
  const { name } = cause;
  const network = networkCode(cause);
  if (network !== undefined) return unreachable(`${server} can not be reached (${network})`);
  if (name === "TimeoutError") return unreachable(`${server} does not answer (timeout)`);
  if (name === "NoSuchBucket") return refused(`bucket ${bucket} does not exist on ${server}: create it`);
  if (full.has(name) || status === 507)
    return { code: "storage-full", text: `bucket ${bucket} is full (${name})`, permanent: false };
  if (mismatch.has(name)) {
    return { code: "storage-mismatch", text: `${server} did not keep what was sent (${name})`, permanent: false };
  }
  if (name === "RequestTimeTooSkewed") return refused(`the clock of this machine is wrong (${name})`);
  if (status === 301 || name === "AuthorizationHeaderMalformed")
    return refused(`bucket ${bucket} is in another region (${name})`);
  if (status === 401 || status === 403) {
    return refused(`${server} refuses access to bucket ${bucket} (${status} ${name}): check key, secret and policy`);
  }
  if (isTransient(cause)) return unreachable(`${server} answers ${status ?? ""} ${name}`);
  if (status === undefined) return unreachable(`${server}: ${cause.message.split("\n", 1)[0] ?? ""}`);
  return refused(`${server} answers ${status} ${name}: ${cause.message.split("\n", 1)[0] ?? ""}`);
}

function unreachable(text: string): Meaning {
  return { code: "storage-unreachable", text, permanent: false };
}

function refused(text: string): Meaning {
  return { code: "storage-refused", text, permanent: true };
}
