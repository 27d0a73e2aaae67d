import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Message } from "@grammyjs/types";
import { Redis } from "ioredis";
import { stringify } from "yaml";
import type { PostgresServer } from "../../src/sandbox/servers/postgres.ts";
import { type RedisServer, startRedis } from "../../src/sandbox/servers/redis.ts";
import { type S3Server, startS3 } from "../../src/sandbox/servers/s3.ts";
import { type S3Proxy, startS3Proxy } from "../../src/sandbox/servers/s3-proxy.ts";
import type { SandboxOptions, TelegramSandbox } from "../../src/sandbox/telegram/index.ts";
import { startTelegramSandbox } from "../../src/sandbox/telegram/index.ts";
import { inherited } from "./environment.ts";
import { startPostgres } from "./postgres.ts";

export const botToken = "777000111:AAtestTokenOfTheStack-1234567890";
export const botId = 777000111;
export const alice = { id: 111, is_bot: false, first_name: "Alice", username: "alice", label: "admin" };
export const bob = { id: 222, is_bot: false, first_name: "Bob", label: "operator" };
export const vera = { id: 333, is_bot: false, first_name: "Vera", label: "viewer" };
export const mallory = { id: 666, is_bot: false, first_name: "Mallory", label: "stranger" };
export const opsChat = -1_001_000_000_888;
export const backupsTopic = 15;

/** A real process of ours, with what it has logged. */
export interface RunningProcess {
  readonly child: ChildProcess;
  isRunning(): boolean;
  log(): string;
  /** Waits until a line of the log matches. */
  logged(pattern: RegExp): Promise<void>;
  /** kill -9, and waits for the end. */
  kill(): Promise<void>;
  /** SIGTERM, and waits for the end; resolves with the exit status. */
  stop(): Promise<number | null>;
}

export interface StackOptions {
  readonly sandbox?: Partial<SandboxOptions>;
  /** Changes the configuration before it is written. */
  readonly configure?: (config: StackConfig) => void;
  /** Nothing is backed up: PostgreSQL and S3 are not started. */
  readonly chatOnly?: boolean;
  /** Bots and workers are started as by `npm start`: where their memory is measured. */
  readonly smallHeap?: boolean;
  /** SQL run in the database `shop`. */
  readonly sql?: string;
  /** Default: a small sample. */
  readonly rows?: number;
}

// biome-ignore lint/suspicious/noExplicitAny: a configuration as a person writes it, before validation
export type StackConfig = Record<string, any>;

/** Redis, PostgreSQL, S3 behind a misbehaving proxy, Telegram's sandbox, and a configuration that uses them. */
export interface Stack extends AsyncDisposable {
  readonly folder: string;
  readonly configFile: string;
  readonly localFolder: string;
  readonly redis: RedisServer;
  readonly postgres: PostgresServer;
  readonly s3: S3Server;
  readonly proxy: S3Proxy;
  readonly sandbox: TelegramSandbox;
  readonly client: Redis;
  readonly databaseUrl: string;
  configure(change: (config: StackConfig) => void): void;
  startBot(env?: Record<string, string>): Promise<RunningProcess>;
  startWorker(env?: Record<string, string>): Promise<RunningProcess>;
  run(
    argv: readonly string[],
    env?: Record<string, string>,
  ): Promise<{ status: number | null; stdout: string; stderr: string }>;
  /** A person writes into the ops chat's topic, or privately. */
  say(from: number, text: string, where?: "topic" | "private"): Message;
  press(
    from: number,
    message: Message,
    label: string | RegExp,
    options?: { ageMs?: number; waitMs?: number },
  ): Promise<{ toast: string | undefined }>;
  /** The newest message of the bot in a chat that matches. */
  message(pattern: RegExp, options?: { where?: number; timeoutMs?: number }): Promise<Message>;
}

