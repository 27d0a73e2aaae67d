import { createServer } from "../http/server.ts";
import { type Consumer, startConsumer } from "../queue/consumer.ts";
import type { JobHandlers } from "../queue/contracts.ts";
import { sweepScratch } from "../services/backup/scratch.ts";
import { loadKinds } from "../sources/index.ts";
import { inspectRedis, Keys, tryWrite } from "../state/redis.ts";
import type { Deps } from "./deps.ts";
import { createRegistry } from "./metrics.ts";
import { startPresence } from "./presence.ts";
import { redisAway, runShutdown } from "./shutdown.ts";
import { startTickKeeper } from "./tick-keeper.ts";

/** A running worker process. */
export interface RunningWorker {
  readonly url: string;
  stop(): Promise<void>;
}

/** Time for running jobs to abort, clean up and hand themselves back; below the supervisor's kill timeout. */
const jobsTimeoutMs = 20_000;

/**
 * Without Redis no job can hand itself back, but its programs still end in order and their temporary files go; below what
 * container engines give; milliseconds.
 */
const hurriedJobsMs = 2000;

/** Starts everything that the worker process does: HTTP, jobs, the tick. Closes `deps` when it stops. */
export async function runWorker(deps: Deps, handlers: JobHandlers, close: () => Promise<void>): Promise<RunningWorker> {
  const { config, logger } = deps;
  let consumer: Consumer | undefined;
  const server = createServer({
    logger,
    registry: createRegistry(deps, "worker"),
    token: config.http.token,
    checks: {
      redis: async () => await tryWrite(deps.redis, new Keys(config.redis.prefix)),
      queue: () => {
        if (!consumer?.isRunning()) throw new Error("not taking jobs");
        return "taking jobs";
      },
    },
  });
  const url = await server.listen({ host: config.http.host, port: config.http.workerPort });
  for (const warning of await inspectRedis(deps.redis)) logger.warn(warning);
  // What is loaded in the middle of a backup takes its memory when there is least of it.
  await loadKinds(config.backups.map(({ source }) => source));
  const swept = await sweepScratch(deps.clock.now());
  if (swept > 0) logger.info({ folders: swept }, "scratch folders of killed workers removed");
  consumer = await startConsumer({
    redis: deps.redis,
    prefix: config.redis.prefix,
    host: deps.host,
    concurrency: config.worker.concurrency,
    handlers,
    logger,
    lockMs: config.worker.lease,
    polls: config.servers.length > 0 || Object.keys(config.providers).length > 0,
  });
  const ticks = await startTickKeeper(deps);
  const presence = startPresence(deps, "worker", () => "working");
  // Said only after the caller has gone on to listen to signals: whoever reads it may ask for an orderly end at once.
  setImmediate(() => logger.info({ url, host: deps.host, version: deps.version }, "worker ready"));
  return {
    url,
    stop: async () => {
      ticks.stop();
      await runShutdown(
        [
          {
            name: "jobs",
            timeoutMs: jobsTimeoutMs + 2000,
            hurriedMs: hurriedJobsMs,
            run: async () => await consumer?.close(jobsTimeoutMs),
          },
          { name: "http", timeoutMs: 2000, run: async () => await server.close() },
          { name: "presence", timeoutMs: 1000, run: async () => await presence.stop() },
          { name: "connections", timeoutMs: 2000, run: close },
        ],
        logger,
        redisAway(deps.redis, logger),
      );
      logger.info("worker stopped");
    },
  };
}
