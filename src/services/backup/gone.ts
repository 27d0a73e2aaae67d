import type { Clock } from "../../core/ports.ts";
import type { RunCopy } from "../../core/run.ts";
import type { Runs } from "../../state/runs.ts";

export interface GoneDeps {
  readonly clock: Clock;
  readonly runs: Pick<Runs, "read" | "update">;
}

/** The run id in the name of a backup's folder. */
function runOf(folder: string): string {
  return folder.replace(/\/$/, "").split("-").at(-1) ?? folder;
}

/**
 * Records with the runs that made them that copies are not there any more, so that their cards no longer say so. Runs
 * that nobody remembers have no card either.
 */
export async function recordGone(
  { clock, runs }: GoneDeps,
  storage: string,
  folders: readonly string[],
  why: { readonly pruned?: true } = {},
): Promise<void> {
  const now = clock.now();
  const goneAt = now.toISOString();
  for (const folder of folders) {
    const id = runOf(folder);
    const run = await runs.read(id);
    const isShown = (copy: RunCopy): boolean => copy.storage === storage && copy.status === "stored";
    if (run?.folder !== folder || !run.copies.some(isShown)) continue;
    await runs.update(id, "quiet", now, (current) =>
      current.folder === folder && current.copies.some(isShown)
        ? {
            ...current,
            copies: current.copies.map((copy) => (isShown(copy) ? { ...copy, status: "gone", goneAt, ...why } : copy)),
          }
        : current,
    );
  }
}
