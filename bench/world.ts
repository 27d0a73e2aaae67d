import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { QueueEvents } from "bullmq";
import { pino } from "pino";
import { stringify } from "yaml";
import { systemClock } from "../src/app/clock.ts";
import { loadConfig } from "../src/app/config.ts";
import { createWorkerDeps, type WorkerDeps } from "../src/app/worker-deps.ts";
import { type BackupRun, isFinal, storedBytes } from "../src/core/run.ts";
import { generateIdentity, recipientOf } from "../src/lib/crypto.ts";
import { queueName } from "../src/queue/contracts.ts";
import { type PostgresServer, startPostgres } from "../src/sandbox/servers/postgres.ts";
import { type RedisServer, startRedis } from "../src/sandbox/servers/redis.ts";
import { type S3Server, startS3 } from "../src/sandbox/servers/s3.ts";
import { type BenchDatabase, createBenchDatabase } from "./database.ts";
import { MemoryProbe, type PeakMemory } from "./memory.ts";

/** The backups of the benchmark's configuration: what is switched on. All of them go to `local` and to `offsite`. */
const backups = {
  plain: { counts: "off", encrypt: false },
  encrypted: { counts: "off", encrypt: true },
  counted: { counts: "exact", encrypt: false },
  full: { counts: "exact", encrypt: true },
} as const;

export type BackupName = keyof typeof backups;
export const backupNames = Object.keys(backups) as BackupName[];

/** Servers, a database, and a worker that is the real process with the real configuration. */
export interface BenchWorld extends AsyncDisposable {
  readonly postgres: PostgresServer;
  readonly s3: S3Server;
  readonly database: BenchDatabase;
  /** For files of the compared methods; on the disk where the worker's local copies are. */
  readonly folder: string;
  startWorker(): Promise<BenchWorker>;
}

export interface BenchWorker {
  /**
   * Orders a backup and waits for its end. Milliseconds from before the order is recorded to after the run's final
   * state is: with Redis, the queue, pre-flight, globals, fsync, read-back and both manifests. Throws unless every copy
   * was stored. The copies are removed afterwards, which does not count.
   */
  backUp(name: BackupName): Promise<{ readonly ms: number; readonly bytes: number; readonly run: BackupRun }>;
  /** Highest memory use so far. */
  peakMemory(): PeakMemory;
  stop(): Promise<void>;
}

/** As a server of this size would be set up; only replication is off, so that loading needs no write-ahead log. */
const postgresSettings = {
  fsync: "on",
  full_page_writes: "on",
  shared_buffers: "1GB",
  maintenance_work_mem: "256MB",
  max_wal_size: "4GB",
  wal_level: "minimal",
  max_wal_senders: "0",
};

