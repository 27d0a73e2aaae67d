import { z } from "zod";
import type { Logger } from "../lib/logger.ts";
import { createProvider, providerKindOf } from "../providers/index.ts";
import type { Provider, ServerTarget } from "../providers/types.ts";
import { type Exporter, startExporter } from "../sandbox/servers/exporter.ts";
import { startTimewebSandbox, type TimewebSandbox } from "../sandbox/timeweb/index.ts";
import { LookMemories } from "../state/look-memory.ts";
import { connectRedis, Keys } from "../state/redis.ts";
import { ServerHistory } from "../state/server-history.ts";
import { ServerStates } from "../state/servers.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** What was measured before the demo began: a week, the last day of it closely. */
const past = [
  { from: 7 * day, to: day, step: hour },
  // A chart draws a line through what is no more than two and a half intervals apart.
  { from: day, to: 0, step: 5 * minute },
];

/** When in the past somebody restarted web-2. */
const rebootedBefore = 9 * hour;

/** Servers to look at: those of a made-up account of Timeweb Cloud, one with an exporter, and this machine. */
export interface DemoServers {
  readonly timeweb: TimewebSandbox;
  readonly exporter: Exporter;
  /** Their part of the configuration. */
  readonly settings: Readonly<Record<"providers" | "servers" | "stats" | "rules", unknown>>;
  /**
   * Looks at them as they were in the week before, and writes that down as a worker would have done; from then on their
   * time is the present.
   */
  playPast(redisUrl: string, prefix: string, logger: Logger): Promise<void>;
  stop(): Promise<void>;
}

export async function startServers(): Promise<DemoServers> {
  const begun = Date.now();
  let pastNow: number | undefined = begun - (past[0]?.from ?? 0);
  const clock = { now: () => new Date(pastNow ?? Date.now()) };
  const timeweb = await startTimewebSandbox({
    clock,
    stepMs: 30_000,
    // A restart that can be watched, and is over before anybody is bored.
    durations: { goingDown: 8000, hardGoingDown: 3000, down: 3000, booting: 10_000 },
    servers: [
      { id: 101, name: "web-1", cores: 4, ram: 8192, addresses: ["203.0.113.11"], load: { cpu: 0.45, memory: 0.62 } },
      { id: 102, name: "web-2", cores: 4, ram: 8192, addresses: ["203.0.113.12"], load: { cpu: 0.3, memory: 0.48 } },
      {
        id: 103,
        name: "db-1",
        cores: 8,
        ram: 32_768,
        addresses: ["203.0.113.21"],
        load: { cpu: 0.25, memory: 0.74 },
        // Full within two days.
        disks: [{ size: 81_920, used: 47_000, growth: 3600 }],
      },
      { id: 104, name: "stage-1", status: "off", addresses: ["203.0.113.41"] },
    ],
    databases: [{ id: 501, name: "crm" }],
    buckets: [{ id: 701, name: "media", size: 104_857_600, used: 71_000_000, objects: 48_200 }],
    domains: [{ fqdn: "example.org", expiration: new Date(begun + 200 * day).toISOString().slice(0, 10) }],
    finances: { balance: 8400, hourly_cost: 11.5, hours_left: 730 },
  });
  const exporter = await startExporter({ now: clock.now });
  exporter.set("gw-1", { cores: 2, cpu: 0.18, memory: 0.4, disk: 0.33, networkIn: 2_400_000, networkOut: 3_100_000 });
  const account = { token: timeweb.token, apiUrl: timeweb.url, rate: 10, burst: 10 };
  const ofTimeweb = [
    { name: "web-1", id: 101, labels: { env: "prod" } },
    { name: "web-2", id: 102, labels: { env: "prod" } },
    { name: "db-1", id: 103, labels: { env: "prod" } },
    { name: "stage-1", id: 104, labels: { env: "stage" } },
  ];
  const gateway = { name: "gw-1", url: exporter.url("gw-1") };
  return {
    timeweb,
    exporter,
    settings: {
      providers: { timeweb: account },
      servers: [
        ...ofTimeweb.map((server) => ({ ...server, provider: "timeweb" })),
        { ...gateway, provider: "node-exporter" },
        { name: "here", provider: "local" },
      ],
      stats: { every: "2m" },
      rules: [
        { name: "cpu", when: "cpu > 90", for: "4m", clear: "cpu < 80", severity: "critical", match: { env: "prod" } },
        { name: "disk", when: "disk > 85", for: "4m", clear: "disk < 80", severity: "warning", match: { env: "prod" } },
      ],
    },
    async playPast(redisUrl, prefix, logger) {
      const redis = connectRedis(redisUrl, logger, "past");
      const keys = new Keys(prefix);
      const deps = {
        clock,
        logger,
        host: "demo",
        every: hour,
        // The worker goes on with what was counted last.
        memory: new LookMemories(redis, keys),
        // Nobody holds this API to a pace.
        rateLimit: () => ({ take: async () => undefined, penalize: async () => undefined }),
      };
      const targets = (kind: string, entries: readonly { readonly name: string }[]): ServerTarget[] =>
        entries.map(({ name, ...entry }) => ({ name, config: looseOf(kind).parse(entry) }));
      const looked = [
        {
          provider: createProvider("timeweb", { name: "timeweb", config: accountOf("timeweb", account) }, deps),
          servers: targets("timeweb", ofTimeweb),
        },
        {
          provider: createProvider("node-exporter", undefined, deps),
          servers: targets("node-exporter", [gateway]),
        },
      ];
      const kept = {
        states: new ServerStates(redis, keys),
        history: new ServerHistory(redis, keys, { raw: 7 * day, hourly: 400 * day }),
      };
      try {
        for (const at of pastTimes(begun)) {
          const rebootAt = begun - rebootedBefore;
          if (pastNow !== undefined && pastNow < rebootAt && at >= rebootAt) timeweb.power(102, "reboot");
          pastNow = at;
          await lookAtAll(looked, kept, new Date(at));
        }
        pastNow = undefined;
        await lookAtAll(looked, kept, new Date());
      } finally {
        await Promise.all(looked.map(({ provider }) => provider.close()));
        redis.disconnect();
      }
    },
    async stop() {
      await exporter.stop();
      await timeweb.close();
    },
  };
}

/** Of an entry under `servers:`, labels and all. */
function looseOf(kind: string): z.ZodType {
  return providerKindOf(kind).serverSchema.strip();
}

function accountOf(kind: string, settings: object): unknown {
  return (providerKindOf(kind).accountSchema ?? z.unknown()).parse(settings);
}

function* pastTimes(end: number): Generator<number> {
  for (const { from, to, step } of past) for (let at = end - from; at < end - to; at += step) yield at;
}

/** One round of looks, written down as polls are. */
async function lookAtAll(
  looked: readonly { readonly provider: Provider; readonly servers: readonly ServerTarget[] }[],
  { states, history }: { readonly states: ServerStates; readonly history: ServerHistory },
  now: Date,
): Promise<void> {
  for (const { provider, servers } of looked) {
    for await (const look of provider.looks(servers, AbortSignal.timeout(30_000))) {
      await states.note(look, now);
      if (!("reading" in look) || Object.keys(look.reading.metrics).length === 0) continue;
      await history.append(look.name, look.reading, now);
      await history.fold(look.name, now);
    }
  }
}
