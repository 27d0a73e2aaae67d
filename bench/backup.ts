/**
 * How fast whole backup jobs are, and how much memory the worker takes: see bench/README.md.
 *
 *   npm run bench -- [--size <MB>] [--runs <n>] [--json <file>]
 *   npm run bench -- --memory [--size <MB>]...
 */
import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { measureMemory } from "./memory-run.ts";
import { type Method, methods, type Sample } from "./methods.ts";
import { aimTable, judge, summarise, table } from "./report.ts";
import { startBenchWorld } from "./world.ts";

const { values } = parseArgs({
  options: {
    size: { type: "string", multiple: true },
    runs: { type: "string", default: "5" },
    json: { type: "string" },
    without: { type: "string", multiple: true, default: [] },
    memory: { type: "boolean", default: false },
  },
});
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const positive = (text: string, name: string): number => {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} must be a whole number above 0`);
  return number;
};
const sizes = values.size?.map((size) => positive(size, "size"));
const result = values.memory ? await measureMemory(sizes ?? [1000, 4000], say) : await measureSpeed();
const json = JSON.stringify({ machine: await machine(), ...result.json }, undefined, 2);
process.stdout.write(`\n${result.text}\n\n`);
if (values.json === undefined) process.stdout.write(`${json}\n`);
else await writeFile(values.json, `${json}\n`);

/** All methods in turn, `runs` times, after one turn that does not count: caches are warm for each of them alike. */
async function measureSpeed(): Promise<{ text: string; json: object }> {
  const runs = positive(values.runs, "runs");
  await using world = await startBenchWorld(sizes?.[0] ?? 1000, say);
  const { bytes, rows } = world.database;
  const worker = await world.startWorker();
  const compared = methods(world, worker).filter(({ id }) => !values.without.includes(id));
  const samples = new Map<Method["id"], Sample[]>(compared.map(({ id }) => [id, []]));
  const loads: string[] = [];
  for (let round = 0; round <= runs; round++) {
    loads.push(await loadAverage());
    for (const method of compared) {
      const sample = await method.run();
      say(`${round === 0 ? "warm-up" : `run ${round}`}  ${(sample.ms / 1000).toFixed(2)} s  ${method.title}`);
      if (round > 0) samples.get(method.id)?.push(sample);
    }
  }
  const results = compared.map((method) => summarise(method, samples.get(method.id) ?? []));
  const aims = judge(results);
  const memory = worker.peakMemory();
  const text = `${table(results)}\n\n${aimTable(aims)}\n\nDatabase ${(bytes / 1e6).toFixed(0)} MB, ${runs} runs; worker's peak memory ${(memory.worker / 1e6).toFixed(0)} MB`;
  return { text, json: { database: { bytes, rows }, runs, loads, results, aims, memory } };
}

async function loadAverage(): Promise<string> {
  return (await readFile("/proc/loadavg", "utf8")).split(" ", 1)[0] ?? "";
}

async function machine(): Promise<object> {
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model.trim(),
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    node: process.version,
  };
}
