import { DelayedError, type Job, Worker } from "bullmq";
import { AppError, toAppError } from "../core/errors.ts";
import type { Logger } from "../lib/logger.ts";
import type { Redis } from "../state/redis.ts";
import { contracts, type JobHandler, type JobHandlers, type JobName } from "./contracts.ts";

export interface ConsumerOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly host: string;
  readonly concurrency: number;
  readonly handlers: JobHandlers;
  readonly logger: Logger;
  /** How long a job of a dead worker is left alone; milliseconds. */
  readonly lockMs?: number;
}

/** A running consumer of `work` and `work@<host>`. */
export interface Consumer {
  /** True while both workers are connected and running. */
  isRunning(): boolean;
  /**
   * Takes no more jobs, aborts the running ones and waits for them to hand themselves back, at most `timeoutMs`;
   * then gives up: their locks expire and another worker goes on. Returns false in that case.
   */
  close(timeoutMs: number): Promise<boolean>;
}

/** Starts to work on the queues. */
export function startConsumer(options: ConsumerOptions): Consumer {
  const shutdown = new AbortController();
  const lockMs = options.lockMs ?? 30_000;
  const workers = ["work", `work@${options.host}`].map((name) => {
    const worker = new Worker(name, (job, token) => work(job, token ?? "", options, shutdown.signal), {
      connection: options.redis.duplicate(),
      prefix: options.prefix,
      concurrency: options.concurrency,
      lockDuration: lockMs,
      stalledInterval: lockMs / 2,
      // A killed worker's job is taken up again, however often that happens: the handlers are resumable.
      maxStalledCount: 1_000_000,
    });
    worker.on("error", (error) => options.logger.warn({ queue: name, error: error.message }, "queue worker"));
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
      if (!result) await Promise.race([Promise.all(workers.map((worker) => worker.close(true))), new Promise((resolve) => setTimeout(resolve, 500))]);
      return result;
    },
  };
}

async function work(job: Job, token: string, options: ConsumerOptions, signal: AbortSignal): Promise<unknown> {
  const name = job.name as JobName;
  const contract = contracts[name];
  if (contract === undefined) throw new AppError("internal", `no job is called ${job.name}`);
  const logger = options.logger.child({ job: job.name, jobId: job.id });
  try {
    const payload = contract.payload.parse(job.data);
    const handler = options.handlers[name] as JobHandler<JobName>;
    const outcome = await handler(payload, {
      signal,
      jobId: job.id ?? "",
      attempt: job.attemptsMade + 1,
      maxAttempts: job.opts.attempts ?? 1,
    });
    if ("later" in outcome) {
      await job.moveToDelayed(Date.now() + outcome.later, token);
      throw new DelayedError();
    }
    return outcome.done;
  } catch (error) {
    if (error instanceof DelayedError) throw error;
    if (signal.aborted) {
      // Handed back whole: another worker, or this one after its restart, goes on at once.
      logger.info("job handed back at shutdown");
      await job.moveToDelayed(Date.now(), token);
      throw new DelayedError();
    }
    const failure = toAppError(error);
    logger.warn({ code: failure.code, error: failure.message, context: failure.context, err: failure.code === "internal" ? error : undefined }, "job failed");
    throw failure;
  }
}
