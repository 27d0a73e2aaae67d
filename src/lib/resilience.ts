import { ExponentialBackoff, handleWhen, type IPolicy, retry } from "cockatiel";

const networkErrors = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN",
  "ENOTFOUND",
  "ERR_SOCKET_CONNECTION_TIMEOUT",
]);

const transientNames = new Set([
  "TimeoutError",
  "SlowDown",
  "RequestTimeout",
  "RequestTimeTooSkewed",
  "InternalError",
  "ServiceUnavailable",
]);

/** The network's code of an error or of one of its causes ("ECONNREFUSED"), or undefined. */
export function networkCode(error: unknown): string | undefined {
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    const { code } = current as NodeJS.ErrnoException;
    if (code !== undefined && networkErrors.has(code)) return code;
    // Several addresses were tried: one error for each.
    if (current instanceof AggregateError) return networkCode(current.errors[0]);
  }
  return undefined;
}

/** True for what may pass by itself: the network, timeouts, 408, 429 and 5xx. */
export function isTransient(error: unknown): boolean {
  if (networkCode(error) !== undefined) return true;
  if (!(error instanceof Error)) return false;
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 0;
  return transientNames.has(error.name) || status === 408 || status === 429 || status >= 500;
}

/** Milliseconds for connecting to an S3 server, and without any progress on a connection. */
export const s3Timeouts = { connectMs: 5000, idleMs: 15_000, completeIdleMs: 300_000 } as const;

/**
 * One S3 request: up to four attempts with jittered pauses of 0.2 to 5 s. Together with `s3Timeouts` a store that
 * accepts connections and never answers is given up after about a minute.
 */
export const s3Request: IPolicy = retry(handleWhen(isTransient), {
  maxAttempts: 3,
  backoff: new ExponentialBackoff({ initialDelay: 200, maxDelay: 5000 }),
});

/** True for an answer of Redis that says no: out of memory, loading its data, read-only. A lost connection is none. */
export function isRedisRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

/** A write to Redis that must not be lost: repeated for about a minute while Redis refuses it. */
export const redisWrite: IPolicy = retry(handleWhen(isRedisRefusal), {
  maxAttempts: 65,
  backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 1000 }),
});

/**
 * Questions to a provider's API: up to three attempts with jittered pauses of 0.3 to 5 s. `isPassing` tells what may
 * pass by itself; only what changes nothing may be asked again.
 */
export const providerQuestion = (isPassing: (error: unknown) => boolean): IPolicy =>
  retry(handleWhen(isPassing), {
    maxAttempts: 2,
    backoff: new ExponentialBackoff({ initialDelay: 300, maxDelay: 5000 }),
  });
