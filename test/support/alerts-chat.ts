import { pino } from "pino";
import { loadConfig } from "../../src/app/config.ts";
import { createDeps, type Deps } from "../../src/app/deps.ts";
import type { Clock } from "../../src/core/ports.ts";
import type { Signal } from "../../src/core/signal.ts";
import type { Stack } from "./stack.ts";

/** Reports alerts into the stack's Redis, as whatever receives them does. */
export interface Reporter extends AsyncDisposable {
  readonly deps: Deps;
  fire(title: string, change?: Partial<Signal>): Promise<void>;
  resolve(title: string, change?: Partial<Signal>): Promise<void>;
}

const machine: Clock = { now: () => new Date() };

export function reporterOf(stack: Stack, clock = machine): Reporter {
  const { config } = loadConfig({ path: stack.configFile, env: {}, requires: ["telegram", "redis"] });
  const logger = pino({ level: "silent" });
  const { deps, close } = createDeps({ config, logger, clock, role: "reporter" });
  let last = 0;
  const report = async (status: Signal["status"], title: string, change: Partial<Signal>): Promise<void> => {
    const labels = { alertname: title.replaceAll(/\W/g, ""), env: "prod" };
    const signal: Signal = {
      source: "events",
      status,
      severity: "critical",
      title,
      labels,
      fingerprint: title,
      ...change,
    };
    // What begins in the same millisecond is in no order.
    while (clock === machine && Date.now() === last) await new Promise(setImmediate);
    await deps.alerts.receive([signal]);
    last = Date.now();
  };
  return {
    deps,
    fire: async (title, change = {}) => await report("firing", title, change),
    resolve: async (title, change = {}) => await report("resolved", title, change),
    [Symbol.asyncDispose]: close,
  };
}

/** The first chat gets every alert in its topic "alerts". */
export const intoAlertsTopic = [{ match: {}, chat: "ops", topic: "alerts" }];
export const alertsTopic = 12;
