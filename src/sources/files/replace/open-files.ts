import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { isAtOrBelow } from "./targets.ts";

/**
 * Programs of this machine that have something open below these paths, or work there, and how many of them. Of other
 * users' programs only root sees that.
 */
export function openFiles(paths: readonly string[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const pid of list("/proc").filter((name) => /^\d+$/.test(name))) {
    const links = [`/proc/${pid}/cwd`, ...list(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`)];
    if (!links.some((link) => isBelowAny(target(link), paths))) continue;
    const name = read(`/proc/${pid}/comm`).trim() || pid;
    found.set(name, (found.get(name) ?? 0) + 1);
  }
  return found;
}

function isBelowAny(path: string | undefined, paths: readonly string[]): boolean {
  return path !== undefined && paths.some((other) => isAtOrBelow(path, other));
}

/** Processes end while they are looked at, and those of others are closed. */
function attempt<T>(what: () => T, otherwise: T): T {
  try {
    return what();
  } catch {
    return otherwise;
  }
}

const list = (path: string): string[] => attempt(() => readdirSync(path), []);
const target = (path: string): string | undefined => attempt(() => readlinkSync(path), undefined);
const read = (path: string): string => attempt(() => readFileSync(path, "utf8"), "");
