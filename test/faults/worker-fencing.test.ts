import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { BackupRun } from "../../src/core/run.ts";
import type { RunningProcess } from "../support/stack.ts";
import { startWorkerStack, until, type WorkerStack } from "../support/worker.ts";

let stack: WorkerStack;

beforeAll(async () => {
  stack = await startWorkerStack({
    configure: (config) => {
      config["worker"].lease = "2s";
    },
  });
});

afterEach(async () => await stack.reset());

afterAll(async () => await stack?.[Symbol.asyncDispose]());

describe("two workers", { timeout: 180_000 }, () => {
  test("make the same backup one after the other, and the second card says what it waits for", async () => {
    await stack.startOurWorker();
    await stack.startOurWorker();
    stack.proxy.inject({ kind: "slow", bytesPerSecond: 2_000_000 }, { on: ["UploadPart"] });
    const first = await stack.order();
    await stack.runUntil(first, ({ phase }) => phase === "dump");
    const second = await stack.order();
    await stack.card(second, new RegExp(`is waiting\\s+Waiting for run ${first} of the same backup`));
    await stack.proxy.heal();
    const [one, two] = [await stack.ended(first), await stack.ended(second)];
    expect([one.status, two.status]).toEqual(["succeeded", "succeeded"]);
    expect([one.attempt, two.attempt]).toEqual([1, 1]);
    expect(Date.parse(two.startedAt ?? "")).toBeGreaterThanOrEqual(Date.parse(one.finishedAt ?? ""));
    expect((await stack.sound()).size).toBe(4);
    await stack.card(second, /is done/);
  });
});

describe("a worker that stood still for longer than its lease and comes back", { timeout: 180_000 }, () => {
  /**
   * Stops a worker when `reached` holds, lets another one end the run, wakes the first one up and waits until it
   * knows. Gives the run as the other one has left it, which is checked to stay so.
   */
  async function overtaken(id: string, reached: (run: BackupRun) => boolean | Promise<boolean>): Promise<BackupRun> {
    await until(async () => (await reached(await stack.runOf(id))) || undefined, { what: () => stack.log() });
    sleeper.child.kill("SIGSTOP");
    await stack.proxy.heal();
    const other = await stack.startOurWorker();
    const run = await stack.runUntil(id, ({ status }) => status === "succeeded");
    sleeper.child.kill("SIGCONT");
    await sleeper.logged(/"error":"another worker has taken run \w+ over",.*"msg":"job failed"/);
    await until(() => stack.children().length === 0);
    // What lay there of the first attempt is gone, what the second one made is as it was.
    const now = await stack.sound();
    expect([...now.keys()]).toEqual([`local ${run.folder}`, `offsite ${run.folder}`]);
    expect([...now.values()]).toEqual([run.manifest, run.manifest]);
    expect(await stack.runOf(id)).toEqual(run);
    await stack.card(id, /is done[\s\S]*Attempt 2: a worker was interrupted/);
    await other.kill();
    // It is none the worse for it.
    expect((await stack.ended(await stack.order(), 25_000)).status).toBe("succeeded");
    return run;
  }
  let sleeper: RunningProcess;

  test("in the middle of the upload: ends its processes and leaves the other's backup alone", async () => {
    sleeper = await stack.startOurWorker();
    stack.proxy.inject({ kind: "slow", bytesPerSecond: 500_000 }, { on: ["UploadPart"] });
    const run = await overtaken(await stack.order(), ({ open }) => open.length === 2);
    expect(run).toMatchObject({ attempt: 2, interruptedIn: "dump" });
  });

  test("while completing: removes only what is its own", async () => {
    sleeper = await stack.startOurWorker();
    stack.proxy.inject({ kind: "stall" }, { on: ["CompleteMultipartUpload"] });
    const run = await overtaken(
      await stack.order(),
      ({ phase, open }) => phase === "finish" && open.every(({ storage }) => storage === "offsite"),
    );
    expect(run).toMatchObject({ attempt: 2, interruptedIn: "finish" });
  });

  test("between the manifests: the copy that the other one has made up stays", async () => {
    sleeper = await stack.startOurWorker();
    const dumps = stack.tools.calls("pg_dump");
    stack.proxy.inject({ kind: "stall" }, { on: ["PutObject"], path: /manifest\.json/ });
    const storage = await stack.deps.storage("local");
    const run = await overtaken(
      await stack.order(),
      async ({ folder }) => folder !== undefined && (await storage.head(`${folder}manifest.json`)) !== undefined,
    );
    expect(run).toMatchObject({ attempt: 2, interruptedIn: "manifest" });
    // One more for the backup that was made afterwards.
    expect(stack.tools.calls("pg_dump")).toBe(dumps + 2);
  });
});
