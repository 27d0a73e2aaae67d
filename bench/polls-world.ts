import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { stringify } from "yaml";
import { type Exporter, startExporter } from "../src/sandbox/servers/exporter.ts";
import { startRedis } from "../src/sandbox/servers/redis.ts";
import { startTelegramSandbox, type TelegramSandbox } from "../src/sandbox/telegram/index.ts";
import { manyServers, startTimewebSandbox, type TimewebSandbox } from "../src/sandbox/timeweb/index.ts";

const botToken = "777000111:AAtokenOfTheBenchmark-1234567890";
export const person = { id: 1001, is_bot: false, first_name: "Admin" };
/** What the exporters of small servers give; bytes. */
const exporterBytes = 100_000;
/** The API's own limit for each endpoint; requests a second. */
const apiLimit = 20;
const prefix = "bench";

/** What people have, and one that looks ahead. */
export const rules = [
  { name: "cpu", when: "cpu > 90", for: "10m", clear: "cpu < 80", severity: "critical" },
  { name: "memory", when: "memory > 95", for: "10m", clear: "memory < 90", severity: "warning" },
  { name: "disk", when: "disk > 90", for: "10m", clear: "disk < 85", severity: "warning" },
  { name: "inodes", when: "inodes > 90", for: "10m", clear: "inodes < 85", severity: "warning" },
  { name: "load", when: "avg(load_per_core, 30m) > 4", for: "10m", severity: "warning" },
  { name: "full", when: "full_in(disk, 6h) < 24h", for: "30m", severity: "critical" },
];

export interface PollsSizes {
  readonly timeweb: number;
  readonly exporters: number;
  /** "5m" */
  readonly every: string;
}

/** One of our processes. */
export interface Running {
  readonly child: ChildProcess;
  /** Processor time so far; seconds. */
  cpu(): Promise<number>;
  /** The most memory so far, by the kernel's account; bytes. */
  peak(): Promise<number>;
  stop(): Promise<void>;
}

/** A private Redis, Timeweb's API, exporters, a Telegram, and what is needed to start our processes beside them. */
export interface PollsWorld extends AsyncDisposable {
  readonly redis: Redis;
  readonly timeweb: TimewebSandbox;
  readonly exporter: Exporter;
  readonly telegram: TelegramSandbox;
  readonly names: { readonly timeweb: readonly string[]; readonly exporters: readonly string[] };
  /** Every server's worker, or a bot that knows those of Timeweb alone. */
  start(what: "worker" | "bot"): Promise<Running>;
}

export async function startPollsWorld(sizes: PollsSizes): Promise<PollsWorld> {
  const folder = await mkdtemp(join(tmpdir(), "vakhta-bench-polls-"));
  const server = await startRedis();
  const timeweb = await startTimewebSandbox({ servers: manyServers(sizes.timeweb), limit: apiLimit });
  const exporter = await startExporter({ padding: exporterBytes });
  const telegram = await startTelegramSandbox({
    bots: [{ token: botToken, username: "watch_bot", first_name: "Vakhta" }],
    users: [person],
    chats: [],
  });
  const ofTimeweb = timeweb.servers().map(({ id, name }) => ({ name, provider: "timeweb", id }));
  const ofExporters = Array.from({ length: sizes.exporters }, (_, index) => {
    const name = `host-${index + 1}`;
    return { name, provider: "node-exporter", url: exporter.url(name) };
  });
  const config = {
    redis: { url: server.url, prefix },
    http: { host: "127.0.0.1", port: 0, workerPort: 0 },
    telegram: {
      token: botToken,
      apiRoot: telegram.apiRoot,
      users: [{ id: person.id, name: "admin", role: "admin" }],
    },
    providers: { timeweb: { token: timeweb.token, apiUrl: timeweb.url, rate: apiLimit - 1, burst: 1 } },
    stats: { every: sizes.every },
    rules,
    daily: false,
  };
  const files = { worker: join(folder, "worker.yaml"), bot: join(folder, "bot.yaml") };
  await writeFile(files.worker, stringify({ ...config, servers: [...ofTimeweb, ...ofExporters] }), { mode: 0o600 });
  await writeFile(files.bot, stringify({ ...config, servers: ofTimeweb }), { mode: 0o600 });
  const redis = new Redis(server.url);
  return {
    redis,
    timeweb,
    exporter,
    telegram,
    names: { timeweb: ofTimeweb.map(({ name }) => name), exporters: ofExporters.map(({ name }) => name) },
    start: (what) => startProcess(what, files[what], folder),
    [Symbol.asyncDispose]: async () => {
      redis.disconnect();
      await telegram.close();
      await exporter.stop();
      await timeweb.close();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Starts it as `npm start` does, with compiled code of an earlier start where there was one. Resolves when it is ready. */
async function startProcess(what: "worker" | "bot", file: string, folder: string): Promise<Running> {
  const program = join(import.meta.dirname, `../src/${what}.ts`);
  const child = spawn(process.execPath, ["--max-semi-space-size=1", program], {
    env: {
      PATH: process.env["PATH"],
      VAKHTA_CONFIG: file,
      WORKER_HOST: "bench",
      NODE_COMPILE_CACHE: join(folder, "compile-cache"),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise<void>((resolve, reject) => {
    let log = "";
    const look = (chunk: Buffer): void => {
      log += chunk.toString();
      if (!log.includes(`"msg":"${what} ready"`)) return;
      child.stdout.off("data", look);
      // A pipe that nobody reads would hold it up.
      child.stdout.resume();
      resolve();
    };
    child.stdout.on("data", look);
    child.once("exit", (code) => reject(new Error(`the ${what} ended with ${code}:\n${log}`)));
  });
  return {
    child,
    cpu: () => cpuOf(child),
    peak: async () => {
      const status = await readFile(`/proc/${child.pid}/status`, "utf8");
      return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024;
    },
    stop: async () => {
      child.removeAllListeners("exit");
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  };
}

async function cpuOf(child: ChildProcess): Promise<number> {
  const stat = await readFile(`/proc/${child.pid}/stat`, "utf8");
  // Behind the name, which may have blanks: utime and stime are the 12th and 13th words, in hundredths of a second.
  const words = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(words[11]) + Number(words[12])) / 100;
}
