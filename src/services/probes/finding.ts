import { toAppError } from "../../core/errors.ts";
import type { MessageArgs } from "../../messages/index.ts";

/**
 * What a check found. `key` is the sentence in `messages/`, with the remedy where there is one to give.
 * `warning`: it works, but not as it should; `skipped`: it cannot be told from here.
 */
export interface Finding {
  readonly status: "ok" | "warning" | "failed" | "skipped";
  readonly key: string;
  readonly args: MessageArgs;
  /** Last lines of the tool that failed, in its own words. */
  readonly stderr?: string;
}

export const ok = (key: string, args: MessageArgs = {}): Finding => ({ status: "ok", key, args });
export const warning = (key: string, args: MessageArgs = {}): Finding => ({ status: "warning", key, args });
export const failed = (key: string, args: MessageArgs = {}): Finding => ({ status: "failed", key, args });
export const skipped = (key: string, args: MessageArgs = {}): Finding => ({ status: "skipped", key, args });

/** An error as a finding: our own errors say themselves what is wrong and what to do. */
export function failure(error: unknown): Finding {
  const { message, text, context } = toAppError(error);
  const finding = failed("doctor-failed", { reason: text ?? message });
  return typeof context.stderr === "string" && context.stderr !== "" ? { ...finding, stderr: context.stderr } : finding;
}
