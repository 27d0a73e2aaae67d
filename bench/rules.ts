/**
 * A pass of the rules over many servers, all of which have just been read: see bench/README.md.
 *
 *   node bench/rules.ts [--servers <n>] [--runs <n>] [--json <file>]
 */
import { writeFile } from "node:fs/promises";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { Redis } from "ioredis";
import { pino } from "pino";
import { rulesSchema } from "../src/app/config/rules.ts";
import { statsSchema } from "../src/app/config/servers.ts";
import { compileFor, saveMemory } from "../src/app/v8-flags.ts";
import { dayMs } from "../src/core/compact.ts";
import type { MetricName, MetricValues } from "../src/core/metric.ts";
import type { Columns } from "../src/core/series.ts";
import type { ServerState } from "../src/core/server-state.ts";
import { startRedis } from "../src/sandbox/servers/redis.ts";
import { RuleRunner, type RuleRunnerDeps } from "../src/services/servers/rules.ts";
import { Keys } from "../src/state/redis.ts";
import { RuleStates } from "../src/state/rule-states.ts";
import { ServerHistory } from "../src/state/server-history.ts";
import { ServerStates } from "../src/state/servers.ts";
import { type Aim, aim, aimTable, median } from "./report.ts";

const { values: options } = parseArgs({
  options: {
    servers: { type: "string", default: "1000" },
    runs: { type: "string", default: "15" },
    json: { type: "string" },
  },
});
// As a worker with so many servers does it.
saveMemory();
compileFor(Number(options.servers));
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const count = Number(options.servers);
const runs = Number(options.runs);
const every = 300_000;
/** Servers whose history is made reading by reading; the others have the same. */
const models = 10;
const now = new Date("2026-03-10T12:00:00Z");

/** What people have, and what looks back for as long as it can be wanted. */
const rules = rulesSchema.parse([
  { name: "cpu", when: "cpu > 90", for: "10m", clear: "cpu < 80", severity: "critical" },
  { name: "memory", when: "memory > 95 and swap > 50", for: "10m" },
  { name: "load", when: "avg(load_per_core, 30m) > 4", clear: "avg(load_per_core, 30m) < 3" },
  { name: "traffic", when: "avg(network_in, 1h) > 80 Mbit/s or rate(network_out, 6h) > 10 MB/s/h" },
  { name: "full", when: "full_in(disk, 4d) < 24h", clear: "full_in(disk, 4d) > 48h", severity: "critical" },
  { name: "grown", when: "change(memory, 4d) > 30 and min(memory, 4d) > 20" },
]);

await using server = await startRedis({ appendOnly: false });
const redis = new Redis(server.url);
const keys = new Keys("bench");
const stats = statsSchema.parse({});
const serverStates = new ServerStates(redis, keys);
const serverHistory = new ServerHistory(redis, keys, stats.keep);
const ruleStates = new RuleStates(redis, keys);
const names = Array.from({ length: count }, (_, index) => `web-${index}`);
await fill();
const deps: RuleRunnerDeps = {
  config: {
    rules,
    servers: names.map((name) => ({ name, provider: "local", kind: "local", labels: { env: "prod" }, config: {} })),
    stats,
    timezone: "UTC",
  },
  clock: { now: () => now },
  logger: pino({ level: "silent" }),
  // What becomes of an incident is measured by bench/alerts.ts.
  alerts: { receive: async () => ({}) },
  serverStates,
  serverHistory,
  ruleStates,
};
const whole = await measure(() => new RuleRunner(deps));
const known = await preloaded();
const calculation = await measure(() => new RuleRunner({ ...deps, ...known }));
redis.disconnect();
await report();

/** One reading of a server at a time, a little different for each. */
function reading(model: number, at: number): MetricValues {
  const step = Math.floor(at / every);
  const noise = Math.abs(Math.sin((step + 1) * (model + 1) * 12.9898) * 43_758.5453) % 1;
  const day = Math.sin((at / dayMs) * 2 * Math.PI);
  return {
    cpu: 30 + 20 * day + 10 * noise,
    memory: 50 + 5 * noise,
    swap: 5 * noise,
    disk: 40 + (model * 5 * (at % (6 * dayMs))) / (6 * dayMs) + 0.1 * noise,
    load_per_core: 1 + noise,
    network_in: 1e6 * (2 + day + noise),
    network_out: 2e6 * (2 + day + noise),
  };
}