const root = join(import.meta.dirname, "../..");
const sampleSql = (rows: number): string => `
  CREATE TABLE customers (id serial PRIMARY KEY, name text NOT NULL);
  CREATE TABLE orders (id serial PRIMARY KEY, customer int NOT NULL REFERENCES customers, note text, data jsonb);
  INSERT INTO customers (name) SELECT 'customer ' || n FROM generate_series(1, ${Math.max(1, Math.floor(rows / 10))}) n;
  INSERT INTO orders (customer, note, data)
    SELECT 1 + n % ${Math.max(1, Math.floor(rows / 10))}, md5(n::text) || md5((n * 7)::text), jsonb_build_object('n', n, 'at', now()) FROM generate_series(1, ${rows}) n;`;

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const folder = mkdtempSync(join(tmpdir(), "vakhta-stack-"));
  const processes = new Set<RunningProcess>();
  const isWhole = options.chatOnly !== true;
  const [redis, postgres, s3] = await Promise.all([
    startRedis(),
    isWhole ? startPostgres() : undefined,
    isWhole ? startS3() : undefined,
  ]);
  const proxy = s3 && (await startS3Proxy(s3.endpoint));
  const sandbox = await startTelegramSandbox({
    bots: [{ token: botToken, username: "watch_bot", first_name: "Vakhta" }],
    users: [alice, bob, vera, mallory],
    chats: [
      {
        id: opsChat,
        type: "supergroup",
        title: "Ops",
        forum: true,
        members: [alice.id, bob.id, vera.id, mallory.id, botId],
        topics: [
          { name: "alerts", message_thread_id: 12 },
          { name: "backups", message_thread_id: backupsTopic },
        ],
      },
    ],
    ...options.sandbox,
  });
  const sql = options.sql ?? sampleSql(options.rows ?? 2000);
  const databaseUrl = (await postgres?.createDatabase("shop", sql)) ?? "postgresql://127.0.0.1/shop";
  const localFolder = join(folder, "backups");
  const configFile = join(folder, "vakhta.yaml");
  const config: StackConfig = {
    timezone: "Europe/Moscow",
    locale: "en",
    redis: { url: redis.url, prefix: "stack" },
    http: { host: "127.0.0.1", port: 0, workerPort: 0 },
    worker: { host: "test-host" },
    // It would turn up in whatever test happens to run at that hour.
    daily: false,
    telegram: {
      token: botToken,
      apiRoot: sandbox.apiRoot,
      chats: { ops: { id: opsChat, topics: { alerts: 12, backups: backupsTopic } } },
      users: [
        { id: alice.id, name: "alice", role: "admin" },
        { id: bob.id, name: "bob", role: "operator" },
        { id: vera.id, name: "vera", role: "viewer" },
      ],
    },
    storages: {
      local: { kind: "local", path: localFolder },
      ...(s3 && proxy ? { offsite: placeIn(s3, proxy) } : {}),
    },
    backups: [{ name: "shop", source: { kind: "postgres", url: databaseUrl } }],
  };
  const write = (): void => writeFileSync(configFile, stringify(config));
  // Whatever a test makes stays, unless it is about that.
  config["backups"][0].keep = Object.fromEntries(Object.keys(config["storages"]).map((name) => [name, "all"]));
  options.configure?.(config);
  write();

  // Collecting a heap that is to stay small is a fifth of each start.
  const flags = options.smallHeap
    ? ["--max-semi-space-size=1"]
    : ["--min-semi-space-size=16", "--initial-heap-size=200"];
  const start = async (name: string, ready: RegExp, env: Record<string, string>): Promise<RunningProcess> => {
    const process = launch([...flags, join(root, "src", `${name}.ts`)], configFile, env);
    processes.add(process);
    process.child.once("exit", () => processes.delete(process));
    await process.logged(ready);
    return process;
  };
  const client = new Redis(redis.url, { maxRetriesPerRequest: null });
  client.on("error", () => undefined);
  return {
    folder,
    configFile,
    localFolder,
    redis,
    get postgres() {
      return started(postgres);
    },
    get s3() {
      return started(s3);
    },
    get proxy() {
      return started(proxy);
    },
    sandbox,
    client,
    databaseUrl,
    configure: (change) => {
      change(config);
      write();
    },
    startBot: async (env = {}) => await start("bot", /"msg":"bot ready"/, env),
    startWorker: async (env = {}) => await start("worker", /"msg":"worker ready"/, env),
    run: async (argv, env = {}) => await runToEnd(argv, configFile, env),
    say: (from, text, where = "topic") => {
      if (where === "private") return sandbox.sendAsUser(from, { from, text });
      return sandbox.sendAsUser(opsChat, { from, text, message_thread_id: backupsTopic });
    },
    press: async (from, message, label, { ageMs = 0, waitMs = 5000 } = {}) => {
      const rows = message.reply_markup?.inline_keyboard ?? [];
      const button = rows
        .flat()
        .find((candidate) => (typeof label === "string" ? candidate.text === label : label.test(candidate.text)));
      if (!button || !("callback_data" in button)) throw new Error(`no button ${label} on: ${JSON.stringify(rows)}`);
      const result = await sandbox.press(message.chat.id, {
        from,
        message_id: message.message_id,
        data: button.callback_data,
        ageMs,
        waitMs,
        force: true,
      });
      return { toast: result.answer?.text };
    },
    message: async (pattern, { where = opsChat, timeoutMs = 60_000 } = {}) =>
      await sandbox.waitForMessage(where, (message) => message.from?.id === botId && pattern.test(message.text ?? ""), {
        timeoutMs,
        what: `a message like ${pattern}`,
      }),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...processes].map((process) => process.kill()));
      client.disconnect();
      await sandbox.close();
      await proxy?.stop();
      await Promise.all([redis.stop(), postgres?.stop(), s3?.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function started<T>(server: T | undefined): T {
  if (server === undefined) throw new Error("not started: the stack is for the chat only");
  return server;
}

/** The storage in a bucket, by way of the proxy. */
function placeIn({ region, bucket, accessKeyId, secretAccessKey }: S3Server, { endpoint }: S3Proxy): StackConfig {
  const keys = { accessKeyId, secretAccessKey, forcePathStyle: true };
  return { kind: "s3", endpoint, region, bucket, prefix: "prod", ...keys };
}

function environment(configFile: string, extra: Record<string, string>): NodeJS.ProcessEnv {
  return { ...inherited(), HOME: process.env["HOME"], LANG: "C.UTF-8", VAKHTA_CONFIG: configFile, ...extra };
}

function launch(argv: readonly string[], configFile: string, extra: Record<string, string>): RunningProcess {
  // What was compiled under the flags of these processes is kept apart, as by PM2 and the units of `deploy/`.
  const compiled = { NODE_COMPILE_CACHE: join(root, "node_modules/.cache/compile") };
  const child = spawn(process.execPath, argv, {
    cwd: root,
    env: environment(configFile, { ...compiled, ...extra }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit") as Promise<[number | null, string | null]>;
  let log = "";
  const watchers = new Set<() => void>();
  const collect = (chunk: Buffer): void => {
    log += chunk.toString();
    for (const look of watchers) look();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  return {
    child,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    log: () => log,
    logged: async (pattern) => {
      const found = Promise.withResolvers<void>();
      const look = (): void => {
        if (pattern.test(log)) found.resolve();
      };
      const timer = setTimeout(() => found.reject(new Error(`not logged within 60 s: ${pattern}\n${log}`)), 60_000);
      watchers.add(look);
      look();
      try {
        await Promise.race([
          found.promise,
          exited.then(() => {
            throw new Error(`ended before ${pattern}:\n${log}`);
          }),
        ]);
      } finally {
        clearTimeout(timer);
        watchers.delete(look);
      }
    },
    kill: async () => {
      child.kill("SIGKILL");
      await exited;
    },
    stop: async () => {
      child.kill("SIGTERM");
      return (await exited)[0];
    },
  };
}

async function runToEnd(
  argv: readonly string[],
  configFile: string,
  extra: Record<string, string>,
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [...argv], {
    cwd: root,
    env: environment(configFile, extra),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output.stderr += chunk.toString()));
  const [status] = (await once(child, "close")) as [number | null];
  return { status, ...output };
}
