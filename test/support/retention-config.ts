import { alertsSchema } from "../../src/app/config/alerts.ts";
import type { Config } from "../../src/app/config.ts";
import { noServers } from "./no-servers.ts";

/** The configuration of a worker that keeps order in storages; everything that a test does not care about has a value. */
export function retentionConfig(redis: { readonly url: string; readonly prefix: string }, change: object): Config {
  return {
    timezone: "UTC",
    locale: "en",
    redis,
    worker: { host: "db-1", concurrency: 1, lease: 30_000 },
    telegram: { chats: { ops: { id: -1001, topics: { backups: 15 } } }, users: [] },
    alerts: alertsSchema.parse({}),
    heartbeats: [],
    hooks: {},
    ...noServers,
    storages: {},
    backups: [],
    ...change,
  } as unknown as Config;
}

/** A backup as the configuration has it. */
export function aBackup(change: object = {}): object {
  return {
    name: "app",
    source: { kind: "postgres", url: "postgres://nobody@127.0.0.1:1/none" },
    storages: ["local"],
    encrypt: false,
    catchUp: true,
    keep: { local: { last: 3 } },
    hooks: { before: [], after: [], timeout: 60_000 },
    verify: { depth: "stored" },
    anomaly: false,
    ...change,
  };
}
