import { readFileSync, readlinkSync } from "node:fs";

let own: string | undefined;

/**
 * Tells this process from every other one, also after its pid was given away again: boot of the machine, pid
 * namespace (container), pid, start time. "-" where that cannot be told (not Linux). Has no spaces.
 */
export function processIdentity(): string {
  own ??= readIdentity();
  return own;
}

function readIdentity(): string {
  const place = readPlace();
  const startedAt = place === undefined ? undefined : startOf(process.pid);
  return place === undefined || startedAt === undefined ? "-" : `${place}/${process.pid}/${startedAt}`;
}

/**
 * True only when the process with that identity has certainly ended. Of processes of another machine, boot or
 * container nothing is known: false.
 */
export function hasEnded(identity: string): boolean {
  const [boot, namespace, pid, startedAt] = identity.split("/");
  if (pid === undefined || startedAt === undefined || `${boot}/${namespace}` !== readPlace()) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    // Not by /proc alone: the processes of other users may be hidden there.
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
  const now = startOf(Number(pid));
  return now !== undefined && now !== startedAt;
}

function readPlace(): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot}/${readlinkSync("/proc/self/ns/pid").replace(/\D/g, "")}`;
  } catch {
    return undefined;
  }
}

/**
 * Start time of a process in clock ticks; "ended" for one that was killed and only waits for its parent to notice. While
 * one of its threads is still ending, its connections and files are open.
 */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name before it may hold spaces and brackets.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, threads, startedAt] = [fields[0], Number(fields[17]), fields[19]];
    return state === "X" || (state === "Z" && threads <= 1) ? "ended" : startedAt;
  } catch {
    return undefined;
  }
}
