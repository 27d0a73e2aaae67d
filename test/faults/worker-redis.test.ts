import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { BackupRun } from "../../src/core/run.ts";
import { startWorkerStack, until, type WorkerStack } from "../support/worker.ts";

const leaseMs = 2000;
let stack: WorkerStack;
let dumps: number;

beforeAll(async () => {
  stack = await startWorkerStack({
    configure: (config) => {
      config["worker"].lease = `${leaseMs}ms`;
    },
  });
});

beforeEach(async () => {
  dumps = stack.tools.calls("pg_dump");
  await stack.ourWorker();
});

afterEach(async () => await stack.empty());

afterAll(async () => await stack?.[Symbol.asyncDispose]());

/** Exactly one good backup, nothing beside it, and a card that says so. */
async function expectOneBackup(run: BackupRun): Promise<void> {
  const found = await stack.sound();
  expect([...found.keys()]).toEqual([`local ${run.folder}`, `offsite ${run.folder}`]);
  expect([...found.values()]).toEqual([run.manifest, run.manifest]);
  await stack.card(run.id, /is done\n/);
}

describe("a run survives", { timeout: 180_000 }, () => {
  test("a restart of Redis during the dump", async () => {
    stack.proxy.inject({ kind: "slow", bytesPerSecond: 3_000_000 }, { on: ["UploadPart"] });
    const id = await stack.order();
    await stack.runUntil(id, ({ phase, open }) => phase === "dump" && open.length === 2);
    await stack.redis.restart();
    const run = await stack.ended(id);
    expect(run).toMatchObject({ status: "succeeded", attempt: 1 });
    expect(stack.tools.calls("pg_dump")).toBe(dumps + 1);
    await expectOneBackup(run);
  });

  test("a Redis that is out of memory for a while, and says so without the run's record", async () => {
    stack.proxy.inject({ kind: "slow", bytesPerSecond: 3_000_000 }, { on: ["UploadPart"] });
    const id = await stack.order();
    await stack.runUntil(id, ({ phase, open }) => phase === "dump" && open.length === 2);
    await stack.client.config("SET", "maxmemory", "1");
    await until(() => /OOM command not allowed.*"msg":"progress could not be recorded/.test(stack.log()));
    await stack.client.config("SET", "maxmemory", "0");
    const run = await stack.ended(id);
    expect(run).toMatchObject({ status: "succeeded", attempt: 1 });
    expect(stack.tools.calls("pg_dump")).toBe(dumps + 1);
    expect(stack.log()).not.toMatch(/evalsha/i);
    await expectOneBackup(run);
  });

  test("a restart of Redis while the backup is completed", async () => {
    // The list of parts has some 300 bytes.
    stack.proxy.inject({ kind: "slow", bytesPerSecond: 150 }, { on: ["CompleteMultipartUpload"] });
    const id = await stack.order();
    await stack.runUntil(id, ({ phase }) => phase === "finish");
    await stack.redis.restart();
    const run = await stack.ended(id);
    expect(run).toMatchObject({ status: "succeeded", attempt: 1 });
    expect(stack.tools.calls("pg_dump")).toBe(dumps + 1);
    await expectOneBackup(run);
  });

  test("an outage of Redis that lasts several leases, with another worker waiting for the job", async () => {
    const other = await stack.startOurWorker();
    stack.proxy.inject({ kind: "slow", bytesPerSecond: 1_500_000 }, { on: ["UploadPart"] });
    const id = await stack.order();
    await stack.runUntil(id, ({ phase, open }) => phase === "dump" && open.length === 2);
    await stack.redis.kill();
    const killedAt = performance.now();
    await until(() => performance.now() - killedAt > 3 * leaseMs);
    await stack.redis.restart();
    await stack.proxy.heal();
    const run = await stack.runUntil(id, ({ status }) => status === "succeeded");
    // The other worker may have been faster in taking the lease, never beside the first one.
    expect(stack.tools.calls("pg_dump") - dumps).toBe(run.attempt);
    await until(() => stack.children().length === 0);
    await until(async () => (await stack.sound().catch(() => undefined))?.size === 2);
    await expectOneBackup(run);
    expect((await stack.ended(await stack.order(), 30_000)).status).toBe("succeeded");
    await other.kill();
  });

  test("an outage of Redis that ends only after everything is written", async () => {
    stack.proxy.inject({ kind: "slow", bytesPerSecond: 150 }, { on: ["CompleteMultipartUpload"] });
    const id = await stack.order();
    await stack.runUntil(id, ({ phase }) => phase === "finish");
    await stack.redis.kill();
    const completed = () => stack.proxy.requests.findLast(({ operation }) => operation === "CompleteMultipartUpload");
    await until(() => completed()?.status === 200);
    await stack.redis.restart();
    const run = await stack.runUntil(id, ({ status }) => status === "succeeded");
    expect(stack.tools.calls("pg_dump") - dumps).toBe(run.attempt);
    await until(async () => (await stack.sound().catch(() => undefined))?.size === 2);
    await expectOneBackup(run);
  });
});
