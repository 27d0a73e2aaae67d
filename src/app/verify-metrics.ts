import type { Registry } from "prom-client";
import type { Deps } from "./deps.ts";
import { redisGauge } from "./redis-gauges.ts";

/** Adds how backups were proven to /metrics. */
export function verifyMetrics(deps: Deps, registry: Registry): void {
  const gauge = (name: string, help: string, value: (look: { at: string; ok: boolean; elapsedMs: number }) => number) =>
    redisGauge(registry, { name, help, labelNames: ["backup", "storage", "depth"] }, async (all) => {
      const names = new Set(deps.config.backups.map((backup) => backup.name));
      for (const look of await deps.verifications.lastLooks())
        if (names.has(look.name)) all.set({ backup: look.name, storage: look.storage, depth: look.depth }, value(look));
    });
  gauge(
    "vakhta_verify_last_timestamp_seconds",
    "When a copy of the backup was looked at last",
    ({ at }) => Date.parse(at) / 1000,
  );
  gauge("vakhta_verify_last_ok", "1 when the newest look found the copy to be good", ({ ok }) => (ok ? 1 : 0));
  gauge("vakhta_verify_last_duration_seconds", "Duration of the newest look", ({ elapsedMs }) => elapsedMs / 1000);
  const restore = {
    name: "vakhta_backup_restore_seconds",
    help: "Duration of the newest test-restore: the measured recovery time",
    labelNames: ["backup"],
  };
  redisGauge(registry, restore, async (all) => {
    for (const { name } of deps.config.backups) {
      const [newest] = await deps.verifications.restores(name);
      if (newest) all.set({ backup: name }, newest.restoreMs / 1000);
    }
  });
}
