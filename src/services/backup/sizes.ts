import type { Config } from "../../app/config.ts";
import {
  type Anomaly,
  judgeSizes,
  type Measure,
  type Sized,
  type SizeVerdict,
  sizesWindow,
  wholeBytes,
} from "../../core/anomaly.ts";
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

/** Runs and backups that are looked through beside as many as count: some have failed, or are dated ahead. */
const beside = 6;

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
  const measure = await deps.prunes.sizeMeasure(name);
  const verdict = verdictOn({ backup, runs, looks, measure, now: deps.clock.now(), fresh });
  await deps.prunes.measureSizes(name, verdict.measure);
  return verdict.anomaly;
}

/** How many of the newest runs and backups the look at sizes needs; 0: it is switched off. */
export function sizesLookBack({ anomaly }: Pick<Config["backups"][number], "anomaly">): number {
  return anomaly ? sizesWindow(anomaly) + beside : 0;
}

/** As `findAnomaly`, by what was read already; nothing is remembered. */
export function anomalyIn(known: KnownSizes): Anomaly | undefined {
  return verdictOn(known).anomaly;
}

interface KnownSizes {
  readonly backup: Pick<Config["backups"][number], "anomaly">;
  readonly runs: readonly BackupRun[];
  readonly looks: readonly { readonly copies: ReadonlyMap<string, CachedCopy> }[];
  readonly measure: Measure | undefined;
  readonly now: Date;
  readonly fresh?: readonly Sized[];
}

function verdictOn({ backup, runs, looks, measure, now, fresh = [] }: KnownSizes): SizeVerdict {
  if (!backup.anomaly) return {};
  const sizes = new Map<string, Sized>();
  for (const { manifest, folder } of runs) {
    if (manifest && folder !== undefined)
      sizes.set(folder, { id: folder, startedAt: new Date(manifest.startedAt), bytes: wholeBytes(manifest) });
  }
  for (const { copies } of looks) for (const one of sizesOf(copies)) sizes.set(one.id, one);
  for (const one of fresh) sizes.set(one.id, one);
  return judgeSizes([...sizes.values()], backup.anomaly, { now, measure });
}
