import { Counter, collectDefaultMetrics, Registry } from "prom-client";
import type { BotMetrics } from "../bot/context.ts";
import type { Manifest } from "../core/manifest.ts";
import { storedBytes } from "../core/run.ts";
import { catalogueGauges } from "./catalogue-metrics.ts";
import type { Deps } from "./deps.ts";
import { redisGauge } from "./redis-gauges.ts";

/** Names start with `vakhta_`; values of Redis are read when they are asked for. */
export function createRegistry(deps: Deps, role: "bot" | "worker"): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ role });
  collectDefaultMetrics({ register: registry });
  const backlog = { name: "vakhta_cards_backlog", help: "Placements of cards that wait to be shown" };
  redisGauge(registry, backlog, async (gauge) => gauge.set(await deps.cards.backlog()));
  const jobs = { name: "vakhta_jobs", help: "Jobs by queue and state", labelNames: ["queue", "state"] };
  redisGauge(registry, jobs, async (gauge) => {
    const counts = await deps.producer.counts([deps.host]);
    for (const [queue, states] of Object.entries(counts))
      for (const [state, count] of Object.entries(states)) gauge.set({ queue, state }, count);
  });
  backupGauges(deps, registry);
  catalogueGauges(deps, registry);
  return registry;
}

function backupGauges(deps: Deps, registry: Registry): void {
  const gauge = (name: string, help: string, value: (manifest: Manifest) => number): void => {
    redisGauge(registry, { name, help, labelNames: ["backup"] }, async (all) => {
      for (const backup of deps.config.backups) {
        const manifest = (await deps.runs.lastGood(backup.name))?.manifest;
        if (manifest) all.set({ backup: backup.name }, value(manifest));
      }
    });
  };
  const seconds = (iso: string): number => Date.parse(iso) / 1000;
  gauge("vakhta_backup_last_size_bytes", "Stored size of the last good backup", storedBytes);
  gauge("vakhta_backup_last_duration_seconds", "Duration of the last good backup", ({ startedAt, finishedAt }) => {
    return seconds(finishedAt) - seconds(startedAt);
  });
  gauge("vakhta_backup_last_success_timestamp_seconds", "When the last good backup was finished", ({ finishedAt }) =>
    seconds(finishedAt),
  );
}

/** Counters of the chat's side. */
export function botMetrics(registry: Registry): BotMetrics {
  const updates = new Counter({
    name: "vakhta_telegram_updates_total",
    help: "Updates received",
    labelNames: ["kind"],
    registers: [registry],
  });
  const strangers = new Counter({
    name: "vakhta_telegram_strangers_total",
    help: "Updates from people or chats that are not listed",
    registers: [registry],
  });
  const deliveries = new Counter({
    name: "vakhta_cards_delivered_total",
    help: "Sends and edits of cards",
    labelNames: ["what"],
    registers: [registry],
  });
  return {
    update: (kind) => updates.inc({ kind }),
    stranger: () => strangers.inc(),
    delivered: (what) => deliveries.inc({ what }),
  };
}
