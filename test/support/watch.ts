import { pino } from "pino";
import { onTestFinished } from "vitest";
import { alertsSchema } from "../../src/app/config/alerts.ts";
import type { Config } from "../../src/app/config.ts";
import { createDeps, type Deps } from "../../src/app/deps.ts";
import type { Incident } from "../../src/core/incident.ts";
import { botWatch } from "../../src/services/watch/index.ts";
import type { Watch } from "../../src/services/watch/watch.ts";
import type { Presence } from "../../src/state/presence.ts";
import { noServers } from "./no-servers.ts";
import { ManualClock, type RedisFixture } from "./state.ts";

export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;

/** State in a real Redis, a clock that stands still, and processes that live when the test says so. */
export interface WatchWorld {
  readonly clock: ManualClock;
  readonly deps: Deps;
  readonly watch: Watch;
  /** Processes that are alive: they write themselves down whenever time passes. */
  readonly alive: Set<Presence>;
  /** Another process with the same state, and another configuration if it is given. */
  readonly process: (change?: object) => Deps;
  /** A bot that goes on with the watch. */
  readonly takeOver: (change?: object) => Watch;
  /** Time passes, as the loop of a bot sees it: with a look every few seconds. */
  readonly pass: (ms: number) => Promise<void>;
  /** Open incidents of the watch, all or those of a check: severity and title. */
  readonly open: (check?: string) => Promise<string[]>;
  readonly incidents: () => Promise<Incident[]>;
  /** Whether Telegram answers. */
  readonly telegram: { answers: boolean; asked: number };
}

export function presence(role: "bot" | "worker", host = "db-1", extra: Partial<Presence> = {}): Presence {
  return {
    role,
    host,
    pid: 4000 + Math.floor(Math.random() * 1e6),
    version: "1.0.0",
    startedAt: "2026-03-01T00:00:00.000Z",
    state: "working",
    seenAt: "",
    ...extra,
  };
}

export function watchWorld(fixture: RedisFixture, change: object = {}): WatchWorld {
  const clock = new ManualClock("2026-03-01T12:00:00Z");
  const prefix = fixture.keys().root.split(":")[0] ?? "";
  const logger = pino({ level: "silent" });
  const process = (own: object = {}): Deps => {
    const { backups, ...config } = {
      timezone: "UTC",
      locale: "en",
      redis: { url: fixture.server.url, prefix },
      worker: { host: "db-1", concurrency: 1 },
      ...noServers,
      telegram: { chats: { ops: { id: -1001, topics: { alerts: 12 } } }, users: [] },
      alerts: alertsSchema.parse({}),
      heartbeats: [],
      hooks: {},
      daily: { at: "09:00" },
      storages: {},
      backups: [{ name: "app", schedule: "0 3 * * *", storages: [], encrypt: false, catchUp: true }],
      ...change,
      ...own,
    };
    const whole = { ...config, backups: backups.map((backup) => ({ verify: {}, ...backup })) } as unknown as Config;
    const { deps, close } = createDeps({ config: whole, logger, clock, role: "test" });
    onTestFinished(close);
    return deps;
  };
  const deps = process();
  const telegram = { answers: true, asked: 0 };
  const probe = async (): Promise<void> => {
    telegram.asked += 1;
    if (!telegram.answers) throw new Error("no answer");
  };
  const takeOver = (own: object = {}): Watch => botWatch({ ...process(own), probe });
  const watch = botWatch({ ...deps, probe });
  const alive = new Set<Presence>();
  const live = async (): Promise<void> => {
    for (const one of alive) await deps.presences.write({ ...one, seenAt: clock.now().toISOString() });
  };
  const incidents = async (): Promise<Incident[]> =>
    (await deps.incidents.open()).filter(({ source }) => source === "watch");
  return {
    clock,
    deps,
    watch,
    alive,
    process,
    takeOver,
    telegram,
    pass: async (ms) => {
      await live();
      await watch.step();
      for (let passed = 0; passed < ms; ) {
        const next = Math.min(10 * second, ms - passed);
        passed += next;
        clock.advance(next);
        await live();
        await watch.step();
      }
    },
    incidents,
    open: async (check) =>
      (await incidents())
        .filter(({ labels }) => check === undefined || labels["check"] === check)
        .map(
          ({ severity, title }) =>
            `${severity} ${typeof title === "string" ? title : title.key.replace(/^watch-/, "")}`,
        ),
  };
}
