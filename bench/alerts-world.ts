import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { stringify } from "yaml";
import { startRedis } from "../src/sandbox/servers/redis.ts";
import { startTelegramSandbox, type TelegramSandbox } from "../src/sandbox/telegram/index.ts";

const botToken = "777000111:AAtokenOfTheBenchmark-1234567890";
const hookToken = "a-token-of-the-benchmark-0123456789";
export const admin = { id: 1001, is_bot: false, first_name: "Admin" };
export const botId = 777000111;
/** The group of the storm. */
export const stormChat = -1_001_000_000_100;
/** Groups for the latency at rest, by the value of the label `chat`. */
export const restChats = Array.from({ length: 12 }, (_, index) => ({
  name: `rest-${index}`,
  id: -1_001_000_000_200 - index,
}));

/** A private Redis, a Telegram that enforces its limits, and a bot that is the real process. */
export interface AlertsWorld extends AsyncDisposable {
  readonly sandbox: TelegramSandbox;
  readonly redis: Redis;
  /** Posts to a webhook of the bot. Returns the status. */
  post(kind: string, body: string): Promise<number>;
  /** Cards of the storm that wait to be shown. */
  backlog(): Promise<number>;
  /** The bot's highest memory use so far, in bytes. */
  peakMemory(): Promise<number>;
}

export async function startAlertsWorld(): Promise<AlertsWorld> {
  const folder = await mkdtemp(join(tmpdir(), "vakhta-bench-alerts-"));
  const server = await startRedis();
  const sandbox = await startTelegramSandbox({
    bots: [{ token: botToken, username: "watch_bot", first_name: "Vakhta" }],
    users: [admin],
    chats: [{ id: stormChat, name: "Storm" }, ...restChats].map(({ id, name }) => ({
      id,
      type: "supergroup" as const,
      title: name,
      members: [admin.id, botId],
    })),
    keep: 200_000,
  });
  const file = join(folder, "vakhta.yaml");
  await writeFile(file, stringify(configOf(server.url, sandbox.apiRoot)), { mode: 0o600 });
  const redis = new Redis(server.url);
  // The first one compiles the sources; its successor finds the compiled code, as on every machine but a new one.
  await stop((await startBot(file, folder)).child);
  const { child, url } = await startBot(file, folder);
  await sandbox.waitFor(() => sandbox.isPolled(), { timeoutMs: 20_000, what: "the first poll" });
  return {
    sandbox,
    redis,
    post: async (kind, body) => {
      const headers = { authorization: `Bearer ${hookToken}`, "content-type": "application/json" };
      const response = await fetch(`${url}/hooks/${kind}`, { method: "POST", headers, body });
      await response.arrayBuffer();
      return response.status;
    },
    backlog: async () => await redis.zcard(`bench:v1:dirty:${stormChat}`),
    peakMemory: async () => {
      const status = await readFile(`/proc/${child.pid}/status`, "utf8");
      return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024;
    },
    [Symbol.asyncDispose]: async () => {
      await stop(child);
      redis.disconnect();
      await sandbox.close();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configOf(redisUrl: string, apiRoot: string): object {
  return {
    redis: { url: redisUrl, prefix: "bench" },
    http: { host: "127.0.0.1", port: 0, token: hookToken },
    telegram: {
      token: botToken,
      apiRoot,
      chats: Object.fromEntries([["storm", { id: stormChat }], ...restChats.map(({ name, id }) => [name, { id }])]),
      users: [{ id: admin.id, name: "admin", role: "admin" }],
    },
    alerts: { routes: restChats.map(({ name }) => ({ match: { chat: name }, chat: name })) },
    storages: {},
    backups: [],
    daily: false,
  };
}

async function stop(child: ChildProcess): Promise<void> {
  child.removeAllListeners("exit");
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}

/** Starts the bot as `npm start` does. Resolves with its address when it is ready. */
async function startBot(file: string, folder: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, ["--max-semi-space-size=1", join(import.meta.dirname, "../src/bot.ts")], {
    env: { PATH: process.env["PATH"], VAKHTA_CONFIG: file, NODE_COMPILE_CACHE: join(folder, "compile-cache") },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await new Promise<string>((resolve, reject) => {
    let log = "";
    const look = (chunk: Buffer): void => {
      log += chunk.toString();
      const ready = /^.*"msg":"bot ready".*$/m.exec(log)?.[0];
      if (!ready) return;
      child.stdout.off("data", look);
      // A pipe that nobody reads would hold the bot up.
      child.stdout.resume();
      resolve((JSON.parse(ready) as { url: string }).url);
    };
    child.stdout.on("data", look);
    child.once("exit", (code) => reject(new Error(`the bot ended with ${code}:\n${log}`)));
  });
  return { child, url };
}
