/**
 * How fast the bot answers and starts, and how much memory it takes at rest: see bench/README.md.
 *
 *   node bench/bot.ts [--answers <n>] [--starts <n>] [--rest <seconds>] [--json <file>]
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { stringify } from "yaml";
import { startRedis } from "../src/sandbox/servers/redis.ts";
import { startTelegramSandbox, type TelegramSandbox } from "../src/sandbox/telegram/index.ts";
import { type Aim, aim, aimTable, median } from "./report.ts";

/** Milliseconds between two questions: far below the bot's and every chat's sending budgets, with ten people. */
const pauseMs = 120;
const people = Array.from({ length: 10 }, (_, index) => ({
  id: 1001 + index,
  is_bot: false,
  first_name: `Person ${index + 1}`,
}));
const token = "777000111:AAtokenOfTheBenchmark-1234567890";

const { values } = parseArgs({
  options: {
    answers: { type: "string", default: "200" },
    starts: { type: "string", default: "5" },
    rest: { type: "string", default: "10" },
    json: { type: "string" },
  },
});
const say = (line: string): void => void process.stderr.write(`${line}\n`);

const folder = await mkdtemp(join(tmpdir(), "vakhta-bench-bot-"));
await using redis = await startRedis();
const sandbox = await startTelegramSandbox({
  bots: [{ token, username: "watch_bot", first_name: "Vakhta" }],
  users: people,
  chats: [],
});
try {
  await writeConfig();
  const starts: number[] = [];
  // The first one compiles the sources; its successors find the compiled code, as on every machine but a new one.
  for (let round = 0; round <= Number(values.starts); round++) {
    const { child, ms } = await start();
    say(`${round === 0 ? "first start" : `start ${round}`}  ${(ms / 1000).toFixed(2)} s`);
    starts.push(ms);
    await stop(child);
  }
  const { child } = await start();
  say(`at rest for ${values.rest} s`);
  await sleep(Number(values.rest) * 1000);
  const atRest = await rss(child.pid ?? 0);
  const answers = await measureAnswers(Number(values.answers));
  const busy = await rss(child.pid ?? 0);
  await stop(child);
  report(starts, answers, { atRest, busy });
} finally {
  await sandbox.close();
  await rm(folder, { recursive: true, force: true });
}

async function writeConfig(): Promise<void> {
  const config = {
    redis: { url: redis.url, prefix: "bench" },
    http: { host: "127.0.0.1", port: 0 },
    telegram: {
      token,
      apiRoot: sandbox.apiRoot,
      users: people.map(({ id }) => ({ id, name: `person-${id}`, role: "admin" })),
    },
    storages: { local: { kind: "local", path: join(folder, "backups") } },
    backups: [{ name: "app", source: { kind: "postgres", url: "postgresql://app@127.0.0.1:5432/app" } }],
  };
  await writeFile(join(folder, "vakhta.yaml"), stringify(config));
}

/** Starts the bot as `npm start` does. Milliseconds until it says that it is ready and waits for updates. */
async function start(): Promise<{ child: ChildProcess; ms: number }> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, ["--max-semi-space-size=1", join(import.meta.dirname, "../src/bot.ts")], {
    env: {
      PATH: process.env["PATH"],
      VAKHTA_CONFIG: join(folder, "vakhta.yaml"),
      NODE_COMPILE_CACHE: join(folder, "compile-cache"),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ready = new Promise<void>((resolve, reject) => {
    let log = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      log += chunk.toString();
      if (log.includes('"msg":"bot ready"')) resolve();
    });
    child.once("exit", (code) => reject(new Error(`the bot ended with ${code}:\n${log}`)));
  });
  await ready;
  await sandbox.waitFor(() => sandbox.isPolled(), { timeoutMs: 20_000, what: "the first poll" });
  return { child, ms: performance.now() - startedAt };
}

async function stop(child: ChildProcess): Promise<void> {
  child.removeAllListeners("exit");
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}

/** Milliseconds from the moment a person's /whoami is with Telegram until the bot's answer is. */
async function measureAnswers(count: number): Promise<number[]> {
  const times: number[] = [];
  for (let round = -people.length; round < count; round++) {
    const person = people[(round + people.length) % people.length];
    if (!person) continue;
    const ms = await roundTrip(sandbox, person.id);
    // One question of each person does not count: their caches are warm then.
    if (round >= 0) times.push(ms);
    await sleep(pauseMs);
  }
  return times;
}

async function roundTrip(telegram: TelegramSandbox, person: number): Promise<number> {
  const answered = Promise.withResolvers<number>();
  const stopListening = telegram.onEvent(({ event }) => {
    if (event.type === "message" && event.message.chat.id === person && event.message.from?.is_bot)
      answered.resolve(performance.now());
  });
  const timer = setTimeout(() => answered.reject(new Error("no answer within 10 s")), 10_000);
  const askedAt = performance.now();
  telegram.sendAsUser(person, { from: person, text: "/whoami" });
  try {
    return (await answered.promise) - askedAt;
  } finally {
    clearTimeout(timer);
    stopListening();
  }
}

/** Resident memory of a process, in bytes. */
async function rss(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}

function report(starts: readonly number[], answers: readonly number[], memory: { atRest: number; busy: number }): void {
  const [first = Number.NaN, ...later] = starts;
  const sorted = answers.toSorted((a, b) => a - b);
  const p99 = sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * 0.99) - 1)] ?? Number.NaN;
  const round = (value: number, digits = 1): number => Number(value.toFixed(digits));
  const aims: Aim[] = [
    aim("update to answer, median (ms)", round(median(answers)), 20),
    aim("start to ready (s)", round(median(later) / 1000, 2), 2),
    aim(`memory after ${values.rest} s at rest (MB)`, round(memory.atRest / 1e6), 120),
  ];
  const beside = [
    `99th percentile ${round(p99)} ms of ${answers.length} answers`,
    `first start ${round(first / 1000, 2)} s`,
    `memory after the questions ${round(memory.busy / 1e6)} MB`,
    `load ${loadavg()
      .map((value) => value.toFixed(1))
      .join(" ")}`,
  ];
  process.stdout.write(`\n${aimTable(aims)}\n\n${beside.join("; ")}\n\n`);
  const json = JSON.stringify(
    { aims, p99: round(p99), answers: answers.map((ms) => round(ms)), starts, memory },
    undefined,
    2,
  );
  if (values.json === undefined) process.stdout.write(`${json}\n`);
  else void writeFile(values.json, `${json}\n`);
}
