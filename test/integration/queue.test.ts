import { Queue, Worker } from "bullmq";
import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Consumer, startConsumer } from "../../src/queue/consumer.ts";
import type { JobContext, JobHandlers, JobOutcome } from "../../src/queue/contracts.ts";
import { Producer } from "../../src/queue/producer.ts";
import { until, useRedis } from "../support/state.ts";

const fixture = useRedis();
const quiet = pino({ level: "silent" });
const lockMs = 1000;

type Handle = (payload: unknown, context: JobContext) => Promise<JobOutcome>;

const done: Handle = async () => ({ done: {} });

/** A queue of its own with a producer. */
function queue(): { prefix: string; producer: Producer } {
  const prefix = fixture.keys().root.split(":")[0] ?? "";
  const producer = new Producer(fixture.redis, prefix);
  onTestFinished(async () => await producer.close());
  return { prefix, producer };
}

/** A worker process's side of it. What its handlers get is noted. */
async function consume(
  prefix: string,
  handle: Handle = done,
  host = "db-1",
): Promise<Consumer & { readonly got: unknown[] }> {
  const got: unknown[] = [];
  const handler: Handle = async (payload, context) => {
    got.push(payload);
    return await handle(payload, context);
  };
  const handlers = { tick: handler, backup: handler, upload: handler, prune: handler } as JobHandlers;
  const consumer = await startConsumer({
    redis: fixture.connect(),
    prefix,
    host,
    concurrency: 2,
    handlers,
    logger: quiet,
    lockMs,
    polls: false,
  });
  onTestFinished(async () => void (await consumer.close(1000)));
  return Object.assign(consumer, { got });
}

/** The queue as BullMQ sees it. */
function raw(prefix: string, name = "work"): Queue {
  const inside = new Queue(name, { connection: fixture.redis, prefix });
  onTestFinished(async () => await inside.close());
  return inside;
}

const untilAborted = async (signal: AbortSignal): Promise<never> =>
  await new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true }),
  );

