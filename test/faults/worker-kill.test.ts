import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { BackupRun } from "../../src/core/run.ts";
import type { RunningProcess } from "../support/stack.ts";
import { lockTable, startWorkerStack, until, type WorkerStack } from "../support/worker.ts";

let stack: WorkerStack;
let worker: RunningProcess;

beforeAll(async () => {
  stack = await startWorkerStack();
});

beforeEach(async () => {
  // Mostly the one that the test before has ended with.
  worker = await stack.ourWorker();
});

afterEach(async () => await stack.empty());

afterAll(async () => await stack?.[Symbol.asyncDispose]());

/** Kills the worker when `reached` holds, starts another one, and gives the run in its end. */
async function killedWhen(id: string, reached: (run: BackupRun) => boolean, heal: () => unknown): Promise<BackupRun> {
  await stack.runUntil(id, reached);
  await worker.kill();
  await until(() => stack.children().length === 0, { timeoutMs: 5000, what: () => stack.children().join("\n") });
  await heal();
  const killedAt = Date.now();
  worker = await stack.startOurWorker();
  const run = await stack.runUntil(id, ({ status }) => status === "succeeded");
  // Far below the lease of 30 s: the dead process was recognised.
  expect(Date.parse(run.startedAt ?? "") - killedAt).toBeLessThan(10_000);
  return run;
}

/** Both storages hold the run's backup and nothing else. */
async function expectOneBackup(run: BackupRun): Promise<void> {
  const found = await stack.sound();
  expect([...found.keys()]).toEqual([`local ${run.folder}`, `offsite ${run.folder}`]);
  expect([...found.values()]).toEqual([run.manifest, run.manifest]);
}

describe("a worker killed with SIGKILL", { timeout: 180_000 }, () => {
  test("before it knows the database: the next one makes the backup", async () => {
    const open = stack.tools.close("psql");
    const id = await stack.order();
    const run = await killedWhen(id, ({ phase }) => phase === "preflight", open);
    expect(run).toMatchObject({ attempt: 2, interruptedIn: "preflight" });
    await expectOneBackup(run);
    await stack.card(id, /is done[\s\S]*Attempt 2: a worker was interrupted while looking at source and storages/);
  });

  test("while the dump waits for a locked table: its processes end with it, the next one makes the backup", async () => {
    const unlock = await lockTable(stack.postgres, "shop", "blobs");
    const id = await stack.order();
    await stack.runUntil(id, ({ phase }) => phase === "dump");
    await until(async () => (await stack.postgres.psql("shop", waiting)) === "t");
    expect(stack.children()).not.toEqual([]);
    const run = await killedWhen(id, () => true, unlock);
    expect(run).toMatchObject({ attempt: 2, interruptedIn: "dump" });
    await expectOneBackup(run);
  });

  test("in the middle of the upload: it is aborted, the temporary file removed, the dump made anew", async () => {
    const dumps = stack.tools.calls("pg_dump");
    stack.proxy.inject({ kind: "stall" }, { on: ["UploadPart"], path: /partNumber=2/ });
    const id = await stack.order();
    const run = await killedWhen(
      id,
      ({ phase, open }) => phase === "dump" && open.length === 2,
      async () => {
        expect(stack.s3.openUploads()).toHaveLength(1);
        await expect(stack.sound()).rejects.toThrow();
        await stack.proxy.heal();
      },
    );
    expect(run).toMatchObject({ attempt: 2, interruptedIn: "dump", cleaned: 2 });
    expect(stack.tools.calls("pg_dump")).toBe(dumps + 2);
    await expectOneBackup(run);
    await stack.card(id, /is done[\s\S]*Attempt 2: a worker was interrupted while dumping/);
  });

  test("while the upload is being completed: the parts that are there already go, the dump is made anew", async () => {
    stack.proxy.inject({ kind: "stall" }, { on: ["CompleteMultipartUpload"] });
    const id = await stack.order();
    const run = await killedWhen(
      id,
      // The local parts are there under their names.
      ({ phase, open }) => phase === "finish" && open.every(({ storage }) => storage === "offsite"),
      () => stack.proxy.heal(),
    );
    expect(run).toMatchObject({ attempt: 2, interruptedIn: "finish" });
    expect(run.cleaned).toBeGreaterThanOrEqual(3);
    await expectOneBackup(run);
  });

  test("between the manifests: the backup is recognised as finished, and only the missing copy is made", async () => {
    const dumps = stack.tools.calls("pg_dump");
    stack.proxy.inject({ kind: "stall" }, { on: ["PutObject"], path: /manifest\.json/ });
    const id = await stack.order();
    await stack.runUntil(id, ({ phase }) => phase === "manifest");
    const storage = await stack.deps.storage("local");
    const { folder } = await stack.runOf(id);
    await until(() => storage.head(`${folder}manifest.json`));
    const run = await killedWhen(
      id,
      () => true,
      () => stack.proxy.heal(),
    );
    expect(run).toMatchObject({ attempt: 2, interruptedIn: "manifest", folder });
    expect(stack.tools.calls("pg_dump")).toBe(dumps + 1);
    await expectOneBackup(run);
    await stack.card(id, /is done\n[\s\S]*✓ offsite/);
  });

  test("twice: the third attempt leaves one backup", async () => {
    stack.proxy.inject({ kind: "stall" }, { on: ["UploadPart"], path: /partNumber=2/ });
    const id = await stack.order();
    await stack.runUntil(id, ({ open }) => open.length === 2);
    await worker.kill();
    worker = await stack.startOurWorker();
    const run = await killedWhen(
      id,
      ({ attempt, open }) => attempt === 2 && open.length === 2,
      () => stack.proxy.heal(),
    );
    expect(run.attempt).toBe(3);
    await expectOneBackup(run);
  });
});

describe("a worker ended with SIGTERM in the middle of a dump", () => {
  test("ends its children, cleans up, hands the job back and says so; the next one completes it", async () => {
    stack.proxy.inject({ kind: "slow", bytesPerSecond: 1_000_000 }, { on: ["UploadPart"] });
    const id = await stack.order();
    await stack.runUntil(id, ({ phase, open }) => phase === "dump" && open.length === 2);
    const askedAt = performance.now();
    expect(await worker.stop()).toBe(0);
    // Below the time that supervisors give it: 30 s in ecosystem.config.js.
    expect(performance.now() - askedAt).toBeLessThan(25_000);
    expect(stack.children()).toEqual([]);
    expect((await stack.sound()).size).toBe(0);
    const queued = await stack.runOf(id);
    expect(queued).toMatchObject({ status: "queued", phase: "waiting", interruptedIn: "dump", open: [] });
    await stack.card(id, /is waiting\s+The worker was stopped while dumping/);
    await stack.proxy.heal();
    worker = await stack.startOurWorker();
    const run = await stack.ended(id);
    expect(run).toMatchObject({ status: "succeeded", attempt: 2 });
    await expectOneBackup(run);
    await stack.card(id, /is done[\s\S]*Attempt 2/);
  });
});

const waiting = "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'blobs'::regclass AND NOT granted";
