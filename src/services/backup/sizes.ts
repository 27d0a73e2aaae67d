import type { Config } from "../../app/config.ts";
import { type Anomaly, type Sized, sizeAnomaly, wholeBytes } from "../../core/anomaly.ts";
import type { Clock } from "../../core/ports.ts";
import type { BackupRun } from "../../core/run.ts";
import type { CachedCopy } from "../../state/catalogue.ts";
import type { Prunes } from "../../state/prunes.ts";
import type { Runs } from "../../state/runs.ts";
import type { CachedCatalogue } from "../cached-catalogue.ts";
import { sizesOf } from "./retention.ts";

export interface SizesDeps {
  readonly clock: Clock;
  readonly runs: Runs;
  readonly prunes: Prunes;
  readonly catalogue: CachedCatalogue;
}

/** Runs that are looked through beside as many as count: some of them have failed. */
const failedRuns = 10;
/** Backups that are looked through beside as many as count, and one: wrong clocks may have dated some of them ahead. */
const wrongClocks = 6;

/**
 * Whether the newest backup of a name is far smaller than those before it, which all storages and the runs on record
 * tell. `fresh`: what a storage holds by a look just now.
 */
export async function findAnomaly(
  deps: SizesDeps,
  backup: Pick<Config["backups"][number], "name" | "anomaly">,
  fresh: readonly Sized[] = [],
): Promise<Anomaly | undefined> {
  const { name } = backup;
  const lookBack = sizesLookBack(backup);
  if (lookBack === 0) return undefined;
  const runs = await deps.runs.list(name, lookBack);
  const looks = await deps.catalogue.newestCopies(name, lookBack);
  const accepted = await deps.prunes.acceptedSize(name);
  return anomalyIn({ backup, runs, looks, accepted, now: deps.clock.now(), fresh });
}

/** How many of the newest runs and backups the look at sizes needs; 0: it is switched off. */
export function sizesLookBack({ anomaly }: Pick<Config["backups"][number], "anomaly">): number {
  return anomaly ? anomaly.of + Math.max(failedRuns, wrongClocks) : 0;
}

/** As `findAnomaly`, by what was read already. */
export function anomalyIn(known: {
  readonly backup: Pick<Config["backups"][number], "anomaly">;
  readonly runs: readonly BackupRun[];
  readonly looks: readonly { readonly copies: ReadonlyMap<string, CachedCopy> }[];
  readonly accepted: number | undefined;
  readonly now: Date;
  readonly fresh?: readonly Sized[];
}): Anomaly | undefined {
  const { backup, runs, looks, accepted, now, fresh = [] } = known;
  if (!backup.anomaly) return undefined;
  const sizes = new Map<string, Sized>();
  for (const { manifest, folder } of runs) {
    if (manifest && folder !== undefined)
      sizes.set(folder, { id: folder, startedAt: new Date(manifest.startedAt), bytes: wholeBytes(manifest) });
  }
  for (const { copies } of looks) for (const one of sizesOf(copies)) sizes.set(one.id, one);
  for (const one of fresh) sizes.set(one.id, one);
  return sizeAnomaly([...sizes.values()], backup.anomaly, { now, accepted });
}