describe("a job", () => {
  test("reaches the handler of its name with its payload, once", async () => {
    const { prefix, producer } = queue();
    const worker = await consume(prefix);
    await producer.enqueue("backup", { runId: "a" }, { id: "backup-a" });
    await producer.enqueue("backup", { runId: "a" }, { id: "backup-a" });
    await until(async () => !(await producer.isPending("backup", "backup-a")), "the job to end");
    expect(worker.got).toEqual([{ runId: "a" }]);
  });

  test("with an id that has ended can be enqueued again when it was forgotten", async () => {
    const { prefix, producer } = queue();
    const worker = await consume(prefix);
    for (let n = 0; n < 2; n++) {
      await producer.enqueue("backup", { runId: "a" }, { id: "backup-a" });
      await until(
        async () => worker.got.length > n && !(await producer.isPending("backup", "backup-a")),
        "the job to end",
      );
      await producer.forget("backup", "backup-a");
    }
    expect(worker.got).toHaveLength(2);
  });

  test("that is bound to a host is taken by that host's worker only", async () => {
    const { prefix, producer } = queue();
    const [one, two] = [await consume(prefix, done, "db-1"), await consume(prefix, done, "db-2")];
    for (let n = 0; n < 5; n++) await producer.enqueue("backup", { runId: `${n}` }, { host: "db-2" });
    await until(() => two.got.length === 5, "the jobs at their host");
    expect(one.got).toEqual([]);
    expect(await producer.counts(["db-1", "db-2"])).toMatchObject({
      work: { waiting: 0 },
      "work@db-2": { waiting: 0, failed: 0 },
    });
  });

  test("whose payload breaks the contract is refused on the way in", async () => {
    const { prefix, producer } = queue();
    await expect(producer.enqueue("backup", { run: "a" } as never)).rejects.toThrow(/runId/);
    expect(await raw(prefix).count()).toBe(0);
  });

  test("whose payload breaks the contract all the same fails without reaching its handler, as one without a name does", async () => {
    const { prefix } = queue();
    const worker = await consume(prefix);
    const inside = raw(prefix);
    await inside.add("backup", { runId: 5 });
    await inside.add("unheard-of", {});
    await until(async () => (await inside.getFailedCount()) === 2, "both to fail");
    expect(worker.got).toEqual([]);
    const reasons = (await inside.getFailed()).map((job) => job.failedReason);
    expect(reasons.join(" ")).toMatch(/no job is called unheard-of/);
  });

  test("that is handed back comes again without having used up an attempt", async () => {
    const { prefix, producer } = queue();
    const attempts: number[] = [];
    await consume(prefix, async (_payload, { attempt, maxAttempts }) => {
      expect(maxAttempts).toBe(1);
      attempts.push(attempt);
      return attempts.length < 4 ? { later: 0 } : { done: {} };
    });
    await producer.enqueue("backup", { runId: "a" }, { id: "a" });
    await until(async () => attempts.length === 4 && !(await producer.isPending("backup", "a")), "the fourth time");
    expect(attempts).toEqual([1, 1, 1, 1]);
  });

  test("that fails is tried again later where its contract says so, with its attempts counted", async () => {
    const { prefix, producer } = queue();
    const attempts: number[] = [];
    await consume(prefix, async (_payload, { attempt }) => {
      attempts.push(attempt);
      throw new Error("no");
    });
    await producer.enqueue("prune", { storage: "s3" }, { id: "prune" });
    await producer.enqueue("backup", { runId: "a" }, { id: "once" });
    const inside = raw(prefix);
    await until(
      async () => (await inside.getDelayedCount()) === 1 && (await inside.getFailedCount()) === 1,
      "both to fail",
    );
    const wait = (await inside.getDelayed())[0]?.delay ?? 0;
    expect(wait).toBeGreaterThanOrEqual(30_000 * 0.8);
    expect(wait).toBeLessThanOrEqual(30_000 * 1.2);
    await (await inside.getJob("prune"))?.promote();
    await until(() => attempts.length === 3, "the second attempt");
    expect(attempts.at(-1)).toBe(2);
  });

  test("of a worker that has gone silent is taken up again when its lock has expired", async () => {
    const { prefix, producer } = queue();
    await producer.enqueue("backup", { runId: "a" }, { id: "a" });
    // Somebody on another machine takes it and is never heard of again.
    const silent = new Worker("work", null, {
      connection: fixture.connect(),
      prefix,
      lockDuration: lockMs,
      autorun: false,
    });
    onTestFinished(async () => await silent.close(true));
    const job = await silent.getNextJob("token of the dead");
    expect(job?.id).toBe("a");
    const startedAt = performance.now();
    const worker = await consume(prefix);
    await until(() => worker.got.length === 1, "the job taken up");
    expect(performance.now() - startedAt).toBeGreaterThan(lockMs / 4);
    await until(async () => !(await producer.isPending("backup", "a")), "the job to end");
  });
});

describe("a worker that stops", () => {
  test("hands its running jobs back, and the next one goes on with them", async () => {
    const { prefix, producer } = queue();
    const first = await consume(prefix, async (_payload, { signal }) => await untilAborted(signal));
    await producer.enqueue("backup", { runId: "a" }, { id: "a" });
    await until(() => first.got.length === 1, "the job at the first");
    expect(await first.close(10_000)).toBe(true);
    expect(first.isRunning()).toBe(false);
    expect(await producer.isPending("backup", "a")).toBe(true);
    const attempts: number[] = [];
    const second = await consume(prefix, async (_payload, { attempt }) => {
      attempts.push(attempt);
      return { done: {} };
    });
    await until(
      async () => second.got.length === 1 && !(await producer.isPending("backup", "a")),
      "the job at the second",
    );
    expect(attempts).toEqual([1]);
  });

  test("does not begin again what it has just handed back", async () => {
    for (let n = 0; n < 8; n++) {
      const { prefix, producer } = queue();
      const worker = await consume(prefix, async (_payload, { signal }) => await untilAborted(signal));
      await producer.enqueue("backup", { runId: "a" }, { id: "a" });
      await until(() => worker.got.length === 1, "the job");
      expect(await worker.close(10_000)).toBe(true);
      expect(worker.got).toHaveLength(1);
      expect(await producer.isPending("backup", "a")).toBe(true);
    }
  });

  test("takes no new ones", async () => {
    const { prefix, producer } = queue();
    const worker = await consume(prefix);
    await worker.close(5000);
    await producer.enqueue("backup", { runId: "a" }, { id: "a" });
    expect((await producer.counts([]))["work"]?.["waiting"]).toBe(1);
    expect(worker.got).toEqual([]);
  });

  test("waits for a job that does not listen only as long as it was told", async () => {
    const { prefix, producer } = queue();
    const never = Promise.withResolvers<JobOutcome>();
    const worker = await consume(prefix, async () => await never.promise);
    await producer.enqueue("backup", { runId: "a" }, { id: "a" });
    await until(() => worker.got.length === 1, "the job");
    const startedAt = performance.now();
    expect(await worker.close(300)).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(3000);
    never.resolve({ done: {} });
  });
});

