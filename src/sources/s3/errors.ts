import { AppError, type ErrorCode } from "../../core/errors.ts";
import { isTransient, networkCode } from "../../lib/resilience.ts";
import { shownKey } from "./keys.ts";

/** Where an error happened; for its text. */
export interface Place {
  readonly bucket: string;
  /** Host of the server, for a person. */
  readonly server: string;
}

/** `error-source-s3-<key>` in `messages/`. */
type Key =
  | "network"
  | "timeout"
  | "no-bucket"
  | "access"
  | "object"
  | "archived"
  | "clock"
  | "region"
  | "keys"
  | "answer";

interface Meaning {
  readonly code: ErrorCode;
  readonly key: Key;
  readonly line: string;
  readonly reason?: string;
}

const noKeys = new Set(["CredentialsProviderError", "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"]);

export function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata?.httpStatusCode;
}

/** True when the object is not there any more; a bucket that is not there is another matter. */
export function isGone(error: unknown): boolean {
  return statusOf(error) === 404 && (error as Error).name !== "NoSuchBucket";
}

/** True when the object is not the one that was asked for. */
export function isOther(error: unknown): boolean {
  return statusOf(error) === 412;
}

/** What an error of a request to the bucket means. `AppError`s are returned as they are. `key`: the object's. */
export function bucketError(error: unknown, place: Place, key?: string): AppError {
  if (error instanceof AppError) return error;
  const cause = error instanceof Error ? error : new Error(String(error));
  const status = statusOf(cause);
  const object = key === undefined ? "*" : shownKey(key);
  const { code, key: text, line, reason = cause.name } = meaning(cause, status, place, key && object);
  return new AppError(code, line, {
    permanent: code === "source-refused",
    text: { key: `error-source-s3-${text}`, args: { ...place, object, reason } },
    context: { bucket: place.bucket, s3: cause.name, status, ...(key === undefined ? {} : { key: object }) },
    cause,
  });
}

/** The same of a request that writes or removes: the key may not do that. */
export function writeError(error: unknown, place: Place): AppError {
  const status = statusOf(error);
  if (error instanceof AppError || (status !== 401 && status !== 403)) return bucketError(error, place);
  const reason = `${status} ${(error as Error).name}`;
  const { server, bucket } = place;
  return new AppError("source-refused", `${server} refuses to write into bucket ${bucket} (${reason})`, {
    text: { key: "error-source-s3-write", args: { server, bucket, reason } },
    context: { bucket, s3: (error as Error).name, status },
    cause: error,
  });
}

function meaning(cause: Error, status: number | undefined, place: Place, object: string | undefined): Meaning {
  const { bucket, server } = place;
  const { name } = cause;
  const network = networkCode(cause);
  if (network !== undefined)
    return { ...unreachable, key: "network", line: `${server} can not be reached (${network})`, reason: network };
  if (name === "TimeoutError") return { ...unreachable, key: "timeout", line: `${server} does not answer in time` };
  if (name === "NoSuchBucket")
    return { ...refused, key: "no-bucket", line: `there is no bucket ${bucket} on ${server}` };
  if (noKeys.has(name)) return { ...refused, key: "keys", line: `no valid keys for ${server} (${name})` };
  if (name === "RequestTimeTooSkewed")
    return { ...refused, key: "clock", line: `the clock of this machine is wrong (${name})` };
  if (status === 301 || name === "AuthorizationHeaderMalformed")
    return { ...refused, key: "region", line: `bucket ${bucket} is in another region (${name})` };
  if (name === "InvalidObjectState" && object !== undefined)
    return { ...refused, key: "archived", line: `${object} in bucket ${bucket} lies in an archive class` };
  const answer = `${status ?? ""} ${name}`.trim();
  if (status === 401 || status === 403) {
    if (object === undefined)
      return {
        ...refused,
        key: "access",
        line: `${server} refuses access to bucket ${bucket} (${answer})`,
        reason: answer,
      };
    const line = `${server} refuses to give ${object} of bucket ${bucket} (${answer})`;
    return { ...refused, key: "object", line, reason: answer };
  }
  const said = isTransient(cause) ? answer : `${answer}: ${cause.message.split("\n", 1)[0] ?? ""}`;
  const kind = isTransient(cause) || status === undefined ? unreachable : refused;
  const about = object === undefined ? "" : ` for ${object}`;
  return { ...kind, key: "answer", line: `${server} answers "${said}"${about}`, reason: said };
}

const unreachable = { code: "source-unreachable" } as const;
const refused = { code: "source-refused" } as const;
