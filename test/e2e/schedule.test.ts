import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createJobHandlers } from "../../jobs/index.ts";
import { loadConfig } from "../../src/app/config.ts";
import { type RunningWorker, runWorker } from "../../src/app/run-worker.ts";
import { createWorkerDeps, type WorkerDeps } from "../../src/app/worker-deps.ts";
import type { BackupRun } from "../../src/core/run.ts";
import { tick } from "../../src/services/tick.ts";
import { quiet } from "../support/backup.ts";
import { opsChat, type StackConfig } from "../support/stack.ts";
import { startWorkerStack, until, type WorkerStack } from "../support/worker.ts";

/** Runs with the machine's clock from the time that it was set to. */
const clock = {
  base: 0,
  setAt: 0,
  set(time: string): void {
    this.base = Date.parse(time);
    this.setAt = Date.now();
  },
  now(): Date {
    return new Date(this.base + Date.now() - this.setAt);
  },
};

let stack: WorkerStack;
const running: RunningWorker[] = [];
let began = "";

beforeAll(async () => {
  stack = await startWorkerStack({ clock, sql: "CREATE TABLE t AS SELECT n FROM generate_series(1, 10) n" });
});

beforeEach(() => {
  began = new Date().toISOString();
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((worker) => worker.stop()));
  await stack.client.flushall();
});

afterAll(async () => await stack?.[Symbol.asyncDispose]());

/** A worker in this process, with our clock; `change` is kept in the configuration for those that follow. */
async function start(
  change: (backup: StackConfig, config: StackConfig) => void = () => undefined,
): Promise<WorkerDeps> {
  stack.configure((config) => change(config["backups"][0], config));
  const { config } = loadConfig({ path: stack.configFile, env: {}, requires: ["redis", "storages", "sources"] });
  const { deps, close } = createWorkerDeps({ config, logger: quiet, clock, role: "worker" });
  running.push(await runWorker(deps, createJobHandlers(deps), close));
  return deps;
}

/** All runs of this test so far, oldest first, when they have ended. */
async function runs(deps: WorkerDeps, count: number, name = "shop"): Promise<BackupRun[]> {
  const found = await until(
    async () => {
      const list = await deps.runs.list(name, 10);
      return list.length >= count && list.every(({ finishedAt }) => finishedAt !== undefined) ? list : undefined;
    },
    { what: () => `${count} ended runs of ${name}` },
  );
  expect(found).toHaveLength(count);
  expect(found.map(({ status }) => status)).toEqual(found.map(() => "succeeded"));
  return found.toReversed();
}

async function card(text: RegExp): Promise<void> {
  await stack.sandbox.waitForMessage(opsChat, (message) => text.test(message.text ?? ""), {
    what: `a card like ${text} since ${began}`,
  });
}

test("a backup runs at its time in its time zone, and the card in the backup's topic says by which schedule", async () => {
  clock.set("2026-03-10T23:59:00Z");
  const deps = await start((backup, config) => {
    backup.schedule = "0 3 * * *";
    // Eight in the evening in New York, where summer time began on 8 March.
    config["backups"].push({ ...backup, name: "west", schedule: "0 20 * * *", timezone: "America/New_York" });
  });
  // The worker's own first tick.
  await until(async () => (await deps.schedule.read()).size === 2);
  await tick(deps);
  expect(await deps.runs.list("shop", 10)).toEqual([]);
  clock.set("2026-03-11T00:00:05Z");
  await tick(deps);
  await tick(deps);
  const [run] = await runs(deps, 1);
  expect(run).toMatchObject({ trigger: "schedule", dueAt: "2026-03-11T00:00:00.000Z" });
  await runs(deps, 1, "west");
  await card(/Backup shop is done[\s\S]*By schedule, 11 Mar 2026, 03:00/);
  clock.set("2026-03-11T12:00:00Z");
  await tick(deps);
  await runs(deps, 1);
  stack.configure((config) => config["backups"].pop());
});

