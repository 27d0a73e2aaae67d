import { Gauge, type Registry } from "prom-client";
import type { Deps } from "./deps.ts";
import { fromRedis } from "./redis-gauges.ts";

/** Adds how backups were proven to /metrics. */
export function verifyMetrics(deps: Deps, registry: Registry): void {
  const labelNames = ["backup", "storage", "depth"];
  const gauge = (name: string, help: string, value: (look: { at: string; ok: boolean; elapsedMs: number }) => number) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        this.reset();
        await fromRedis([], async () => {
          const names = new Set(deps.config.backups.map((backup) => backup.name));
          for (const look of await deps.verifications.lastLooks())
            if (names.has(look.name))
              this.set({ backup: look.name, storage: look.storage, depth: look.depth }, value(look));
        });
      },
    });
  gauge(
    "vakhta_verify_last_timestamp_seconds",
    "When a copy of the backup was looked at last",
    ({ at }) => Date.parse(at) / 1000,
  );
  gauge("vakhta_verify_last_ok", "1 when the newest look found the copy to be good", ({ ok }) => (ok ? 1 : 0));
  gauge("vakhta_verify_last_duration_seconds", "Duration of the newest look", ({ elapsedMs }) => elapsedMs / 1000);
  new Gauge({
    name: "vakhta_backup_restore_seconds",
    help: "Duration of the newest test-restore: the measured recovery time",
    labelNames: ["backup"],
    registers: [registry],
    async collect() {
      this.reset();
      await fromRedis([], async () => {
        for (const { name } of deps.config.backups) {
          const [newest] = await deps.verifications.restores(name);
          if (newest) this.set({ backup: name }, newest.restoreMs / 1000);
        }
      });
    },
  });
}
