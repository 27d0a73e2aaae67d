import type { Registry } from "prom-client";
import { lastGood } from "../services/backup/last-good.ts";
import type { Deps } from "./deps.ts";
import { redisGauge } from "./redis-gauges.ts";

/** What the storages hold, as far as it is known: the newest good backup of each name, and how many there are where. */
export function catalogueGauges(deps: Deps, registry: Registry): void {
  const newest = {
    name: "vakhta_backup_last_good_timestamp_seconds",
    help: "When the newest backup began that has a sound copy and has failed no proof",
    labelNames: ["backup"],
  };
  redisGauge(registry, newest, async (all) => {
    for (const { name } of deps.config.backups) {
      const good = await lastGood(deps, name);
      if (good) all.set({ backup: name }, good.startedAt.getTime() / 1000);
    }
  });
  const copies = {
    name: "vakhta_backup_copies",
    help: "Backups of a name in a storage",
    labelNames: ["backup", "storage"],
  };
  redisGauge(registry, copies, async (all) => {
    for (const { name, storages } of deps.config.backups)
      for (const [storage, count] of await deps.catalogue.counts(name))
        if (count > 0 || storages.includes(storage)) all.set({ backup: name, storage }, count);
  });
}