test("the tick comes again and again, from one schedule however many workers set it up", async () => {
  const { prefix, producer } = queue();
  await Promise.all(Array.from({ length: 5 }, () => producer.scheduleTick(400)));
  expect(await raw(prefix, "clock").getJobSchedulersCount()).toBe(1);
  const worker = await consume(prefix);
  await until(() => worker.got.length >= 3, "three ticks");
  expect(worker.got[0]).toEqual({});
});

describe("a worker that is busy", () => {
  /** Jobs that stay until they are let go. */
  function held() {
    const letGo = Promise.withResolvers<void>();
    const running = { now: 0, most: 0 };
    const handle: Handle = async () => {
      running.now += 1;
      running.most = Math.max(running.most, running.now);
      await letGo.promise;
      running.now -= 1;
      return { done: {} };
    };
    return { running, handle, release: letGo.resolve };
  }

  test("works on so many jobs at a time as it may, from both its queues together", async () => {
    const { prefix, producer } = queue();
    const { running, handle, release } = held();
    const worker = await consume(prefix, handle);
    for (const host of [undefined, "db-1", undefined, "db-1"])
      await producer.enqueue("backup", { runId: `${worker.got.length}` }, { host });
    await until(() => running.now === 2, "two jobs");
    // The other two were offered too, and were handed back.
    const waiting = async (name: string) => await raw(prefix, name).getJobCounts("waiting", "delayed");
    await until(async () => {
      const [open, bound] = [await waiting("work"), await waiting("work@db-1")];
      return (open["delayed"] ?? 0) + (bound["delayed"] ?? 0) === 2;
    }, "the others to be handed back");
    release();
    await until(() => worker.got.length === 4, "all four");
    expect(running.most).toBe(2);
  });

  test("still looks at the clock", async () => {
    const { prefix, producer } = queue();
    const { handle, release, running } = held();
    const ticks: unknown[] = [];
    const handlers = {
      tick: async () => ({ done: { ticks: ticks.push(1) } }),
      backup: handle,
      upload: handle,
    } as unknown as JobHandlers;
    const consumer = await startConsumer({
      redis: fixture.connect(),
      prefix,
      host: "db-1",
      concurrency: 1,
      handlers,
      logger: quiet,
      lockMs,
      polls: false,
    });
    onTestFinished(async () => void (await consumer.close(1000)));
    for (const runId of ["a", "b", "c"]) await producer.enqueue("backup", { runId });
    await until(() => running.now === 1, "the worker to be busy");
    await producer.enqueue("tick", {});
    await until(() => ticks.length === 1, "the tick");
    expect(running.now).toBe(1);
    release();
  });

  test("still looks at servers, many at a time, those of its host and those of any", async () => {
    const { prefix, producer } = queue();
    const { handle, release, running } = held();
    const looking = { now: 0, most: 0 };
    const polled = Promise.withResolvers<void>();
    const handlers = {
      backup: handle,
      poll: async () => {
        looking.most = Math.max(looking.most, ++looking.now);
        await polled.promise;
        looking.now -= 1;
        return { done: {} };
      },
    } as unknown as JobHandlers;
    const consumer = await startConsumer({
      redis: fixture.connect(),
      prefix,
      host: "db-1",
      concurrency: 1,
      handlers,
      logger: quiet,
      lockMs,
      polls: true,
    });
    onTestFinished(async () => void (await consumer.close(1000)));
    for (const runId of ["a", "b", "c"]) await producer.enqueue("backup", { runId });
    await until(() => running.now === 1, "the worker to be busy");
    const batch = { provider: "timeweb", servers: ["web-1"], turn: "1", at: 0 };
    for (let count = 0; count < 5; count++) {
      await producer.enqueue("poll", batch);
      await producer.enqueue("poll", batch, { host: "db-1" });
      await producer.enqueue("poll", batch, { host: "db-2" });
    }
    await until(() => looking.now === 10, "all but another host's");
    polled.resolve();
    await until(() => looking.now === 0, "their end");
    expect(running.now).toBe(1);
    expect(looking.most).toBe(10);
    release();
  });
});
