import { type DestinationStream, type Logger as PinoLogger, pino } from "pino";

export type Logger = PinoLogger;

const secretKeys = ["password", "token", "secret", "secretAccessKey", "accessKeyId", "identity", "authorization"];

/** Values that must never be printed: filled by the configuration as it reads them. */
const secretValues = new Set<string>();

/**
 * Registers a secret's value: from now on it is replaced by `[redacted]` in every log line and in every text that
 * passes `redact`. Values under 6 characters are ignored, since replacing them would garble ordinary text.
 */
export function registerSecret(value: string): void {
  if (value.length < 6) return;
  // As it is, in a URL, and inside a JSON string.
  for (const form of [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)]) secretValues.add(form);
}

/** The text with every registered secret and every `scheme://user:password@` replaced. */
export function redact(text: string): string {
  let result = text;
  for (const secret of secretValues) result = result.replaceAll(secret, "[redacted]");
  return result.replaceAll(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s@/]+@/gi, "$1:[redacted]@");
}

/**
 * JSON lines to standard output (or `destination`). Known secret keys are removed by path; known secret values are
 * removed from the finished line, whatever field or error message they hide in.
 */
export function createLogger(options: { name: string; level?: string; destination?: DestinationStream }): Logger {
  const target = options.destination ?? pino.destination({ fd: 1, sync: true });
  const redacting: DestinationStream = { write: (line) => target.write(redact(line)) };
  return pino(
    {
      name: options.name,
      level: options.level ?? "info",
      redact: { paths: secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: "[redacted]" },
      timestamp: pino.stdTimeFunctions.isoTime,
      base: { name: options.name, pid: process.pid },
    },
    redacting,
  );
}
