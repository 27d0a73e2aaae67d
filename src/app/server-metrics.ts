import type { Registry } from "prom-client";
import { type MetricName, metricNames, metricUnits } from "../core/metric.ts";
import { isStale, type ServerState } from "../core/server-state.ts";
import { overdueServers } from "../services/watch/polls.ts";
import type { ServerConfig } from "./config.ts";
import type { Deps } from "./deps.ts";
import { redisGauge } from "./redis-gauges.ts";

/** How Prometheus writes a unit behind a name. */
const suffixes: Readonly<Record<(typeof metricUnits)[MetricName], string>> = {
  percent: "_percent",
  bytes: "_bytes",
  "bytes-per-second": "_bytes_per_second",
  seconds: "_seconds",
  number: "",
};

/** "vakhta_server_disk_free_bytes". */
function nameOf(metric: MetricName): string {
  const plain = metric.replace(/_(?:bytes|seconds)$/, "");
  return `vakhta_server_${plain}${suffixes[metricUnits[metric]]}`;
}

type Known = readonly (readonly [ServerConfig, ServerState])[];

/** Adds the newest values of all servers to /metrics. Those that are too old to speak of now are left out. */
export function serverMetrics(deps: Deps, registry: Registry): void {
  const { config, clock, serverStates, watchState } = deps;
  const { servers, stats } = config;
  if (servers.length === 0) return;
  const labelNames = ["server", ...new Set(servers.flatMap(({ labels }) => Object.keys(labels)))];
  const labelsOf = ({ name, labels }: ServerConfig) => ({ ...labels, server: name });
  // One look into Redis for all that are collected at the same time.
  let reading: Promise<Known> | undefined;
  const read = async (): Promise<Known> => {
    const states = await serverStates.readAll(servers.map(({ name }) => name));
    return servers.flatMap((server) => {
      const state = states.get(server.name);
      return state ? [[server, state] as const] : [];
    });
  };
  const known = (): Promise<Known> => {
    reading ??= read().finally(() => (reading = undefined));
    return reading;
  };
  const gauge = (name: string, help: string, value: (state: ServerState, now: Date) => number | undefined): void => {
    redisGauge(registry, { name, help, labelNames }, async (all) => {
      const now = clock.now();
      for (const [server, state] of await known()) {
        const found = value(state, now);
        if (found !== undefined) all.set(labelsOf(server), found);
      }
    });
  };
  for (const metric of metricNames)
    gauge(nameOf(metric), `Newest ${metric} of the server`, (state, now) =>
      isStale(state, stats.every, now) ? undefined : state.reading?.metrics[metric],
    );
  gauge("vakhta_server_up", "1 when the last look at the server succeeded and it is on", ({ failure, status }) =>
    failure === undefined && (status === undefined || status === "on" || status === "unknown") ? 1 : 0,
  );
  gauge("vakhta_server_poll_age_seconds", "Time since the last look at the server", ({ lookedAt }, now) =>
    Math.max(0, (now.getTime() - lookedAt.getTime()) / 1000),
  );
  gauge("vakhta_server_poll_duration_seconds", "What the last look at the server took", ({ tookMs }) => tookMs / 1000);
  const overdue = {
    name: "vakhta_polls_overdue",
    help: "Servers that were not looked at for more than two intervals",
  };
  redisGauge(registry, overdue, async (gauge) => {
    const now = clock.now();
    const { awakeSince = now } = (await watchState.watching("bot")) ?? {};
    gauge.set((await overdueServers(deps, { now, since: awakeSince })).length);
  });
}
