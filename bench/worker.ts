import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { QueueEvents } from "bullmq";
import { pino } from "pino";
import { systemClock } from "../src/app/clock.ts";
import { loadConfig } from "../src/app/config.ts";
import { createWorkerDeps, type WorkerDeps } from "../src/app/worker-deps.ts";
import { type BackupRun, isFinal, storedBytes } from "../src/core/run.ts";
import { queueName } from "../src/queue/contracts.ts";
import { processorMs } from "./cpu.ts";
import { MemoryProbe, type PeakMemory } from "./memory.ts";

/** One backup as it was made. */
export interface BenchBackup {
  /** Milliseconds. */
  readonly ms: number;
  /** Milliseconds of processor time, of the worker and of the programs that it has run. */
  readonly cpuMs: number;
  readonly bytes: number;
  readonly run: BackupRun;
}

/** The real worker process with its configuration file. */
export interface BenchWorker {
  /**
   * Orders a backup and waits for its end. Milliseconds from before the order is recorded to after the run's final
   * state is: with Redis, the queue, pre-flight, globals, fsync, read-back and both manifests. Throws unless every copy
   * was stored. Unless they are to be kept, the copies are removed afterwards, which does not count.
   */
  backUp(name: string, options?: { readonly keep?: boolean }): Promise<BenchBackup>;
  /** Highest memory use so far. */
  peakMemory(): PeakMemory;
  stop(): Promise<void>;
}

/** Starts the worker with this configuration. */
export async function startWorker(file: string): Promise<BenchWorker> {
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
    async backUp(name, { keep = false } = {}) {
      const source = randomUUID();
      const ended = nextEnd(events);
      const pid = child.pid as number;
      const cpuBefore = processorMs(pid);
      const started = performance.now();
      const { run: ordered } = await deps.orders.request({ name, trigger: "cli", source });
      await ended;
      const ms = performance.now() - started;
      const run = await deps.runs.get(ordered.id);
      if (!isFinal(run.status) || run.status !== "succeeded" || !run.manifest)
        throw new Error(`backup ${name} ended as ${run.status}: ${JSON.stringify(run.error ?? run.copies)}`);
      const cpuMs = processorMs(pid) - cpuBefore;
      if (!keep) await removeCopies(deps, run);
      return { ms, cpuMs, bytes: storedBytes(run.manifest), run };
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
