import { pino } from "pino";
import { onTestFinished } from "vitest";
import { alertsSchema } from "../../src/app/config/alerts.ts";
import type { BotConfig } from "../../src/app/config.ts";
import { createDeps, type Deps } from "../../src/app/deps.ts";
import { type RunningBot, runBot } from "../../src/app/run-bot.ts";
import type { TelegramSandbox } from "../../src/sandbox/telegram/index.ts";
import { MovedClock } from "./in-process.ts";
import { noServers } from "./no-servers.ts";
import { type RedisServer, startRedis } from "./redis.ts";
import { ALICE, BOT, BOT_ID, SUPERGROUP_ID, testSandbox } from "./sandbox.ts";

export interface OutageBot {
  readonly deps: Deps;
  readonly bot: RunningBot;
}

/** Whole bots in this process with a Redis of their own that can be ended, and Telegram; one clock for all. */
export interface OutageWorld {
  readonly redis: RedisServer;
  readonly sandbox: TelegramSandbox;
  readonly clock: MovedClock;
  readonly bots: readonly OutageBot[];
  /** One more; nothing waits for it to be there. */
  startBot(): Promise<OutageBot>;
  /** Another process with the same state, without chats, as a worker has it that does not know the bot's token. */
  process(): Deps;
  /** The clocks of bots and Telegram go on. */
  advance(ms: number): void;
  /** What every bot does by the clock, once. */
  step(): Promise<void>;
  /** The bots' messages in the chat now, oldest first. */
  texts(): string[];
}

export async function outageWorld(count: number, change: object = {}): Promise<OutageWorld> {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const sandbox = await testSandbox();
  const clock = new MovedClock();
  const logger = pino({ level: "silent" });
  const config = {
    timezone: "UTC",
    locale: "en",
    redis: { url: redis.url, prefix: "outage" },
    http: { host: "127.0.0.1", port: 0 },
    worker: { host: "here", concurrency: 1 },
    storages: {},
    backups: [],
    alerts: alertsSchema.parse({}),
    heartbeats: [],
    hooks: {},
    ...noServers,
    daily: false,
    telegram: {
      token: BOT.token,
      apiRoot: sandbox.apiRoot,
      mode: "polling",
      chats: { ops: { id: SUPERGROUP_ID, topics: {} } },
      users: [{ id: ALICE.id, name: "alice", role: "admin" }],
    },
    ...change,
  } as unknown as BotConfig;
  const bots: OutageBot[] = [];
  const startBot = async (): Promise<OutageBot> => {
    const { deps, close } = createDeps({ config, logger, clock, role: "bot" });
    const bot = await runBot({ ...deps, config }, close);
    onTestFinished(async () => await bot.stop());
    const started = { deps, bot };
    bots.push(started);
    return started;
  };
  for (let index = 0; index < count; index++) await startBot();
  if (count > 0) await sandbox.waitFor(() => sandbox.isPolled() || undefined, { timeoutMs: 60_000 });
  return {
    redis,
    sandbox,
    clock,
    bots,
    startBot,
    process: () => {
      const { telegram: _, ...rest } = config;
      const { deps, close } = createDeps({ config: rest, logger, clock, role: "worker" });
      onTestFinished(close);
      return deps;
    },
    advance: (ms) => {
      clock.advance(ms);
      sandbox.advance(ms);
    },
    step: async () => {
      await Promise.all(bots.map(({ bot }) => bot.step()));
    },
    texts: () =>
      sandbox
        .messages(SUPERGROUP_ID)
        .filter(({ from }) => from?.id === BOT_ID)
        .map(({ text = "" }) => text),
  };
}
