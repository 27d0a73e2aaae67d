/**
 * How fast backups of files, of Redis and of a bucket are: see bench/README.md.
 *
 *   node bench/sources.ts [--only files|large|redis|s3]... [--scale <factor>] [--runs <n>] [--json <file>]
 *   node bench/sources.ts --memory
 */
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { type Aim, aim, aimTable, markdown } from "./report.ts";
import { measureBucket } from "./source-bucket.ts";
import { judgeRows, rowsTable, type SourceResult, summariseRow } from "./source-report.ts";
import { type Compared, filesRows, largeRows, redisRows } from "./source-rows.ts";
import { startSourceWorld } from "./source-world.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: ["files", "large", "redis", "s3"] },
    scale: { type: "string", default: "1" },
    runs: { type: "string", default: "5" },
    json: { type: "string" },
    memory: { type: "boolean", default: false },
  },
});
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const makers = { files: filesRows, large: largeRows, redis: redisRows };
const names = (["files", "large", "redis"] as const).filter((name) => values.only.includes(name));
const loads: string[] = [];
const result = values.memory ? await measureMemory() : await measureSpeed();
process.stdout.write(`\n${result.text}\n\n`);
const json = JSON.stringify({ date: new Date().toISOString(), loads, ...result.json }, undefined, 2);
if (values.json === undefined) process.stdout.write(`${json}\n`);
else await writeFile(values.json, `${json}\n`);

/** Each source's rows in turn, `runs` times, after a turn that does not count. */
async function measureSpeed(): Promise<{ text: string; json: object }> {
  const tables: string[] = [];
  const all: Record<string, readonly SourceResult[]> = {};
  for (const name of names) {
    await using world = await startSourceWorld();
    const compared = await makers[name](world, Number(values.scale), say);
    const results = await inTurn(compared);
    all[name] = results;
    tables.push(`### ${compared.title}\n\n${rowsTable(results)}\n\n${aimTable(judgeRows(results))}`);
  }
  if (values.only.includes("s3")) {
    await using world = await startSourceWorld();
    tables.push(await measureBucket(world, Math.round(20_000 * Number(values.scale)), Number(values.runs), say));
  }
  return { text: tables.join("\n\n"), json: { runs: Number(values.runs), results: all } };
}

async function inTurn({ rows, worker, serverCpuMs }: Compared): Promise<SourceResult[]> {
  const samples = rows.map(() => [] as { ms: number; cpuMs: number; serverMs: number; bytes: number }[]);
  for (let round = 0; round <= Number(values.runs); round += 1) {
    loads.push((await readFile("/proc/loadavg", "utf8")).split(" ", 1)[0] ?? "");
    for (const [index, row] of rows.entries()) {
      const before = serverCpuMs();
      const sample = { ...(await row.run()), serverMs: serverCpuMs() - before };
      const figures = `${(sample.ms / 1000).toFixed(2)} s, processor ${(sample.cpuMs / 1000).toFixed(2)} s`;
      say(`${round === 0 ? "warm-up" : `run ${round}`}  ${figures}, servers ${sample.serverMs} ms  ${row.title}`);
      if (round > 0) samples[index]?.push(sample);
    }
  }
  say(`worker's peak memory ${(worker.peakMemory().worker / 1e6).toFixed(0)} MB`);
  return rows.map((row, index) => summariseRow(row, samples[index] ?? []));
}

/** Each source at a tenth of its size and at its size, once, by a worker that has just been started. */
async function measureMemory(): Promise<{ text: string; json: object }> {
  const rows: string[][] = [];
  const aims: Aim[] = [];
  for (const name of names) {
    const peaks: number[] = [];
    for (const scale of [0.1, 1]) {
      await using world = await startSourceWorld();
      const { rows: made, worker } = await makers[name](world, scale * Number(values.scale), say);
      for (const row of made) if (row.id === "vakhta" || row.id === "encrypted") await row.run();
      peaks.push(worker.peakMemory().worker / 1e6);
    }
    const [small = 0, large = 0] = peaks;
    rows.push([name, small.toFixed(0), large.toFixed(0)]);
    aims.push(
      aim(`${name}: worker's peak memory, MB`, large, 150),
      aim(`${name}: to a tenth of it`, large / small, 1.15),
    );
  }
  const text = `${markdown([["Source", "a tenth MB", "whole MB"], ...rows])}\n\n${aimTable(aims)}`;
  return { text, json: { memory: rows, aims } };
}
