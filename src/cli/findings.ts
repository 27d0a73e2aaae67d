import { formatBytes } from "../messages/format.ts";
import type { MessageArgs, Messages } from "../messages/index.ts";
import type { DoctorResult, Finding } from "../services/doctor.ts";

/** In front of a check's line. */
export const marks = { ok: "✓", warning: "!", failed: "✗", skipped: "–" } as const;

/** The sentence of a finding, sizes made readable, and below it what a failed tool has said itself. */
export function findingText({ key, args, stderr }: Omit<Finding, "status">, messages: Messages): string {
  const { free } = args;
  const shown: MessageArgs = typeof free === "number" ? { ...args, free: formatBytes(free, messages.locale) } : args;
  const tool = stderr === undefined ? [] : stderr.split("\n").map((line) => `    ${line}`);
  return [messages.plain(key, shown), ...tool].join("\n");
}

/** One line: mark, what was looked at, what was found. */
export function describeFinding(result: DoctorResult, messages: Messages): string {
  const subject = messages.plain(`check-${result.subject}`);
  const name = result.target === undefined ? subject : `${subject} ${result.target}`;
  return `${marks[result.status]} ${name}: ${findingText(result, messages)}`;
}
