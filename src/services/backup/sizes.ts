import type { Config } from "../../app/config.ts";
import { type Anomaly, type Sized, sizeAnomaly, wholeBytes } from "../../core/anomaly.ts";
import type { Clock } from "../../core/ports.ts";
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
  const { name, anomaly } = backup;
  if (anomaly === false) return undefined;
  const sizes = new Map<string, Sized>();
  for (const { manifest, folder } of await deps.runs.list(name, anomaly.of + failedRuns)) {
    if (manifest && folder !== undefined)
      sizes.set(folder, { id: folder, startedAt: new Date(manifest.startedAt), bytes: wholeBytes(manifest) });
  }
  for (const { copies } of await deps.catalogue.newestCopies(name, anomaly.of + wrongClocks))
    for (const one of sizesOf(copies)) sizes.set(one.id, one);
  for (const one of fresh) sizes.set(one.id, one);
  const accepted = await deps.prunes.acceptedSize(name);
  return sizeAnomaly([...sizes.values()], anomaly, { now: deps.clock.now(), accepted });
}
