import { Queue } from "bullmq";
import type { Redis } from "ioredis";
import { contracts, type JobName, type JobPayload, queueName } from "./contracts.ts";

export interface EnqueueOptions {
  /** Same id, same job: enqueueing it again while it is known changes nothing. */
  readonly id?: string;
  /** The host whose worker has to take it; undefined: any worker. */
  readonly host?: string | undefined;
  readonly delayMs?: number;
}

/** How a queue stands. */
export interface QueueLook {
  readonly name: string;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  /** The job that waits for longest: `addedAt`, when it could have been taken at the earliest; `takenAt`, when it was taken last. */
  readonly oldest?: { readonly id: string; readonly addedAt: Date; readonly takenAt?: Date };
  /** The delayed job that is due first. Only a worker puts it among those that wait. */
  readonly next?: { readonly id: string; readonly dueAt: Date };
}

/** Puts jobs into the queues. */
export class Producer {
  readonly #queues = new Map<string, Queue>();
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  #queue(name: string): Queue {
    let queue = this.#queues.get(name);
    if (!queue) {
      queue = new Queue(name, {
        connection: this.#redis,
        prefix: this.#prefix,
        defaultJobOptions: {
          removeOnComplete: { age: 3600, count: 200 },
          removeOnFail: { age: 7 * 86_400, count: 1000 },
        },
      });
      // The connection logs its outages itself, once each.
      queue.on("error", () => undefined);
      this.#queues.set(name, queue);
    }
    return queue;
  }

  /** Enqueues a job after checking its payload. Throws a ZodError for a payload that breaks the contract. */
  async enqueue<N extends JobName>(name: N, payload: JobPayload<N>, options: EnqueueOptions = {}): Promise<void> {
    const contract = contracts[name];
    await this.#queue(queueName(name, options.host)).add(name, contract.payload.parse(payload), {
      attempts: contract.attempts,
      ...(contract.backoffMs > 0 ? { backoff: { type: "exponential", delay: contract.backoffMs, jitter: 0.2 } } : {}),
      ...(options.id === undefined ? {} : { jobId: options.id }),
      ...(options.delayMs === undefined ? {} : { delay: options.delayMs }),
    });
  }

  /** True while the job waits, is delayed or is worked on. */
  async isPending(name: JobName, id: string, host?: string): Promise<boolean> {
    const state = await this.#queue(queueName(name, host)).getJobState(id);
    return state !== "completed" && state !== "failed" && state !== "unknown";
  }

  /** Forgets a finished job, so that its id can be used again. */
  async forget(name: JobName, id: string, host?: string): Promise<void> {
    await this.#queue(queueName(name, host)).remove(id);
  }

  /** The tick: one scheduler for the whole installation, whoever starts first. */
  async scheduleTick(everyMs: number): Promise<void> {
    await this.#queue(queueName("tick")).upsertJobScheduler(
      "tick",
      { every: everyMs },
      { name: "tick", data: {}, opts: { removeOnComplete: 5, removeOnFail: 20 } },
    );
  }

  /**
   * Schedules the tick anew where Redis knows of none any more: it has lost its data. True when that was so. For every
   * worker, again and again: a schedule that is there is left alone.
   */
  async keepTick(everyMs: number): Promise<boolean> {
    if (await this.#queue(queueName("tick")).getJobScheduler("tick")) return false;
    await this.scheduleTick(everyMs);
    return true;
  }

  /** Jobs per state of the queues of `hosts`, for /metrics and /readyz. */
  async counts(hosts: readonly string[]): Promise<Record<string, Record<string, number>>> {
    const result: Record<string, Record<string, number>> = {};
    for (const name of ["clock", "polls", "work", ...hosts.flatMap((host) => [`polls@${host}`, `work@${host}`])]) {
      result[name] = await this.#queue(name).getJobCounts("waiting", "active", "delayed", "failed");
    }
    return result;
  }

  /** How the queue of a host stands ("work@<host>"), or that of any worker ("work") or of the clock ("clock"). */
  async look(name: string): Promise<QueueLook> {
    const queue = this.#queue(name);
    const counts = await queue.getJobCounts("waiting", "active", "delayed");
    const [oldest] = await queue.getJobs(["waiting"], 0, 0, true);
    const [id, score] = await this.#redis.zrange(queue.toKey("delayed"), "0", "0", "WITHSCORES");
    return {
      name,
      waiting: counts["waiting"] ?? 0,
      active: counts["active"] ?? 0,
      delayed: counts["delayed"] ?? 0,
      ...(oldest?.id === undefined
        ? {}
        : {
            oldest: {
              id: oldest.id,
              addedAt: new Date(oldest.timestamp + (oldest.opts.delay ?? 0)),
              ...(oldest.processedOn === undefined ? {} : { takenAt: new Date(oldest.processedOn) }),
            },
          }),
      // BullMQ keeps the time in the upper bits, for the order of those with the same one.
      ...(id === undefined ? {} : { next: { id, dueAt: new Date(Math.floor(Number(score) / 0x1000)) } }),
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
  }
}
