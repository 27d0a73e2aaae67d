import { readdirSync, readFileSync } from "node:fs";

/** Ids of all processes of this machine but this one. */
export function processIds(): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => pid !== process.pid);
}

/** A process's arguments or environment, spaces between; empty when it has ended or is not ours. */
export function wordsOf(pid: number, file: "cmdline" | "environ"): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

/** Processes, but for this one, that have this in their command line. */
export function processesWith(mark: string): { readonly pid: number; readonly line: string }[] {
  return processIds()
    .map((pid) => ({ pid, line: wordsOf(pid, "cmdline") }))
    .filter(({ line }) => line.includes(mark));
}
