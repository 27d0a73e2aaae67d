import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { stringify } from "yaml";
import { createJobHandlers } from "../../jobs/index.ts";
import { systemClock } from "../app/clock.ts";
import { type BotConfig, loadConfig } from "../app/config.ts";
import { createDeps } from "../app/deps.ts";
import { runBot } from "../app/run-bot.ts";
import { runWorker } from "../app/run-worker.ts";
import { runShutdown } from "../app/shutdown.ts";
import { createWorkerDeps } from "../app/worker-deps.ts";
import { generateIdentity, recipientOf } from "../lib/crypto.ts";
import { createLogger, type Logger } from "../lib/logger.ts";
import { startPostgres } from "../sandbox/servers/postgres.ts";
import { startRedis } from "../sandbox/servers/redis.ts";
import { startS3 } from "../sandbox/servers/s3.ts";
import { startTelegramSandbox, type TelegramSandbox } from "../sandbox/telegram/index.ts";
import { blogSql, shopSql } from "./sample.ts";
import { type DemoServers, startServers } from "./servers.ts";

const token = "4200000001:AAdemoTokenOfTheLocalSandbox-0123456";
const botId = 4200000001;
const prefix = "vakhta";
export const opsChat = -1002000000001;
export const alertsTopic = 12;
export const backupsTopic = 15;
export const heartbeat = {
  name: "nightly-import",
  key: "nightly_import_of_the_demo",
  every: "1d",
  grace: "1h",
} as const;
export const alice = 111;

const people = [
  { id: alice, name: "alice", first_name: "Alice", label: "admin", role: "admin" },
  { id: 222, name: "bob", first_name: "Bob", label: "operator", role: "operator" },
  { id: 333, name: "vera", first_name: "Vera", label: "viewer", role: "viewer" },
  { id: 666, name: "mallory", first_name: "Mallory", label: "stranger", role: undefined },
];

/** Everything of the demo, running. */
export interface DemoWorld {
  readonly sandbox: TelegramSandbox;
  readonly config: BotConfig;
  readonly logger: Logger;
  readonly logFile: string;
  /** Secret key of the encrypted backup. */
  readonly identity: string;
  readonly databaseUrl: string;
  /** Where alerts are sent to, and what has to be known for it. */
  readonly hooks: { readonly url: string; readonly token: string };
  readonly s3: { readonly endpoint: string; readonly bucket: string };
  readonly servers: DemoServers;
  stop(): Promise<void>;
}

/** Starts the private servers, Telegram's sandbox, the bot and the worker. `say` is told what is being done. */
export async function startWorld(options: {
  readonly port: number;
  say(what: "servers" | "data" | "processes"): void;
}): Promise<DemoWorld> {
  const stops: { name: string; run: () => Promise<unknown> }[] = [];
  const folder = mkdtempSync(join(tmpdir(), "vakhta-demo-"));
  stops.push({ name: "folder", run: async () => rmSync(folder, { recursive: true, force: true }) });
  const logFile = join(folder, "demo.log");
  const logger = createLogger({ name: "demo", destination: pino.destination({ dest: logFile, sync: true }) });
  const stop = async (): Promise<void> => {
    const steps = stops.toReversed().map((step) => ({ ...step, timeoutMs: 25_000 }));
    stops.length = 0;
    await runShutdown(steps, logger);
  };
  try {
    options.say("servers");
    const redis = await startRedis();
    stops.push({ name: "redis", run: () => redis.stop() });
    const postgres = await startPostgres();
    stops.push({ name: "postgres", run: () => postgres.stop() });
    const s3 = await startS3({ bucket: "vakhta-demo" });
    stops.push({ name: "s3", run: () => s3.stop() });
    const sandbox = await startSandbox(options.port);
    stops.push({ name: "telegram", run: () => sandbox.close() });
    const servers = await startServers();
    stops.push({ name: "servers", run: () => servers.stop() });
    options.say("data");
    const [databaseUrl, blogUrl] = await Promise.all([
      postgres.createDatabase("shop", shopSql),
      postgres.createDatabase("blog", blogSql),
      servers.playPast(redis.url, prefix, logger),
    ]);
    options.say("processes");
    const identity = await generateIdentity();
    const localFolder = join(folder, "backups");
    mkdirSync(localFolder);
    const file = join(folder, "vakhta.yaml");
    const httpToken = randomBytes(12).toString("hex");
    const backups = [
      { name: "shop", source: { kind: "postgres", url: databaseUrl }, schedule: "0 3 * * *", encrypt: false },
      { name: "blog", source: { kind: "postgres", url: blogUrl }, schedule: "30 3 * * *" },
    ];
    const settings = {
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      redis: { url: redis.url, prefix },
      http: { port: 0, workerPort: 0, token: httpToken },
      telegram: {
        token,
        apiRoot: sandbox.apiRoot,
        chats: { ops: { id: opsChat, topics: { alerts: alertsTopic, backups: backupsTopic } } },
        users: people.flatMap(({ id, name, role }) => (role === undefined ? [] : [{ id, name, role }])),
      },
      storages: {
        local: { kind: "local", path: localFolder },
        offsite: {
          kind: "s3",
          endpoint: s3.endpoint,
          region: s3.region,
          bucket: s3.bucket,
          prefix: "demo",
          accessKeyId: s3.accessKeyId,
          secretAccessKey: s3.secretAccessKey,
          forcePathStyle: true,
        },
      },
      encryption: { recipients: [await recipientOf(identity)] },
      backups,
      alerts: { routes: [{ match: {}, chat: "ops", topic: "alerts", repeat: "4h" }] },
      daily: { chat: "ops", topic: "alerts" },
      heartbeats: [heartbeat],
      ...servers.settings,
    };
    writeFileSync(file, stringify(settings));
    const { config } = loadConfig({ path: file, requires: ["telegram", "redis", "storages", "sources", "providers"] });
    const worker = createWorkerDeps({
      config,
      logger: logger.child({ process: "worker" }),
      clock: systemClock,
      role: "worker",
    });
    const runningWorker = await runWorker(worker.deps, createJobHandlers(worker.deps), worker.close);
    stops.push({ name: "worker", run: () => runningWorker.stop() });
    const bot = createDeps({ config, logger: logger.child({ process: "bot" }), clock: systemClock, role: "bot" });
    const runningBot = await runBot({ ...bot.deps, config }, bot.close);
    stops.push({ name: "bot", run: () => runningBot.stop() });
    return {
      sandbox,
      config,
      logger,
      logFile,
      identity,
      databaseUrl,
      hooks: { url: runningBot.url, token: httpToken },
      s3: { endpoint: s3.endpoint, bucket: s3.bucket },
      servers,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startSandbox(port: number): Promise<TelegramSandbox> {
  const members = [...people.map(({ id }) => id), botId];
  return await startTelegramSandbox({
    port,
    bots: [{ token, username: "vakhta_demo_bot", first_name: "Vakhta" }],
    users: people.map(({ id, first_name, name, label }) => ({ id, is_bot: false, first_name, username: name, label })),
    chats: [
      {
        id: opsChat,
        type: "supergroup",
        title: "Ops",
        forum: true,
        members,
        topics: [
          { name: "alerts", message_thread_id: alertsTopic },
          { name: "backups", message_thread_id: backupsTopic },
        ],
      },
    ],
  });
}
