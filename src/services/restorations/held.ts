import type { RestorationStates } from "../../state/restorations.ts";
import type { Runs } from "../../state/runs.ts";

/**
 * Folders of backups of a name that stay for as long as a restore may need them: what is restored, and what was made right
 * before it. What these need of earlier runs stays with them.
 */
export async function heldForRestores(
  {
    restorationStates,
    runs,
  }: { readonly restorationStates: Pick<RestorationStates, "unsettled">; readonly runs: Pick<Runs, "read"> },
  name: string,
): Promise<ReadonlySet<string>> {
  const held = new Set<string>();
  for (const restoration of await restorationStates.unsettled()) {
    if (restoration.name !== name) continue;
    held.add(restoration.folder);
    for (const run of [restoration.former, restoration.undo?.former]) {
      const folder = run === undefined ? undefined : (await runs.read(run))?.folder;
      if (folder !== undefined) held.add(folder);
    }
  }
  return held;
}
