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
  readonly key: "network" | "timeout" | "no-bucket" | "full" | "lost" | "clock" | "region" | "access" | "answer";
  readonly permanent: boolean;
  /** The server's or the network's own word for it; default the error's name. */
  readonly reason?: string | undefined;
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
  const { code, line, key, permanent, reason = cause.name } = meaning(cause, status, place);
  return new AppError(code, `storage ${place.storage}: ${line}`, {
    permanent,
    text: { key: `error-s3-${key}`, args: { ...place, reason } },
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

function unreachable(line: string, key: Meaning["key"], reason?: string): Meaning {
  return { code: "storage-unreachable", line, key, permanent: false, reason };
}

function refused(line: string, key: Meaning["key"], reason?: string): Meaning {
  return { code: "storage-refused", line, key, permanent: true, reason };
}
