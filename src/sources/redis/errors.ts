import { AppError, toAppError } from "../../core/errors.ts";

interface Meaning {
  readonly pattern: RegExp;
  readonly code: "source-unreachable" | "source-refused" | "source-failed";
  readonly permanent: boolean;
  readonly message: string;
  readonly key: string;
}

/** What redis-cli and the server's own words mean, the first that fits. */
const meanings: readonly Meaning[] = [
  {
    pattern: /SSL|TLS|certificate/,
    code: "source-unreachable",
    permanent: true,
    message: "no TLS connection to Redis",
    key: "error-redis-tls",
  },
  {
    pattern: /Could not connect to Redis/,
    code: "source-unreachable",
    permanent: false,
    message: "Redis does not answer",
    key: "error-redis-unreachable",
  },
  {
    pattern: /AUTH failed|NOAUTH|WRONGPASS/,
    code: "source-refused",
    permanent: true,
    message: "Redis does not accept user and password",
    key: "error-redis-password",
  },
  {
    pattern: /NOPERM/,
    code: "source-refused",
    permanent: true,
    message: "the user of Redis needs the rights +info +sync +psync +replconf",
    key: "error-redis-rights",
  },
  {
    pattern: /unknown command/i,
    code: "source-refused",
    permanent: true,
    message: "this Redis does not offer SYNC",
    key: "error-redis-no-sync",
  },
  {
    pattern: /NOMASTERLINK/,
    code: "source-failed",
    permanent: false,
    message: "this replica has no connection to its master",
    key: "error-redis-replica",
  },
  {
    pattern: /\bBUSY Redis/,
    code: "source-failed",
    permanent: false,
    message: "Redis runs a script and listens to nobody else",
    key: "error-redis-busy",
  },
  {
    pattern: /max number of clients reached/,
    code: "source-failed",
    permanent: false,
    message: "Redis has as many clients as it takes (maxclients)",
    key: "error-redis-clients",
  },
  {
    pattern: /LOADING/,
    code: "source-failed",
    permanent: false,
    message: "Redis is loading its data",
    key: "error-redis-loading",
  },
  {
    pattern: /I\/O Error reading RDB|Error reading bulk length|Server closed the connection|Connection reset/,
    code: "source-failed",
    permanent: false,
    message: "the connection to Redis was lost before the snapshot was complete",
    key: "error-redis-lost",
  },
];

/** The error that these words of redis-cli or of the server stand for, if they are known ones. */
export function meaningOf(words: string, cause?: AppError): AppError | undefined {
  const found = meanings.find(({ pattern }) => pattern.test(words));
  if (found === undefined) return undefined;
  const { code, permanent, message, key } = found;
  const line = words.split("\n").find((text) => found.pattern.test(text)) ?? "";
  return new AppError(code, `${message}: ${line.trim()}`, {
    permanent,
    context: cause?.context ?? { step: "redis-cli", stderr: words },
    text: { key },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** What a failure of redis-cli means. Errors that are not of this tool are returned as they are. */
export function redisError(error: unknown): AppError {
  const cause = toAppError(error);
  if (cause.code !== "tool-failed" || cause.context["step"] !== "redis-cli") return cause;
  return meaningOf(String(cause.context["stderr"] ?? ""), cause) ?? cause;
}
