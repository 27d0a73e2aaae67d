import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { BotMetrics } from "../bot/context.ts";
import { storedBytes } from "../core/run.ts";
import type { Deps } from "./deps.ts";

/** Names start with `vakhta_`; values of Redis are read when they are asked for. */
export function createRegistry(deps: Deps, role: "bot" | "worker"): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ role });
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: "vakhta_cards_backlog",
    help: "Placements of cards that wait to be shown",
    registers: [registry],
    async collect() {
      this.set(await deps.cards.backlog());
    },
  });
  new Gauge({
    name: "vakhta_jobs",
    help: "Jobs by queue and state",
    labelNames: ["queue", "state"],
    registers: [registry],
    async collect() {
      this.reset();
      const counts = await deps.producer.counts([deps.host]);
      for (const [queue, states] of Object.entries(counts))
        for (const [state, count] of Object.entries(states)) this.set({ queue, state }, count);
    },
  });
  backupGauges(deps, registry);
  return registry;
}

function backupGauges(deps: Deps, registry: Registry): void {
  const size = new Gauge({
    name: "vakhta_backup_last_size_bytes",
    help: "Stored size of the last good backup",
    labelNames: ["backup"],
    registers: [registry],
  });
  const duration = new Gauge({
    name: "vakhta_backup_last_duration_seconds",
    help: "Duration of the last good backup",
    labelNames: ["backup"],
    registers: [registry],
  });
  new Gauge({
    name: "vakhta_backup_last_success_timestamp_seconds",
    help: "When the last good backup was finished",
    labelNames: ["backup"],
    registers: [registry],
    async collect() {
      for (const { name } of deps.config.backups) {
        const manifest = (await deps.runs.lastGood(name))?.manifest;
        if (!manifest) continue;
        const finished = Date.parse(manifest.finishedAt) / 1000;
        this.set({ backup: name }, finished);
        size.set({ backup: name }, storedBytes(manifest));
        duration.set({ backup: name }, finished - Date.parse(manifest.startedAt) / 1000);
      }
    },
  });
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
