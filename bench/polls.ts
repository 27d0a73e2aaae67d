/**
 * Servers by the thousand: whether each is looked at in every interval, what that takes, and how fast `/stats` and the rules
 * are with them. See bench/README.md.
 *
 *   node bench/polls.ts [--timeweb <n>] [--exporters <n>] [--every 5m] [--intervals 2] [--days 400]
 *                       [--only polls|rules|year] [--json <file>]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { parseDuration } from "../src/lib/units.ts";
import { Keys } from "../src/state/redis.ts";
import { ServerStates } from "../src/state/servers.ts";
import { answerTimes } from "./polls-answers.ts";
import { type PollsWorld, type Running, rules, startPollsWorld } from "./polls-world.ts";
import { measureYear, usedBytes, type YearSize } from "./polls-year.ts";
import { type Aim, aim, aimTable, markdown, median } from "./report.ts";

const { values } = parseArgs({
  options: {
    timeweb: { type: "string", default: "1000" },
    exporters: { type: "string", default: "1000" },
    every: { type: "string", default: "5m" },
    intervals: { type: "string", default: "2" },
    days: { type: "string", default: "400" },
    answers: { type: "string", default: "30" },
    only: { type: "string" },
    json: { type: "string" },
  },
});
const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** Polls are begun by a tick, so one may be that much later than another; milliseconds. */
const slackMs = 20_000;

/** What one interval came to. */
interface Interval {
  readonly timeweb: number;
  readonly exporters: number;
  /** Seconds of the worker's processor time. */
  readonly cpu: number;
  readonly requests: number;
  /** Requests that the API refused for being too many. */
  readonly refused: number;
}

interface PollsResult {
  readonly intervals: readonly Interval[];
  /** Servers whose newest look gave nothing. */
  readonly failing: number;
  /** The longest time in which an exporter was not asked, from the start on; milliseconds. */
  readonly longestGap: number;
  /** Bytes. */
  readonly peak: number;
  readonly redis: number;
  /** Milliseconds, in their order. */
  readonly answers: readonly number[];
  /** Seconds of the bot's processor time for each of them, with all that it does meanwhile. */
  readonly perAnswer: number;
}

interface Pass {
  readonly median: number;
  readonly longest: number;
}

interface RulesResult {
  readonly servers: number;
  readonly calculation: Pass;
  readonly whole: Pass;
}

const every = parseDuration(values.every);
if (every === undefined) throw new Error("--every wants a duration: 5m");
const sizes = { timeweb: Number(values.timeweb), exporters: Number(values.exporters), every: values.every };
const polls = values.only === undefined || values.only === "polls" ? await measurePolls(every) : undefined;
const pass = values.only === undefined || values.only === "rules" ? await measureRules() : undefined;
const year = values.only === undefined || values.only === "year" ? await yearOf() : undefined;
const aims = [...aimsOfPolls(polls), ...aimsOfRules(pass), ...aimsOfYear(year)];
process.stdout.write(
  `${[tableOf(polls), rulesLine(pass), yearLine(year), aimTable(aims)].filter((text) => text !== "").join("\n\n")}\n`,
);
if (values.json !== undefined) {
  const machine = { cores: cpus().length, load: loadavg() };
  await writeFile(values.json, JSON.stringify({ sizes, polls, rules: pass, year, aims, machine }, undefined, 2));
}
if (aims.some(({ met }) => !met)) process.exitCode = 1;

async function measurePolls(interval: number): Promise<PollsResult> {
  say(`${sizes.timeweb} servers of Timeweb, ${sizes.exporters} exporters, every ${sizes.every}, ${rules.length} rules`);
  await using world = await startPollsWorld(sizes);
  // The first one compiles the sources; its successor finds the compiled code, as on every machine but a new one.
  await (await world.start("bot")).stop();
  const worker = await world.start("worker");
  const begun = Date.now();
  const intervals: Interval[] = [];
  for (let number = 0; number < Number(values.intervals); number++) {
    intervals.push(await measureInterval(world, worker, begun + number * interval, interval));
    say(`  interval ${number + 1}: ${JSON.stringify(intervals.at(-1))}`);
  }
  const all = [...world.names.timeweb, ...world.names.exporters];
  const states = await new ServerStates(world.redis, new Keys("bench")).readAll(all);
  const failing = all.filter((name) => !states.get(name) || states.get(name)?.failure).length;
  const bot = await world.start("bot");
  const before = await bot.cpu();
  const answers = await answerTimes(world.telegram, Number(values.answers));
  const perAnswer = ((await bot.cpu()) - before) / answers.length;
  say(`  /stats: ${answers.map((ms) => Math.round(ms)).join(" ")} ms`);
  const result = {
    intervals,
    failing,
    longestGap: longestGap(world, begun, begun + intervals.length * interval),
    peak: await worker.peak(),
    redis: await usedBytes(world.redis),
    answers,
    perAnswer,
  };
  await bot.stop();
  await worker.stop();
  return result;
}

