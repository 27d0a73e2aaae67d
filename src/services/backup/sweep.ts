import { type BackupRun, folderOf } from "../../core/run.ts";
import { cleanUpRun } from "./clean-up.ts";
import type { BackupRunnerDeps } from "./runner.ts";

/**
 * Removes what could not be removed when the run ended, because its store was out of reach. What still can not be
 * removed stays on record. Gives the number of objects removed and of places that are still out of reach.
 */
export async function sweepRun(
  deps: BackupRunnerDeps,
  run: BackupRun,
  signal: AbortSignal,
): Promise<{ removed: number; stuck: number }> {
  const { open, leftIn = [] } = run;
  const places = new Map<string, { storage: string; folder: string }>();
  for (const place of [...leftIn, ...open.map(({ storage, key }) => ({ storage, folder: folderOf(key) }))])
    places.set(nameOf(place), place);
  // Of a run that is known to have failed nothing is kept, not even what looks complete.
  const finished = run.status === "failed" || run.status === "cancelled" ? "remove" : "keep";
  const done = new Set<string>();
  let removed = 0;
  for (const [place, { storage, folder }] of places) {
    if (deps.config.storages[storage] === undefined) {
      deps.logger.warn({ run: run.id, storage, folder }, "not removed: the storage is no longer configured");
      done.add(place);
      continue;
    }
    const own = open.filter((object) => object.storage === storage && folderOf(object.key) === folder);
    const left = await cleanUpRun([await deps.storage(storage)], folder, own, signal, finished);
    removed += left.removed;
    if (left.failed.length === 0) done.add(place);
  }
  await deps.runs.update(run.id, "progress", deps.clock.now(), (current) => ({
    ...current,
    open: current.open.filter(({ storage, key }) => !done.has(nameOf({ storage, folder: folderOf(key) }))),
    leftIn: (current.leftIn ?? []).filter((place) => !done.has(nameOf(place))),
  }));
  return { removed, stuck: places.size - done.size };
}

function nameOf({ storage, folder }: { readonly storage: string; readonly folder: string }): string {
  return `${storage} ${folder}`;
}
