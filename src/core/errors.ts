import type { Text } from "./text.ts";

/** What went wrong, as a stable identifier: it selects the advice and never changes its meaning. */
export type ErrorCode =
  | "config"
  | "secret-missing"
  | "tool-missing"
  | "tool-too-old"
  | "tool-failed"
  | "source-unreachable"
  | "source-refused"
  | "source-failed"
  | "storage-unreachable"
  | "storage-refused"
  | "storage-full"
  | "storage-mismatch"
  | "provider-unreachable"
  | "provider-token"
  | "provider-refused"
  | "provider-failed"
  | "no-copy"
  | "encryption"
  | "manifest"
  | "busy"
  | "not-found"
  | "cancelled"
  | "timeout"
  | "interrupted"
  | "lease-lost"
  | "conflict"
  | "redis"
  | "telegram"
  | "http"
  | "internal";

export interface AppErrorOptions {
  /** True when a repetition cannot help until a person changes something. Default true. */
  readonly permanent?: boolean;
  /** Facts for the log and the reader; never secrets. */
  readonly context?: Readonly<Record<string, string | number | boolean | undefined>>;
  /**
   * The same for a reader in any language; never secrets. Without it codes that need no detail say their own, and of
   * others the message is shown as it is.
   */
  readonly text?: Text;
  readonly cause?: unknown;
}

/**
 * The one error type of the project. `message` is one clear English line for logs: what is wrong, where, what to do;
 * `text` says the same to whoever reads it in the chat or at a terminal.
 */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly permanent: boolean;
  readonly context: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly text: Text | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.permanent = options.permanent ?? true;
    this.context = options.context ?? {};
    this.text = options.text ?? textOf(code, message);
  }
}

/** What a code says by itself, wherever it comes from. The detail of what should not happen is in English. */
function textOf(code: ErrorCode, message: string): Text | undefined {
  if (code === "internal") return { key: "error-internal", args: { reason: message } };
  if (code === "lease-lost") return { key: "error-lease-lost" };
  if (code === "interrupted") return { key: "error-interrupted" };
  return undefined;
}

/** Makes an `AppError` of anything thrown; an `AppError` is returned as it is. */
export function toAppError(error: unknown, code: ErrorCode = "internal"): AppError {
  if (error instanceof AppError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new AppError(code, message.split("\n", 1)[0] ?? "", { permanent: false, cause: error });
}

/** True when a signal was aborted because another worker has taken the work over: what it makes must not be touched. */
export function lostLease(signal: AbortSignal): boolean {
  return signal.aborted && signal.reason instanceof AppError && signal.reason.code === "lease-lost";
}

/**
 * True when an order that failed so has surely not been carried out: it was refused in so many words, or never sent.
 * Of any other failure nobody knows: look at the state before ordering again.
 */
export function surelyNotDone(error: unknown): boolean {
  return error instanceof AppError && error.context["done"] === false;
}