/** Who was looked at between two times, once the interval and what may come late is over. */
async function measureInterval(world: PollsWorld, worker: Running, from: number, interval: number): Promise<Interval> {
  const before = await worker.cpu();
  world.timeweb.forgetRequests();
  const to = from + interval;
  while (Date.now() < to + slackMs) {
    await sleep(Math.min(30_000, Math.max(0, to + slackMs - Date.now())));
    say(`  ${Math.round((Date.now() - from) / 1000)} s: ${seen(world, from).timeweb} + ${seen(world, from).exporters}`);
  }
  const cpu = (await worker.cpu()) - before;
  const requests = world.timeweb.requests();
  const refused = requests.filter(({ status }) => status === 429).length;
  return { ...seen(world, from), cpu, requests: requests.length, refused };
}

/** How many different servers were looked at since then. */
function seen(world: PollsWorld, from: number): { timeweb: number; exporters: number } {
  const ids = world.timeweb.requests().flatMap(({ path, at, status }) => {
    const [, id] = /^\/api\/v1\/servers\/(\d+)\/statistics/.exec(path) ?? [];
    return id !== undefined && at >= from && status === 200 ? [id] : [];
  });
  const hosts = world.exporter.requests.flatMap(({ host, at }) => (at >= from ? [host] : []));
  return { timeweb: new Set(ids).size, exporters: new Set(hosts).size };
}

function longestGap({ exporter, names }: PollsWorld, from: number, to: number): number {
  const times = new Map(names.exporters.map((name) => [name, [from]]));
  for (const { host, at } of exporter.requests) if (at < to) times.get(host)?.push(at);
  const gaps = [...times.values()].flatMap((its) => [...its, to].map((at, index) => at - (its[index - 1] ?? from)));
  return Math.max(0, ...gaps);
}

/** What `bench/rules.ts` finds, in a process of its own. */
async function measureRules(): Promise<RulesResult> {
  const folder = await mkdtemp(join(tmpdir(), "vakhta-bench-rules-"));
  const file = join(folder, "rules.json");
  try {
    const child = spawn(process.execPath, [join(import.meta.dirname, "rules.ts"), "--json", file], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    await once(child, "exit");
    return JSON.parse(await readFile(file, "utf8")) as RulesResult;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function yearOf(): Promise<YearSize> {
  say(`${values.days} days of two servers, a reading every five minutes`);
  return await measureYear(2, Number(values.days), 300_000, say);
}

function aimsOfPolls(result: PollsResult | undefined): Aim[] {
  if (!result) return [];
  const missed = (key: "timeweb" | "exporters") => Math.max(...result.intervals.map((each) => sizes[key] - each[key]));
  return [
    aim("servers of Timeweb not looked at in an interval", missed("timeweb"), 0),
    aim("exporters not looked at in an interval", missed("exporters"), 0),
    aim("servers whose newest look gave nothing", result.failing, 0),
    aim(
      `/stats of ${sizes.timeweb} servers, slowest of ${result.answers.length}: ms`,
      Math.max(...result.answers),
      500,
    ),
  ];
}

function aimsOfRules(result: RulesResult | undefined): Aim[] {
  if (!result) return [];
  return [aim(`a pass of the rules over ${result.servers} servers, calculation: ms`, result.calculation.median, 200)];
}

function rulesLine(result: RulesResult | undefined): string {
  if (!result) return "";
  const { calculation, whole } = result;
  const line = ({ median: middle, longest }: Pass) => `${middle.toFixed(0)} ms (longest ${longest.toFixed(0)})`;
  return `A pass of the rules, windows of four days among them: ${line(calculation)} of calculation, ${line(whole)} with the reading from Redis.`;
}

function aimsOfYear(result: YearSize | undefined): Aim[] {
  return result ? [aim(`Redis for ${values.days} days of a server: MB`, result.bytes / 1e6, 1)] : [];
}

function tableOf(result: PollsResult | undefined): string {
  if (!result) return "";
  const rows = result.intervals.map((each, index) => [
    `interval ${index + 1}`,
    String(each.timeweb),
    String(each.exporters),
    String(each.requests),
    String(each.refused),
    each.cpu.toFixed(1),
  ]);
  const head = ["", "Timeweb", "exporters", "requests to the API", "of them 429", "worker's CPU s"];
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  return [
    markdown([head, ...rows]),
    "",
    `Longest time without a look at an exporter: ${(result.longestGap / 1000).toFixed(0)} s. The worker's most memory: ${megabytes(result.peak)}. Redis: ${megabytes(result.redis)}.`,
    `/stats: median ${median(result.answers).toFixed(0)} ms, slowest ${Math.max(...result.answers).toFixed(0)} ms of ${result.answers.length}; ${(1000 * result.perAnswer).toFixed(0)} ms of the bot's processor time for each.`,
  ].join("\n");
}

function yearLine(result: YearSize | undefined): string {
  if (!result) return "";
  const { bytes, metrics, readings, msPerReading } = result;
  return `${values.days} days of a server with ${metrics} metrics: ${(bytes / 1e6).toFixed(2)} MB in Redis; ${msPerReading.toFixed(2)} ms for each of ${readings} readings, hours and removals included.`;
}
