import { readFile } from "node:fs/promises";
import { isAtOrBelow } from "./targets.ts";

/** Where file systems are mounted on this machine, as this process sees it. */
export async function mountPoints(): Promise<string[]> {
  const text = await readFile("/proc/self/mountinfo", "utf8");
  return text
    .split("\n")
    .flatMap((line) => line.split(" ")[4] ?? [])
    .map((path) =>
      path.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    );
}

/** The mount on which a path lies: within one, things can be renamed. */
export function mountOf(path: string, mounts: readonly string[]): string {
  return mounts.filter((mount) => isAtOrBelow(path, mount)).reduce((a, b) => (b.length >= a.length ? b : a), "/");
}
