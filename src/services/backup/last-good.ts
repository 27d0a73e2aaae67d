import type { Clock } from "../../core/ports.ts";
import type { BackupRun } from "../../core/run.ts";
import type { Runs } from "../../state/runs.ts";
import { type CachedCatalogue, isSoundCopy } from "../cached-catalogue.ts";

export interface LastGoodDeps {
  readonly clock: Clock;
  readonly runs: Runs;
  readonly catalogue: CachedCatalogue;
}

export interface LastGood {
  readonly folder: string;
  /** Run id. */
  readonly id: string;
  /** When it began: what has changed since is not in it. */
  readonly startedAt: Date;
}

/** How many of the newest backups are looked through. */
const lookBack = 50;
/** What lies further ahead than this was made by a clock that is wrong; milliseconds. */
const aheadMs = 24 * 3_600_000;

/**
 * The newest good backup of a name: one with a copy that nothing speaks against, by what the storages hold and by the
 * runs on record, whichever is newer. A run whose copies are not there any more, or have failed a look, is none.
 */
export async function lastGood(deps: LastGoodDeps, name: string): Promise<LastGood | undefined> {
  const latest = deps.clock.now().getTime() + aheadMs;
  const looks = await deps.catalogue.newestCopies(name, lookBack);
  const found: LastGood[] = [];
  for (const { copies } of looks)
    for (const [folder, copy] of copies)
      if (isSoundCopy(copy)) found.push({ folder, id: copy.manifest.id, startedAt: new Date(copy.manifest.startedAt) });
  for (const run of await deps.runs.list(name, lookBack)) {
    const { folder, manifest } = run;
    if (folder === undefined || !manifest || (run.status !== "succeeded" && run.status !== "degraded")) continue;
    if (await mayBeThere(deps.catalogue, run, folder, looks))
      found.push({ folder, id: run.id, startedAt: new Date(manifest.startedAt) });
  }
  return found
    .filter(({ startedAt }) => startedAt.getTime() <= latest)
    .toSorted((a, b) => b.startedAt.getTime() - a.startedAt.getTime())[0];
}

/** Whether one of a run's copies is still to be expected, where the storages have not told of it. */
async function mayBeThere(
  catalogue: CachedCatalogue,
  run: BackupRun,
  folder: string,
  looks: Awaited<ReturnType<CachedCatalogue["newestCopies"]>>,
): Promise<boolean> {
  const ended = Date.parse(run.finishedAt ?? run.createdAt);
  for (const { storage, status } of run.copies) {
    if (status !== "stored") continue;
    // Told already, as sound or as damaged.
    if (looks.find((look) => look.storage === storage)?.copies.has(folder)) continue;
    const look = await catalogue.look(storage, run.name);
    if (!look || look.error || Date.parse(look.at) <= ended) return true;
  }
  return false;
}
