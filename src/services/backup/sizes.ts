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

/** More than can ever count. */
const lookBack = 40;

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
  for (const { manifest, folder } of await deps.runs.list(name, lookBack)) {
    if (manifest && folder !== undefined)
      sizes.set(folder, { id: folder, startedAt: new Date(manifest.startedAt), bytes: wholeBytes(manifest) });
  }
  for (const { copies } of await deps.catalogue.newestCopies(name, lookBack))
    for (const one of sizesOf(copies)) sizes.set(one.id, one);
  for (const one of fresh) sizes.set(one.id, one);
  const accepted = await deps.prunes.acceptedSize(name);
  return sizeAnomaly([...sizes.values()], anomaly, { now: deps.clock.now(), accepted });
}