/** Five days of readings of every server. */
async function fill(): Promise<void> {
  for (let model = 0; model < models; model++)
    for (let at = now.getTime() - 5 * dayMs; at <= now.getTime(); at += every)
      await serverHistory.append(names[model] ?? "", { at: new Date(at), metrics: reading(model, at) }, new Date(at));
  const pipeline = redis.pipeline();
  for (const [index, name] of names.entries()) {
    const model = index % models;
    const [from, to] = [keys.of("server-history", `web-${model}`), keys.of("server-history", name)];
    for (let day = Math.floor(now.getTime() / dayMs) - 5; day <= Math.floor(now.getTime() / dayMs); day++)
      if (index >= models) pipeline.copy(`${from}:d${day}`, `${to}:d${day}`);
  }
  await pipeline.exec();
  for (const [index, name] of names.entries()) {
    const metrics = reading(index % models, now.getTime());
    await serverStates.note({ name, reading: { at: now, metrics }, tookMs: 10 }, now);
  }
  say(`${count} servers, ${rules.length} rules, five days of readings`);
}

/** The same answers out of memory: what is left is the calculation. */
async function preloaded(): Promise<Pick<RuleRunnerDeps, "serverStates" | "serverHistory" | "ruleStates">> {
  const states: Map<string, ServerState> = await serverStates.readAll(names);
  const series = new Map<MetricName, Map<string, Map<MetricName, Columns>>>();
  for (const metric of ["cpu", "memory", "load_per_core", "network_in", "network_out", "disk"] as const)
    series.set(metric, await serverHistory.columns(names, [metric], new Date(now.getTime() - 4.5 * dayMs), now));
  const pick = (name: string, metrics: readonly MetricName[]) =>
    new Map(metrics.flatMap((metric) => [...(series.get(metric)?.get(name) ?? [])]));
  return {
    serverStates: { readAll: async () => states },
    serverHistory: { columns: async (some, metrics) => new Map(some.map((name) => [name, pick(name, metrics)])) },
    ruleStates: Object.assign(Object.create(RuleStates.prototype) as RuleStates, {
      all: async () => new Map(),
      replace: async () => [],
    }),
  };
}

interface Pass {
  readonly ms: number;
  /** What this process's main thread has computed, whatever else the machine did. */
  readonly cpuMs: number;
  /** The longest time for which nobody else had a turn. */
  readonly heldMs: number;
}

async function measure(make: () => RuleRunner): Promise<Pass[]> {
  const passes: Pass[] = [];
  for (let run = 0; run < runs + 2; run++) {
    const runner = make();
    await redis.del(keys.of("rule-states"));
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const before = process.threadCpuUsage();
    const began = performance.now();
    const { servers } = await runner.step();
    const ms = performance.now() - began;
    const { user, system } = process.threadCpuUsage(before);
    delay.disable();
    if (servers !== count) throw new Error(`${servers} servers were looked at`);
    // Code is compiled in the first ones.
    if (run >= 2) passes.push({ ms, cpuMs: (user + system) / 1000, heldMs: delay.max / 1e6 });
  }
  return passes;
}

async function report(): Promise<void> {
  const of = (passes: readonly Pass[]) => ({
    median: median(passes.map(({ ms }) => ms)),
    processor: median(passes.map(({ cpuMs }) => cpuMs)),
    longest: Math.max(...passes.map(({ ms }) => ms)),
    held: Math.max(...passes.map(({ heldMs }) => heldMs)),
  });
  const found = { calculation: of(calculation), whole: of(whole) };
  const aims: Aim[] = [
    aim("rules pass, calculation: median, ms", found.calculation.median, 200),
    aim("rules pass, everything read from Redis: median, ms", found.whole.median, 200),
  ];
  for (const [what, { median: ms, processor, longest, held }] of Object.entries(found))
    say(
      `${what}: median ${ms.toFixed(0)} ms, of which computing ${processor.toFixed(0)} ms; longest ${longest.toFixed(0)} ms, others waited ${held.toFixed(0)} ms at most`,
    );
  process.stdout.write(`${aimTable(aims)}\n`);
  if (options.json)
    await writeFile(options.json, `${JSON.stringify({ servers: count, runs, ...found }, undefined, 2)}\n`);
}
