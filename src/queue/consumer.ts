import { DelayedError, type Job, Queue, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { AppError, toAppError } from "../core/errors.ts";
import type { Logger } from "../lib/logger.ts";
import { processIdentity } from "../lib/process-identity.ts";
import { networkCode } from "../lib/resilience.ts";
import { reclaimAbandoned } from "./abandoned.ts";
import { contracts, type JobHandler, type JobHandlers, type JobName, type JobOutcome } from "./contracts.ts";

/** A job for which this process has no place is looked at again after this long, by whoever has one. Milliseconds. */
const busyMs = 1000;

export interface ConsumerOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly host: string;
  /** How many jobs this process works on at a time, from both queues of work together; the clock comes on top. */
  readonly concurrency: number;
  readonly handlers: JobHandlers;
  readonly logger: Logger;
  /** How long a job of a worker that has gone silent is left alone; milliseconds. */
  readonly lockMs: number;
  /** Whether it takes polls as well: where nothing is configured for them nobody waits for any. */
  readonly polls: boolean;
}

/** Batches of polls at a time: each mostly waits, and one that waits for long must not hold up the next ones. */
const pollsAtOnce = 24;

/** A running consumer of `clock`, `polls`, `work` and those of its host. */
export interface Consumer {
  /** True while all of its workers are running. */
  isRunning(): boolean;
  /**
   * Takes no more jobs, aborts the running ones and waits for them to hand themselves back, at most `timeoutMs`;
   * then gives up: their locks expire and another worker goes on. Returns false in that case.
   */
  close(timeoutMs: number): Promise<boolean>;
}

/** Starts to work on the queues, first on what a worker that was killed on this machine has left. */
export async function startConsumer(options: ConsumerOptions): Promise<Consumer> {
  const shutdown = new AbortController();
  const { lockMs } = options;
  const polls = options.polls ? ["polls", `polls@${options.host}`] : [];
  const names = ["clock", ...polls, "work", `work@${options.host}`];
  const slots = new Slots(options.concurrency);
  for (const name of names) await reclaim(name, options);
  const connections: Redis[] = [];
  const workers = names.map((name) => {
    const connection = options.redis.duplicate();
    // Told once, by the connection that this one is a copy of.
    connection.on("error", () => undefined);
    connections.push(connection);
    const worker = new Worker(name, (job, token) => work(job, token ?? "", options, slots, shutdown.signal), {
      connection,
      prefix: options.prefix,
      // Recorded with each job that it takes: by it, the jobs of a killed worker are recognised.
      name: processIdentity(),
      concurrency: name === "clock" ? 1 : polls.includes(name) ? pollsAtOnce : options.concurrency,
      lockDuration: lockMs,
      stalledInterval: lockMs / 2,
      // A killed worker's job is taken up again, however often that happens: the handlers are resumable.
      maxStalledCount: 1_000_000,
    });
    worker.on("error", (error) => {
      // An unreachable Redis is told once, by the connection that these are copies of.
      if (networkCode(error) === undefined) options.logger.warn({ queue: name, error: error.message }, "queue worker");
    });
    return worker;
  });
  return {
    isRunning: () => workers.every((worker) => worker.isRunning()),
    close: async (timeoutMs) => {
      shutdown.abort(new AppError("interrupted", "the worker is shutting down", { permanent: false }));
      const closed = Promise.all(workers.map((worker) => worker.close())).then(() => true);
      const timer = Promise.withResolvers<boolean>();
      const timeout = setTimeout(() => timer.resolve(false), timeoutMs);
      const result = await Promise.race([closed, timer.promise]);
      clearTimeout(timeout);
      if (!result)
        await Promise.race([
          Promise.all(workers.map((worker) => worker.close(true))),
          new Promise((resolve) => setTimeout(resolve, 500)),
        ]);
      // BullMQ closes only connections that it has made itself.
      for (const connection of connections) connection.disconnect();
      return result;
    },
  };
}

async function reclaim(name: string, { redis, prefix, logger }: ConsumerOptions): Promise<void> {
  const queue = new Queue(name, { connection: redis, prefix });
  try {
    const jobs = await reclaimAbandoned(queue, redis);
    if (jobs.length > 0) logger.info({ queue: name, jobs }, "jobs of a killed worker are taken up again");
  } finally {
    await queue.close();
  }
}

/** Places for jobs of several queues: BullMQ counts each queue for itself. */
class Slots {
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  /** What `use` gives, or undefined when no place is free. */
  async take<T>(use: () => Promise<T>): Promise<T | undefined> {
    if (this.#free === 0) return undefined;
    this.#free -= 1;
    try {
      return await use();
    } finally {
      this.#free += 1;
    }
  }
}

async function work(
  job: Job,
  token: string,
  options: ConsumerOptions,
  slots: Slots,
  signal: AbortSignal,
): Promise<unknown> {
  const run = async () => await attempt(job, options, signal);
  const outcome = takesNoPlace(job.name) ? await run() : ((await slots.take(run)) ?? { later: busyMs });
  if ("done" in outcome) return outcome.done;
  // Handed back whole, without counting as an attempt.
  await job.moveToDelayed(Date.now() + outcome.later, token);
  throw new DelayedError();
}

/** What the clock does takes no place of work, nor do polls. */
function takesNoPlace(name: string): boolean {
  const queue = contracts[name as JobName]?.queue;
  return queue === "clock" || queue === "polls";
}

async function attempt(job: Job, options: ConsumerOptions, signal: AbortSignal): Promise<JobOutcome> {
  // Fetched while the worker was stopping, perhaps the one just handed back: left to the next worker untouched.
  if (signal.aborted) return { later: 0 };
  const logger = options.logger.child({ job: job.name, jobId: job.id });
  try {
    const name = job.name as JobName;
    const contract = contracts[name];
    if (contract === undefined) throw new AppError("internal", `no job is called ${job.name}`);
    const payload = contract.payload.parse(job.data);
    const handler = options.handlers[name] as JobHandler<JobName>;
    return await handler(payload, {
      signal,
      jobId: job.id ?? "",
      attempt: job.attemptsMade + 1,
      maxAttempts: job.opts.attempts ?? 1,
    });
  } catch (error) {
    if (signal.aborted) {
      logger.info("job handed back at shutdown");
      return { later: 0 };
    }
    const failure = toAppError(error);
    const { code, message, context } = failure;
    logger.warn({ code, error: message, context, err: code === "internal" ? error : undefined }, "job failed");
    throw failure;
  }
}