test("two workers that look at the clock at the same time start one run", async () => {
  clock.set("2026-03-10T23:59:00Z");
  const [one, two] = [await start(), await start()];
  await tick(one);
  clock.set("2026-03-11T00:00:05Z");
  const started = await Promise.all([tick(one), tick(two), tick(one), tick(two)]);
  // None at all, when the workers themselves have just looked.
  expect(started.flatMap((result) => result.started).length).toBeLessThanOrEqual(1);
  const dumps = stack.tools.calls("pg_dump");
  await runs(one, 1);
  expect(stack.tools.calls("pg_dump") - dumps).toBeLessThanOrEqual(1);
});

test("a run that was missed while everything was down is made up once, by the next start, and the card says so", async () => {
  clock.set("2026-03-10T23:59:00Z");
  const before = await start();
  await tick(before);
  await running.pop()?.stop();
  clock.set("2026-03-14T09:30:00Z");
  const deps = await start();
  // Nobody but the worker itself looks at the clock here.
  const [run] = await runs(deps, 1);
  expect(run).toMatchObject({ trigger: "catch-up", dueAt: "2026-03-14T00:00:00.000Z" });
  await card(/Backup shop is done[\s\S]*Was due 14 Mar 2026, 03:00 and missed; made up for 14 Mar 2026, 12:30/);
  expect((await tick(deps)).started).toEqual([]);
  clock.set("2026-03-15T00:00:05Z");
  await tick(deps);
  expect((await runs(deps, 2)).map(({ trigger }) => trigger)).toEqual(["catch-up", "schedule"]);
});

test("a run that was missed is not made up where that is not wanted", async () => {
  clock.set("2026-03-10T23:59:00Z");
  const before = await start((backup) => {
    backup["catchUp"] = false;
  });
  await tick(before);
  clock.set("2026-03-14T09:30:00Z");
  await tick(before);
  expect(await before.runs.list("shop", 10)).toEqual([]);
  clock.set("2026-03-15T00:00:05Z");
  await tick(before);
  await runs(before, 1);
  stack.configure((config) => delete config["backups"][0].catchUp);
});

test("a schedule that was changed while everything was down owes nothing of its new times before the change", async () => {
  clock.set("2026-03-10T23:59:00Z");
  await tick(await start());
  await running.pop()?.stop();
  clock.set("2026-03-11T00:30:00Z");
  // From 03:00 to 02:00 in Moscow: today's time has passed, and its run was not missed but never due.
  const deps = await start((backup) => {
    backup["schedule"] = "0 2 * * *";
  });
  expect((await tick(deps)).started).toEqual([]);
  expect(await deps.runs.list("shop", 10)).toEqual([]);
  clock.set("2026-03-11T23:00:05Z");
  await tick(deps);
  const [run] = await runs(deps, 1);
  expect(run).toMatchObject({ trigger: "schedule", dueAt: "2026-03-11T23:00:00.000Z" });
});

test("a schedule that was taken away is forgotten after a day: given back, it owes nothing", async () => {
  clock.set("2026-03-10T22:59:00Z");
  await tick(await start());
  await running.pop()?.stop();
  const without = await start((backup) => delete backup["schedule"]);
  // Not at once: it may be another worker's, which has a newer configuration.
  await tick(without);
  expect((await without.schedule.read()).size).toBe(1);
  clock.set("2026-03-11T23:00:00Z");
  await tick(without);
  expect((await without.schedule.read()).size).toBe(0);
  await running.pop()?.stop();
  clock.set("2026-03-14T09:30:00Z");
  const deps = await start((backup) => {
    backup["schedule"] = "0 2 * * *";
  });
  await until(async () => (await deps.schedule.read()).size === 1);
  expect((await tick(deps)).started).toEqual([]);
  expect(await deps.runs.list("shop", 10)).toEqual([]);
});
