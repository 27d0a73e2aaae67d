import type { PeakMemory } from "./memory.ts";
import { aim, aimTable, markdown } from "./report.ts";
import { backupNames, startBenchWorld } from "./world.ts";

/** The worker's peak may be this many bytes. */
const limit = 150e6;
/** How much more the largest database may take than the smallest: what a garbage collector varies by. */
const growth = 1.15;

/** For each size: a new worker makes every kind of backup once; its peak memory afterwards. Sizes in megabytes. */
export async function measureMemory(
  sizes: readonly number[],
  say: (line: string) => void,
): Promise<{ text: string; json: object }> {
  const results: (PeakMemory & { readonly databaseBytes: number; readonly idle: number })[] = [];
  for (const size of sizes) {
    await using world = await startBenchWorld(size, say);
    const worker = await world.startWorker();
    const idle = worker.peakMemory().worker;
    for (const name of backupNames) {
      const { ms, run } = await worker.backUp(name);
      const raw = run.manifest?.parts[0]?.rawBytes ?? 0;
      say(`${name}: ${(raw / 1e6).toFixed(0)} MB dumped in ${(ms / 1000).toFixed(1)} s`);
    }
    results.push({ databaseBytes: world.database.bytes, idle, ...worker.peakMemory() });
  }
  const mb = (bytes = 0): string => (bytes / 1e6).toFixed(0);
  const tools = [...new Set(results.flatMap((result) => Object.keys(result.tools)))].sort();
  const head = ["Database MB", "worker idle", "worker peak MB", ...tools.map((tool) => `${tool} MB`)];
  const rows = results.map((result) => [
    mb(result.databaseBytes),
    mb(result.idle),
    mb(result.worker),
    ...tools.map((tool) => mb(result.tools[tool])),
  ]);
  const peaks = results.map(({ worker }) => worker);
  const aims = [
    aim("worker's peak memory, MB", Math.max(...peaks) / 1e6, limit / 1e6),
    aim("peak at the largest / at the smallest size", (peaks.at(-1) ?? 0) / (peaks[0] ?? 1), growth),
  ];
  return { text: `${markdown([head, ...rows])}\n\n${aimTable(aims)}`, json: { memory: results, aims } };
}
