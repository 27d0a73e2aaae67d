import { AppError, type ErrorCode, toAppError } from "../../core/errors.ts";
import { refusalSchema } from "./timeweb-schema.ts";

/** Which request of which account something is about; for errors. */
export interface Asked {
  /** The provider's name in the configuration. */
  readonly account: string;
  /** Where its API is: "api.timeweb.cloud". */
  readonly server: string;
  readonly method: string;
  /** Without host: "/api/v1/servers". */
  readonly path: string;
}

/** Why nothing was heard of the API itself; `context.why` of the error. */
type UnreachableReason = "network" | "timeout" | "rate" | "edge";

interface Meaning {
  readonly code: ErrorCode;
  /** For the log, after "provider timeweb: ". */
  readonly line: string;
  readonly key: string;
  readonly args?: Readonly<Record<string, string | number>>;
  readonly permanent?: boolean;
  readonly status?: number;
  /** False: an order was surely not carried out. */
  readonly done?: false;
  /** Of what is `provider-unreachable`: why. */
  readonly why?: UnreachableReason;
  readonly cause?: unknown;
}

/** The error of a request, with where and what. Nothing of an answer's body is in it but the API's own message. */
function failure(asked: Asked, meaning: Meaning): AppError {
  const { account, server, method, path } = asked;
  const { code, line, key, args, permanent = false, status, done, why, cause } = meaning;
  return new AppError(code, `provider ${account}: ${line} (${method} ${path})`, {
    permanent,
    context: {
      account,
      method,
      path,
      ...(status === undefined ? {} : { status }),
      ...(why === undefined ? {} : { why }),
      ...(done === false ? { done } : {}),
    },
    text: { key, args: { provider: account, server, ...args } },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** No connection, or a broken one. `sent`: whether the request may have reached the other side. */
export function networkError(asked: Asked, reason: string, sent: boolean, cause: unknown): AppError {
  return failure(asked, {
    code: "provider-unreachable",
    line: `${asked.server} can not be reached: ${reason}`,
    key: "error-provider-network",
    why: "network",
    args: { reason },
    ...(sent ? {} : { done: false }),
    cause,
  });
}

/** An order whose turn has not come: Redis does not give any, or nobody waits any longer. */
export function notSentError(asked: Asked, cause: unknown): AppError {
  const { code, message, permanent, text, context } = toAppError(cause, "provider-unreachable");
  const { account, method, path } = asked;
  return new AppError(code, `provider ${account}: never sent: ${message} (${method} ${path})`, {
    permanent,
    context: { ...context, account, method, path, done: false },
    text: text ?? { key: "error-provider-unsent", args: { provider: account } },
    cause,
  });
}

export function timeoutError(asked: Asked, ms: number): AppError {
  return failure(asked, {
    code: "provider-unreachable",
    line: `${asked.server} did not answer within ${ms} ms`,
    key: "error-provider-timeout",
    why: "timeout",
  });
}

/** An answer that can not be read: `what` says why, never what it was. */
export function garbageError(asked: Asked, what: string, status: number): AppError {
  return failure(asked, {
    code: "provider-failed",
    line: `${asked.server} answered ${status} with what can not be read: ${what}`,
    key: "error-provider-garbage",
    args: { status },
    status,
  });
}

/**
 * What a status that is no success means. Only what comes with the API's own `error_code` is its word; anything else
 * was said by something in front of it and passes.
 */
export function statusError(asked: Asked, status: number, body: string): AppError {
  const { server } = asked;
  const refusal = refusalSchema.safeParse(jsonOf(body));
  const said = refusal.success ? reasonOf(refusal.data) : undefined;
  // An order that was answered so has not gone further than whoever answered; behind a 5xx it may have been carried out.
  const done = status < 500 ? ({ done: false } as const) : {};
  if (status === 401) {
    const line = `${server} refuses the token: it was revoked, has expired or is wrong; make a new one in the panel`;
    return failure(asked, {
      code: "provider-token",
      line,
      key: "error-provider-token",
      permanent: true,
      status,
      ...done,
    });
  }
  if (status === 429) {
    const line = `${server} says that these were too many requests`;
    return failure(asked, {
      code: "provider-unreachable",
      line,
      key: "error-provider-rate",
      why: "rate",
      status,
      ...done,
    });
  }
  if (said === undefined) {
    const line = `${server} answered ${status} without a word of its API: something in front of it did`;
    return failure(asked, {
      code: "provider-unreachable",
      line,
      key: "error-provider-edge",
      why: "edge",
      args: { status },
      status,
      ...done,
    });
  }
  const args = { status, reason: said };
  if (status === 404) {
    const line = `${server} has no such thing: ${said}`;
    return failure(asked, {
      code: "not-found",
      line,
      key: "error-provider-gone",
      args,
      permanent: true,
      status,
      ...done,
    });
  }
  if (status >= 500 || status === 408) {
    const line = `${server} failed with ${status}: ${said}`;
    return failure(asked, { code: "provider-failed", line, key: "error-provider-failed", args, status, ...done });
  }
  const line = `${server} refused with ${status}: ${said}`;
  return failure(asked, {
    code: "provider-refused",
    line,
    key: "error-provider-refused",
    args,
    permanent: true,
    status,
    ...done,
  });
}

function reasonOf({
  error_code: code,
  message,
}: {
  error_code: string;
  message?: string | string[] | undefined;
}): string {
  const words = Array.isArray(message) ? message.join("; ") : message;
  return (words === undefined || words === "" ? code : words).replaceAll(/\s+/g, " ").trim().slice(0, 300);
}

/** The JSON of a text, or undefined. */
export function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}
