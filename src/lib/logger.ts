import { type DestinationStream, type Logger as PinoLogger, pino, type SerializedError } from "pino";
import { redact } from "./redaction.ts";

export type Logger = PinoLogger;

const secretKeys = ["password", "token", "secret", "secretAccessKey", "accessKeyId", "identity", "authorization"];

/** An error as pino writes it, without the command of an error of Redis: its arguments hold whole records. */
function withoutCommand(error: Error): object {
  const { command: _, ...rest } = pino.stdSerializers.err(error) as SerializedError & { command?: unknown };
  return rest;
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
      serializers: { err: withoutCommand },
      base: { name: options.name, pid: process.pid },
    },
    redacting,
  );
}
