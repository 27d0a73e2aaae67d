import { AppError, toAppError } from "../core/errors.ts";

/**
 * What a program says of a backup that it reads it will always say of it, where the same of a source may be over at the
 * next attempt: `source-failed` becomes permanent. Not so when the program was killed, which says nothing of what it read.
 */
export function lasting(error: unknown): AppError {
  const cause = toAppError(error);
  const { code, message, context, text } = cause;
  if (code !== "source-failed" || String(context.exit).startsWith("killed")) return cause;
  return new AppError(code, message, { permanent: true, context, ...(text ? { text } : {}), cause });
}