/** Starts private servers and generates the database. `say` gets a line about each step. */
export async function startBenchWorld(megabytes: number, say: (line: string) => void): Promise<BenchWorld> {
  const stops: (() => Promise<unknown>)[] = [];
  const dispose = async (): Promise<void> => {
    for (const stop of stops.splice(0).toReversed()) await stop();
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), "vakhta-bench-"));
    stops.push(() => rm(folder, { recursive: true, force: true }));
    const redis = await startRedis();
    stops.push(() => redis.stop());
    const postgres = await startPostgres({ settings: postgresSettings });
    stops.push(() => postgres.stop());
    const s3 = await startS3();
    stops.push(() => s3.stop());
    say(`generating a database of about ${megabytes} MB`);
    const database = await createBenchDatabase(postgres, "bench", megabytes);
    const file = await writeConfig(folder, { redis, s3, databaseUrl: database.url });
    return {
      postgres,
      s3,
      database,
      folder,
      async startWorker() {
        const start = async (): Promise<BenchWorker> => {
          const worker = await startWorker(file);
          stops.push(() => worker.stop());
          return worker;
        };
        // The first one compiles the sources; every later one finds the compiled code.
        const first = await start();
        await first.backUp("full");
        await first.stop();
        return await start();
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

interface Places {
  readonly redis: RedisServer;
  readonly s3: S3Server;
  readonly databaseUrl: string;
}

async function writeConfig(folder: string, { redis, s3, databaseUrl }: Places): Promise<string> {
  const { endpoint, region, bucket, accessKeyId, secretAccessKey } = s3;
  const path = join(folder, "local");
  await mkdir(path);
  const settings = {
    redis: { url: redis.url },
    http: { port: 0, workerPort: 0 },
    storages: {
      local: { kind: "local", path },
      offsite: { kind: "s3", endpoint, region, bucket, accessKeyId, secretAccessKey, forcePathStyle: true },
    },
    encryption: { recipients: [await recipientOf(await generateIdentity())] },
    backups: Object.entries(backups).map(([name, { counts, encrypt }]) => ({
      name,
      encrypt,
      source: { kind: "postgres", url: databaseUrl, counts },
    })),
  };
  const file = join(folder, "vakhta.yaml");
  await writeFile(file, stringify(settings), { mode: 0o600 });
  return file;
}

async function startWorker(file: string): Promise<BenchWorker> {
  const child = await startWorkerProcess(file);
  const { config } = loadConfig({ path: file, requires: ["redis", "storages", "sources"] });
  const { deps, close } = createWorkerDeps({
    config,
    logger: pino({ level: "silent" }),
    clock: systemClock,
    role: "bench",
  });
  const connection = deps.redis.duplicate();
  const events = new QueueEvents(queueName("backup"), { connection, prefix: config.redis.prefix });
  await events.waitUntilReady();
  const memory = new MemoryProbe(child.pid as number);
  let stopped = false;
  return {
    async backUp(name) {
      const source = randomUUID();
      const ended = nextEnd(events);
      const started = performance.now();
      const { run: ordered } = await deps.orders.request({ name, trigger: "cli", source });
      await ended;
      const ms = performance.now() - started;
      const run = await deps.runs.get(ordered.id);
      if (!isFinal(run.status) || run.status !== "succeeded" || !run.manifest)
        throw new Error(`backup ${name} ended as ${run.status}: ${JSON.stringify(run.error ?? run.copies)}`);
      await removeCopies(deps, run);
      return { ms, bytes: storedBytes(run.manifest), run };
    },
    peakMemory: () => memory.read(),
    async stop() {
      if (stopped) return;
      stopped = true;
      memory.stop();
      await events.close();
      connection.disconnect();
      await close();
      await end(child);
    },
  };
}

/** Starts the worker as `npm start` and the units of `deploy/` do. */
async function startWorkerProcess(file: string): Promise<ChildProcess> {
  const root = join(import.meta.dirname, "..");
  const child = spawn(process.execPath, ["--max-semi-space-size=1", join(root, "src/worker.ts")], {
    cwd: root,
    env: { NODE_COMPILE_CACHE: join(root, "node_modules/.cache/compile"), ...process.env, VAKHTA_CONFIG: file },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { promise: ready, resolve } = Promise.withResolvers<boolean>();
  child.once("exit", () => resolve(false));
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line.includes('"worker ready"')) resolve(true);
    // Warnings and errors only: a benchmark's output is its table.
    else if (/"level":[456]0/.test(line)) process.stderr.write(`${line}\n`);
  });
  if (!(await ready)) throw new Error(`the worker ended with ${child.signalCode ?? child.exitCode}`);
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
}

/** Waits for the end of the next job that is a backup; the tick's jobs have other ids. */
function nextEnd(events: QueueEvents): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      events.off("completed", completed);
      events.off("failed", failed);
      if (error) reject(error);
      else resolve();
    };
    const completed = ({ jobId }: { jobId: string }): void => {
      if (jobId.startsWith("backup-")) settle();
    };
    const failed = ({ jobId, failedReason }: { jobId: string; failedReason: string }): void => {
      if (jobId.startsWith("backup-")) settle(new Error(failedReason));
    };
    events.on("completed", completed);
    events.on("failed", failed);
  });
}

async function removeCopies(deps: WorkerDeps, run: BackupRun): Promise<void> {
  for (const { storage: name } of run.copies) {
    const storage = await deps.storage(name);
    const keys: string[] = [];
    for await (const { key } of storage.list(run.folder ?? "")) keys.push(key);
    await storage.delete(keys);
  }
}
