import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadConfig } from "../../src/app/config.ts";
import { createWorkerDeps, type WorkerDeps } from "../../src/app/worker-deps.ts";
import { type Drill, isOver } from "../../src/core/drill.ts";
import { isFinal } from "../../src/core/run.ts";
import { quiet } from "../support/backup.ts";
import { type RunningProcess, type Stack, startStack } from "../support/stack.ts";
import { until } from "../support/worker.ts";

let stack: Stack;
let deps: WorkerDeps;
let close: () => Promise<void>;
let worker: RunningProcess;

const names = ["first", "second", "third"];
/** The test-restore of `second` waits while this is there. */
const gate = () => join(stack.folder, "gate");

beforeAll(async () => {
  stack = await startStack({
    configure: (config) => {
      const storages = ["offsite"];
      // One place for work: a drill must not wait in it for what it has ordered.
      config["worker"] = { ...config["worker"], concurrency: 1, lease: "2s" };
      config["backups"] = names.map((name) => ({ name, storages, source: source("true") }));
      config["drill"] = {};
    },
  });
  stack.configure((config) => {
    config["backups"][1].source = source(`while [ -e ${gate()} ]; do sleep 0.02; done`);
  });
  const { config } = loadConfig({ path: stack.configFile, env: {}, requires: ["redis", "storages", "sources"] });
  ({ deps, close } = createWorkerDeps({ config, logger: quiet, clock: { now: () => new Date() }, role: "test" }));
  worker = await stack.startWorker();
  for (const name of names) {
    const { run } = await deps.orders.request({ name, trigger: "cli" });
    await until(async () => isFinal((await deps.runs.get(run.id)).status), { what: () => worker.log() });
  }
}, 180_000);
afterAll(async () => {
  await close?.();
  await stack?.[Symbol.asyncDispose]();
});

function source(then: string): object {
  const testRestore = ["sh", "-c", `${then}; test $(wc -l) = 2000`];
  return { kind: "command", argv: ["seq", "1", "2000"], file: "numbers.txt", testRestore };
}

async function drillUntil(id: string, predicate: (drill: Drill) => boolean): Promise<Drill> {
  let last: Drill | undefined;
  return await until(
    async () => {
      last = await deps.drills.get(id);
      return predicate(last) ? last : undefined;
    },
    { what: () => `${JSON.stringify(last, null, 1)}; worker: ${worker.log()}` },
  );
}

it("a worker killed in the middle of a drill: the next one goes on there, and repeats nothing that was done", {
  timeout: 180_000,
}, async () => {
  writeFileSync(gate(), "");
  const { drill } = await deps.drillOrders.request({ trigger: "chat" });
  await drillUntil(drill.id, ({ items }) => items[1]?.phase === "restored");
  const before = await deps.drills.get(drill.id);
  expect(before.items).toMatchObject([{ status: "passed" }, { status: "running" }, { status: "waiting" }]);
  await worker.kill();
  // Again before it has got anywhere, and with the gate still shut.
  worker = await stack.startWorker();
  await until(async () => (await deps.verifications.get(before.items[1]?.verification ?? "")).attempt === 2, {
    what: () => worker.log(),
  });
  await worker.kill();
  rmSync(gate());
  worker = await stack.startWorker();
  const done = await drillUntil(drill.id, isOver);
  expect(done).toMatchObject({ status: "passed", items: names.map((name) => ({ name, status: "passed" })) });
  // The first was restored once, with the time that it took then.
  expect(done.items[0]).toEqual(before.items[0]);
  expect(done.items[1]?.verification).toBe(before.items[1]?.verification);
  for (const [index, name] of names.entries()) {
    const [verification, ...more] = await deps.verifications.list(name, 10);
    expect(more).toEqual([]);
    expect(verification).toMatchObject({ status: "passed", attempt: index === 1 ? 3 : 1 });
    expect(await deps.drills.results(name)).toHaveLength(1);
  }
  expect(await deps.verifications.unsettled()).toEqual([]);
});

it("Redis has lost the drill's job: the clock puts it back", { timeout: 180_000 }, async () => {
  await worker.kill();
  const { drill } = await deps.drillOrders.request({ trigger: "chat" });
  await deps.producer.forget("drill", `drill-${drill.id}`);
  worker = await stack.startWorker();
  expect(await drillUntil(drill.id, isOver)).toMatchObject({ status: "passed" });
});
