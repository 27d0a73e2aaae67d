import { Gauge, type Registry } from "prom-client";
import type { HealthCheck } from "../http/routes/health.ts";
import type { Deps } from "./deps.ts";
import { redisGauge } from "./redis-gauges.ts";
import type { WatchLoop } from "./watch-loop.ts";

/** Without a step for so long the loop hangs; milliseconds. */
const lateStepMs = 30_000;

/** Adds what the bot knows of incidents and of its own watch to /metrics. */
export function watchMetrics(deps: Deps, registry: Registry, watch: WatchLoop): void {
  const incidents = { name: "vakhta_incidents_open", help: "Open incidents by severity", labelNames: ["severity"] };
  redisGauge(registry, incidents, async (all) => {
    for (const [severity, count] of Object.entries(await deps.incidents.openCounts())) all.set({ severity }, count);
  });
  const storms = {
    name: "vakhta_storms_raging",
    help: "Chats in which so many incidents begin that they share one card",
  };
  redisGauge(registry, storms, async (gauge) => gauge.set((await deps.storms.raging()).length));
  new Gauge({
    name: "vakhta_watch_leading",
    help: "1 in the bot that watches",
    registers: [registry],
    collect() {
      this.set(watch.watching ? 1 : 0);
    },
  });
  new Gauge({
    name: "vakhta_watch_last_step_timestamp_seconds",
    help: "When this bot last looked after incidents and the watch over ourselves, or found that another one does",
    registers: [registry],
    collect() {
      if (watch.sinceStepMs === undefined) this.remove();
      else this.set((deps.clock.now().getTime() - watch.sinceStepMs) / 1000);
    },
  });
}

/** For /readyz: what is open, and whether the watch is awake. */
export function watchHealth(deps: Deps, watch: WatchLoop): Readonly<Record<string, HealthCheck>> {
  return {
    alerts: async () => {
      const [counts, raging, backlog] = await Promise.all([
        deps.incidents.openCounts(),
        deps.storms.raging(),
        deps.cards.backlog(),
      ]);
      const { critical, warning, info } = counts;
      return `open: ${critical} critical, ${warning} warning, ${info} info; storms: ${raging.length}; waiting to be shown: ${backlog}`;
    },
    watch: () => {
      if ((watch.sinceStepMs ?? 0) > lateStepMs) throw new Error("no look for too long");
      return watch.watching ? "watching" : "standing by";
    },
  };
}
