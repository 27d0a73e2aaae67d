import { readFileSync } from "node:fs";

/** The kernel counts in hundredths of a second, whatever its own clock does. */
const tickMs = 10;

/** Milliseconds of processor time that a process and those of its children that have ended have used. Linux only. */
export function processorMs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name in brackets may contain anything; behind it, user and system time are the 12th and 13th field.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * tickMs;
}
