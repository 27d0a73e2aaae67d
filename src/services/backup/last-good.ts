import { isAhead } from "../../core/ahead.ts";
import type { Manifest } from "../../core/manifest.ts";
import type { Clock } from "../../core/ports.ts";
import type { BackupRun } from "../../core/run.ts";
import type { Runs } from "../../state/runs.ts";
import type { CachedCatalogue } from "../cached-catalogue.ts";

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
  readonly manifest: Manifest;
}

/** How many of the newest backups are looked through: mostly one of the first is good. */
const lookBacks = [3, 50] as const;

/**
 * The newest good backup of a name: one with a copy that nothing speaks against, nor against what it needs, by what the storages hold and by the
 * runs on record, whichever is newer. A run whose copies are not there any more, or have failed a look, is none.
 */
export async function lastGood(deps: LastGoodDeps, name: string): Promise<LastGood | undefined> {
  const found = [...(await newestStored(deps, name)), ...(await newestRun(deps, name))];
  return found.toSorted((a, b) => b.startedAt.getTime() - a.startedAt.getTime())[0];
}

/** The newest good one in each storage. */
async function newestStored({ catalogue, clock }: LastGoodDeps, name: string): Promise<LastGood[]> {
  const found = new Map<string, LastGood>();
  for (const lookBack of lookBacks) {
    let isSure = true;
    for (const { storage, copies, flaws } of await catalogue.newestCopies(name, lookBack)) {
      const good = [...copies].flatMap(([folder, { manifest }]) => {
        const { id, startedAt } = manifest;
        return flaws.has(folder) ? [] : [{ folder, id, startedAt: new Date(startedAt), manifest }];
      });
      const [newest] = credible(good, clock);
      if (newest) found.set(storage, newest);
      else if (copies.size === lookBack) isSure = false;
    }
    if (isSure) break;
  }
  return [...found.values()];
}

async function newestRun({ catalogue, clock, runs }: LastGoodDeps, name: string): Promise<LastGood[]> {
  for (const lookBack of lookBacks) {
    const list = await runs.list(name, lookBack);
    const good: LastGood[] = [];
    for (const run of list) {
      const { folder, manifest, status } = run;
      if (folder === undefined || !manifest || (status !== "succeeded" && status !== "degraded")) continue;
      if (await mayBeThere(catalogue, run, folder))
        good.push({ folder, id: run.id, startedAt: new Date(manifest.startedAt), manifest });
    }
    const [newest] = credible(good, clock);
    if (newest) return [newest];
    if (list.length < lookBack) break;
  }
  return [];
}

/** Newest first, without what a wrong clock has dated ahead. */
function credible(good: readonly LastGood[], clock: Clock): LastGood[] {
  const now = clock.now();
  return good
    .filter(({ startedAt }) => !isAhead(startedAt, now))
    .toSorted((a, b) => b.startedAt.getTime() - a.startedAt.getTime());
}

/** Whether one of a run's copies is still to be expected, where its storage has not told of it. */
async function mayBeThere(catalogue: CachedCatalogue, run: BackupRun, folder: string): Promise<boolean> {
  for (const { storage } of run.copies) {
    // Told already, as sound or as damaged.
    if (await catalogue.holds(storage, run.name, folder)) continue;
    if (await catalogue.mayHold(storage, run)) return true;
  }
  return false;
}
