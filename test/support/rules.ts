import { pino } from "pino";
import type { z } from "zod";
import { rulesSchema } from "../../src/app/config/rules.ts";
import { statsSchema } from "../../src/app/config/servers.ts";
import type { ServerConfig } from "../../src/app/config.ts";
import type { MetricValues } from "../../src/core/metric.ts";
import { RuleRunner, type RuleRunnerDeps } from "../../src/services/servers/rules.ts";
import { RuleStates } from "../../src/state/rule-states.ts";
import { ServerHistory } from "../../src/state/server-history.ts";
import { ServerStates } from "../../src/state/servers.ts";
import { type AlertsSettings, type AlertsWorld, alertsWorld } from "./alerts.ts";
import type { RedisFixture } from "./state.ts";

export const minute = 60_000;

/** A rule as a person writes it. */
export type RuleInput = NonNullable<z.input<typeof rulesSchema>>[number];

/** Servers, what is read of them, and the rules about them, on one clock. */
export interface RulesWorld extends AlertsWorld {
  readonly ruleStates: RuleStates;
  readonly serverStates: ServerStates;
  readonly serverHistory: ServerHistory;
  /** Another worker, with other rules if they are given. */
  runner(rules?: readonly RuleInput[], change?: Partial<RuleRunnerDeps>): RuleRunner;
  /** A reading that was taken now. */
  read(server: string, metrics: MetricValues): Promise<void>;
  /** A look that gave nothing. */
  fail(server: string): Promise<void>;
}

export function rulesWorld(
  fixture: RedisFixture,
  rules: readonly RuleInput[],
  options: { readonly servers?: readonly ServerConfig[]; readonly alerts?: AlertsSettings } = {},
): RulesWorld {
  const world = alertsWorld(fixture, options.alerts);
  const { clock, keys } = world;
  const stats = statsSchema.parse({});
  const serverStates = new ServerStates(fixture.redis, keys);
  const serverHistory = new ServerHistory(fixture.redis, keys, stats.keep);
  const ruleStates = new RuleStates(fixture.redis, keys);
  const servers = options.servers ?? [aServer("web-1"), aServer("web-2"), aServer("db-1", { role: "db" })];
  const logger = pino({ level: "silent" });
  return {
    ...world,
    ruleStates,
    serverStates,
    serverHistory,
    runner: (own = rules, change = {}) => {
      const config = { rules: rulesSchema.parse(own), servers: [...servers], stats, timezone: "UTC" };
      return new RuleRunner({ ...world, config, logger, serverStates, serverHistory, ruleStates, ...change });
    },
    read: async (server, metrics) => {
      const now = clock.now();
      const reading = { at: now, metrics };
      await serverStates.note({ name: server, reading, tookMs: 10 }, now);
      await serverHistory.append(server, reading, now);
    },
    fail: async (server) => {
      const reason = { key: "error-interrupted" };
      await serverStates.note({ name: server, failure: "unreachable", reason, tookMs: 10 }, clock.now());
    },
  };
}

export function aServer(name: string, labels: Readonly<Record<string, string>> = { env: "prod" }): ServerConfig {
  return { name, provider: "node-exporter", kind: "node-exporter", labels, config: {} };
}
