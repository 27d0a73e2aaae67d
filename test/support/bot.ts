import { pino } from "pino";
import { onTestFinished } from "vitest";
import { alertsSchema } from "../../src/app/config/alerts.ts";
import { approvalsSchema } from "../../src/app/config/approvals.ts";
import type { BotConfig } from "../../src/app/config.ts";
import { createDeps, type Deps } from "../../src/app/deps.ts";
import { type RunningBot, runBot } from "../../src/app/run-bot.ts";
import type { Role } from "../../src/core/roles.ts";
import type { Fault, SandboxOptions, TelegramSandbox } from "../../src/sandbox/telegram/index.ts";
import { MovedClock } from "./in-process.ts";
import { noServers } from "./no-servers.ts";
import { ALICE, BOT, testSandbox } from "./sandbox.ts";
import type { RedisFixture } from "./state.ts";

export interface BotWorld {
  readonly sandbox: TelegramSandbox;
  readonly deps: Deps;
  readonly bot: RunningBot;
  readonly clock: MovedClock;
  /** Stops the bot and starts another one in its place: the same Redis, Telegram and clock. */
  restart(): Promise<BotWorld>;
}

export interface BotOptions {
  /** Of the chat. */
  readonly locale?: string;
  readonly faults?: readonly Fault[];
  readonly sandbox?: Partial<SandboxOptions>;
  /** Default: one approver. */
  readonly approvals?: object;
  /** Other parts of the configuration, in place of these. */
  readonly config?: object;
  /** Who is listed beside Alice, an admin. */
  readonly users?: readonly { readonly id: number; readonly name: string; readonly role: Role }[];
}

/** A whole bot in this process, with one configured chat and one backup; no worker. Stopped when the test is over. */
export async function startWholeBot(
  fixture: RedisFixture,
  chatId: number,
  options: BotOptions = {},
): Promise<BotWorld> {
  const sandbox = await testSandbox(options.sandbox);
  for (const fault of options.faults ?? []) sandbox.addFault(fault);
  const config = {
    timezone: "UTC",
    locale: "en",
    redis: { url: fixture.server.url, prefix: fixture.keys().root.split(":")[0] },
    http: { host: "127.0.0.1", port: 0 },
    worker: { host: "here", concurrency: 1, lease: 30_000 },
    approvals: approvalsSchema.parse(options.approvals ?? {}),
    alerts: alertsSchema.parse({}),
    heartbeats: [],
    daily: false,
    hooks: {},
    ...noServers,
    storages: {},
    backups: [{ name: "app", storages: [], encrypt: false, catchUp: true, source: { kind: "postgres" } }],
    telegram: {
      token: BOT.token,
      apiRoot: sandbox.apiRoot,
      mode: "polling",
      chats: { ops: { id: chatId, topics: {}, ...(options.locale === undefined ? {} : { locale: options.locale }) } },
      users: [{ id: ALICE.id, name: "alice", role: "admin" }, ...(options.users ?? [])],
    },
    ...options.config,
  } as unknown as BotConfig;
  const clock = new MovedClock();
  const logger = pino({ level: "silent" });
  const start = async (): Promise<BotWorld> => {
    const { deps, close } = createDeps({ config, logger, clock, role: "bot" });
    const bot = await runBot({ ...deps, config }, close);
    let stopped: Promise<void> | undefined;
    const stop = async (): Promise<void> => {
      stopped ??= bot.stop();
      await stopped;
    };
    onTestFinished(stop);
    if (!options.faults) await sandbox.waitFor(() => sandbox.isPolled() || undefined, { timeoutMs: 60_000 });
    const restart = async (): Promise<BotWorld> => {
      await stop();
      return await start();
    };
    return { sandbox, deps, bot, clock, restart };
  };
  return await start();
}
