import type { Registry } from "prom-client";
import type { DrillRecord } from "../core/drill.ts";
import type { Deps } from "./deps.ts";
import { redisGauge } from "./redis-gauges.ts";

/** Adds what the newest drill has found of each backup to /metrics. */
export function drillMetrics(deps: Deps, registry: Registry): void {
  const gauge = (name: string, help: string, value: (record: DrillRecord) => number | undefined) =>
    redisGauge(registry, { name, help, labelNames: ["backup"] }, async (all) => {
      for (const backup of deps.config.backups) {
        const [newest] = await deps.drills.results(backup.name);
        const found = newest && value(newest);
        if (found !== undefined) all.set({ backup: backup.name }, found);
      }
    });
  const seconds = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / 1000);
  gauge("vakhta_drill_rto_seconds", "Time that the recovery in the newest drill took", ({ rtoMs }) => seconds(rtoMs));
  gauge("vakhta_drill_rpo_seconds", "Age of the data that the newest drill has recovered", ({ rpoMs }) =>
    seconds(rpoMs),
  );
  gauge("vakhta_drill_success", "1 when the newest drill has recovered the backup, whatever it took", ({ status }) =>
    status === "passed" ? 1 : 0,
  );
  gauge(
    "vakhta_drill_timestamp_seconds",
    "When the newest drill of the backup began",
    ({ at }) => Date.parse(at) / 1000,
  );
}
