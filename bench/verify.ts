/**
 * What each depth of a verification costs, on a copy in a local folder: see docs/verification.md.
 *
 *   node bench/verify.ts [--size <MB>] [--runs <n>]
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runFolder } from "../src/core/manifest.ts";
import { type Depth, depths } from "../src/core/proof.ts";
import { storedBytes } from "../src/core/run.ts";
import { generateIdentity, recipientOf } from "../src/lib/crypto.ts";
import { createLogger } from "../src/lib/logger.ts";
import { startPostgres } from "../src/sandbox/servers/postgres.ts";
import { runBackup } from "../src/services/backup/pipeline.ts";
import { type ProveOrder, prove } from "../src/services/backup/prove.ts";
import { createSource, sourceSchema } from "../src/sources/index.ts";
import { createStorage, storageSchema } from "../src/storages/index.ts";
import { createBenchDatabase } from "./database.ts";
import { markdown, median } from "./report.ts";

const { values } = parseArgs({
  options: { size: { type: "string", default: "1000" }, runs: { type: "string", default: "3" } },
});
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const logger = createLogger({ name: "bench", level: "silent" });
const clock = { now: () => new Date() };
const signal = new AbortController().signal;

/** Milliseconds of each depth, the median of `runs` looks after one that does not count. */
export async function measureDepths(order: Omit<ProveOrder, "depth">, runs: number): Promise<Record<Depth, number>> {
  const result = { stored: 0, readable: 0, restored: 0 };
  for (const depth of depths) {
    const times: number[] = [];
    for (let run = 0; run <= runs; run++) {
      const proof = await prove({ ...order, depth });
      if (!proof.ok || proof.depth !== depth) throw new Error(`${depth}: ${JSON.stringify(proof)}`);
      say(`${run === 0 ? "warm-up" : `run ${run}`}  ${(proof.elapsedMs / 1000).toFixed(2)} s  ${depth}`);
      if (run > 0) times.push(proof.elapsedMs);
    }
    result[depth] = median(times);
  }
  return result;
}

const folder = await mkdtemp(join(tmpdir(), "vakhta-bench-verify-"));
await chmod(folder, 0o711);
const server = await startPostgres();
try {
  const database = await createBenchDatabase(server, "bench", Number(values.size));
  const source = createSource(sourceSchema.parse({ kind: "postgres", url: database.url }), { clock, logger });
  const storage = createStorage("local", storageSchema.parse({ kind: "local", path: join(folder, "store") }), {
    logger,
    host: "bench",
  });
  const identity = await generateIdentity();
  const rows: string[][] = [["Backup", ...depths]];
  for (const recipients of [[], [await recipientOf(identity)]]) {
    const runId = recipients.length === 0 ? "plain" : "encrypted";
    const startedAt = new Date();
    const nothing = async (): Promise<void> => undefined;
    const observer = {
      phase: nothing,
      title: nothing,
      opened: nothing,
      closed: nothing,
      left: nothing,
      progress: () => undefined,
    };
    const order = { runId, name: "bench", startedAt, folder: runFolder("bench", startedAt, runId), source, recipients };
    const { manifest } = await runBackup({
      ...order,
      storages: [storage],
      observer,
      clock,
      signal,
      host: "bench",
      version: "bench",
    });
    const what = {
      storage,
      manifest,
      identities: [identity],
      scratch: { id: "bench", root: folder },
      host: "bench",
      clock,
      logger,
      signal,
    };
    const times = await measureDepths(what, Number(values.runs));
    const seconds = depths.map((depth) => `${(times[depth] / 1000).toFixed(1)} s`);
    rows.push([`${runId}, ${(storedBytes(manifest) / 1e6).toFixed(0)} MB stored`, ...seconds]);
  }
  process.stdout.write(
    `\n${markdown(rows)}\n\nDatabase ${(database.bytes / 1e6).toFixed(0)} MB, ${values.runs} runs\n`,
  );
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
