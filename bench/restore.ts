/**
 * How fast a database is replaced by its backup, against what a script would do: see bench/README.md.
 *
 *   node bench/restore.ts [--size <MB>] [--runs <n>] [--only <way>]... [--json <file>]
 */
import { writeFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { hammer } from "../test/support/hammer.ts";
import { type Aim, aim, aimTable, markdown, median } from "./report.ts";
import { startRestoreProcess } from "./restore-process.ts";
import { type RestoreSample, restoreWays, type Way } from "./restore-ways.ts";
import { hammerUser, startRestoreWorld } from "./restore-world.ts";

const { values } = parseArgs({
  options: {
    size: { type: "string", default: "1000" },
    runs: { type: "string", default: "5" },
    only: { type: "string", multiple: true },
    json: { type: "string" },
  },
});
const say = (line: string): void => void process.stderr.write(`${line}\n`);
/** Milliseconds between two attempts of the client: a hundred a second. */
const everyMs = 10;
/** Of which durations it is told how large a database may be for them. */
const limits = { local: { minutes: 2, title: "the local copy" }, offsite: { minutes: 10, title: "S3" } } as const;

interface Result extends Pick<Way, "id" | "title" | "outcome"> {
  readonly samples: readonly RestoreSample[];
  readonly median: number;
  /** Of processor time. */
  readonly cpuMedian: number;
}

await using world = await startRestoreWorld(Number(values.size), say);
await using child = startRestoreProcess();
const ways = restoreWays(world, child, watch).filter(({ id }) => values.only?.includes(id) ?? true);
const loads: number[] = [];
const results = await measure(Number(values.runs));
const checks = await checkTimes();
const memory = child.peakMemory();
const text = report();
const json = JSON.stringify(
  {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model.trim(),
    cores: availableParallelism(),
    node: process.version,
    database: world.database,
    bytes: world.bytes,
    runs: values.runs,
    loads,
    results,
    checks,
    memory,
  },
  undefined,
  2,
);
process.stdout.write(`\n${text}\n\n`);
if (values.json === undefined) process.stdout.write(`${json}\n`);
else await writeFile(values.json, `${json}\n`);

/**
 * All ways in turn, after one turn that does not count: caches are warm for each of them alike. Each round begins with
 * another one, so that none always follows the same.
 */
async function measure(runs: number): Promise<Result[]> {
  const samples = new Map<string, RestoreSample[]>(ways.map(({ id }) => [id, []]));
  for (let round = 0; round <= runs; round++) {
    loads.push(loadavg()[0] ?? Number.NaN);
    const first = round % ways.length;
    for (const { id, title, run } of [...ways.slice(first), ...ways.slice(0, first)]) {
      const sample = await run();
      const parts = Object.entries(sample.parts ?? {}).map(([part, ms]) => `${part} ${seconds(ms)}`);
      const times = `${seconds(sample.ms)} s  ${seconds(sample.cpuMs)} s`;
      say(`${round === 0 ? "warm-up" : `run ${round}`}  ${times}  ${title}  ${parts.join(", ")}`);
      if (round > 0) samples.get(id)?.push(sample);
    }
  }
  return ways.map(({ id, title, outcome }) => {
    const measured = samples.get(id) ?? [];
    const medians = {
      median: median(measured.map(({ ms }) => ms)),
      cpuMedian: median(measured.map(({ cpuMs }) => cpuMs)),
    };
    return { id, title, outcome, samples: measured, ...medians };
  });
}

/** How long all stored bytes take to be compared with the manifest, which is done before a restore. */
async function checkTimes(): Promise<Record<"offsite" | "local", number>> {
  const times = { offsite: Number.NaN, local: Number.NaN };
  for (const name of ["offsite", "local"] as const)
    times[name] = (await child.order({ step: "check", backup: world.backups[name] })).ms;
  return times;
}

/** Starts the client, waits for its first answer, and stops it when it is answered by what has taken the place. */
async function watch<T>(action: () => Promise<T>): Promise<{ result: T; seenMs: number }> {
  const to = { port: world.postgres.port, user: hammerUser, database: "bench", sql: "SELECT 1" };
  const client = hammer(to, everyMs);
  const answered = async (count: number): Promise<void> => {
    while (client.answered("1") < count) await new Promise(setImmediate);
  };
  await answered(10);
  const result = await action();
  await answered(client.answered("1") + 10);
  const attempts = await client.stop();
  const good = attempts.filter(({ answer }) => answer !== undefined);
  const gaps = good.slice(1).map(({ ended }, index) => ended - (good[index]?.ended ?? ended));
  return { result, seenMs: Math.max(...gaps) };
}

function report(): string {
  const best = (...outcomes: readonly Way["outcome"][]): number =>
    Math.min(...results.filter(({ outcome }) => outcomes.includes(outcome)).map((result) => result.median));
  const [bare, same] = [best("bare"), best("same")];
  const rows = results.map(({ title, samples, median: middle, cpuMedian }) => {
    const times = samples.map(({ ms }) => ms);
    const range = `${seconds(Math.min(...times))}-${seconds(Math.max(...times))}`;
    // A bar would begin another column.
    const name = title.replaceAll("|", "\\|");
    return [name, `${seconds(middle)} (${range})`, ratio(middle, bare), ratio(middle, same), seconds(cpuMedian)];
  });
  const head = ["Way", "s (min-max)", "to the fastest bare one", "to the same outcome", "processor s"];
  const table = markdown([head, ...rows]);
  return [table, partsTable(), aims(bare, same), sizes(), facts()].filter(Boolean).join("\n\n");
}

/** Where our time goes. */
function partsTable(): string {
  const names = ["begin", "fill", "compare", "swap"] as const;
  const rows = ours().map(({ title, samples }) => [
    title,
    ...names.map((name) => seconds(median(samples.map(({ parts }) => parts?.[name] ?? Number.NaN)))),
  ]);
  return rows.length === 0 ? "" : markdown([["Medians, s", ...names], ...rows]);
}

function ours(): Result[] {
  return results.filter(({ outcome }) => outcome === "ours");
}

function aims(bare: number, same: number): string {
  const swaps = ours().flatMap(({ samples }) => samples);
  const offsite = results.find(({ id }) => id === "offsite")?.median ?? Number.NaN;
  const all: Aim[] = [
    aim("from S3, compared and swapped / fastest bare way", offsite / bare, 1.2),
    aim("the same / fastest way with statistics and counts", offsite / same, 1.2),
    aim("connections refused, most of all swaps, s", Math.max(...swaps.map((swap) => swap.refusedMs ?? 0)) / 1000, 1),
    aim("the same, as a client has seen it, s", Math.max(...swaps.map((swap) => swap.seenMs ?? 0)) / 1000, 1),
  ];
  // What was left out is not judged.
  return aimTable(all.filter(({ value }) => value > 0));
}

/** How large a database may be to be back within the time that is promised, at the measured rate. */
function sizes(): string {
  const rows = Object.entries(limits).flatMap(([id, { minutes, title }]) => {
    const time = results.find((result) => result.id === id)?.median;
    if (time === undefined) return [];
    const withCheck = time + checks[id as keyof typeof checks];
    const rate = (bytes: number): number => bytes / withCheck / 1000;
    const { raw } = world.bytes;
    const gigabytes = (bytes: number): string => ((rate(bytes) * minutes * 60) / 1000).toFixed(1);
    return [
      [title, rate(world.database.bytes), rate(raw), minutes, gigabytes(world.database.bytes), gigabytes(raw)].map(
        (value) => (typeof value === "number" ? value.toFixed(0) : value),
      ),
    ];
  });
  const head = ["From, checked before", "database MB/s", "dump MB/s", "minutes", "are GB of database", "GB of dump"];
  return rows.length === 0 ? "" : markdown([head, ...rows]);
}

function facts(): string {
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0);
  const { dump, raw, script } = world.bytes;
  return [
    `Database ${megabytes(world.database.bytes)} MB, dump ${megabytes(raw)} MB, stored ${megabytes(dump)} MB, gzip ${megabytes(script)} MB; ${values.runs} runs.`,
    `Check of the copy before: from S3 ${seconds(checks.offsite)} s, local ${seconds(checks.local)} s.`,
    `Peak memory of the process that restores: ${megabytes(memory.worker)} MB.`,
    `Load at the beginning of each round: ${loads.map((load) => load.toFixed(1)).join(", ")}.`,
  ].join("\n");
}

function ratio(value: number, base: number): string {
  return Number.isFinite(base) ? `${(value / base).toFixed(2)}x` : "-";
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(2);
}
