import { pino } from "pino";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Config } from "../../src/app/config.ts";
import { createDeps, type Deps } from "../../src/app/deps.ts";
import { tick } from "../../src/services/tick.ts";
import { noServers } from "../support/no-servers.ts";
import { ManualClock, useRedis } from "../support/state.ts";

const fixture = useRedis();
const quiet = pino({ level: "silent" });
const chat = { id: -1001, topics: { backups: 15 } };
const minute = 60_000;
const hour = 60 * minute;

interface World {
  readonly clock: ManualClock;
  readonly deps: Deps;
  /** Another worker with the same state, and another configuration if it is given. */
  readonly worker: (backups?: readonly object[]) => Deps;
}

function world(schedule: object = {}): World {
  const clock = new ManualClock("2026-03-01T12:00:00Z");
  const prefix = fixture.keys().root.split(":")[0] ?? "";
  const daily = [{ name: "app", schedule: "0 3 * * *", storages: [], encrypt: false, catchUp: true, ...schedule }];
  const worker = (backups: readonly object[] = daily): Deps => {
    const config = {
      timezone: "UTC",
      redis: { url: fixture.server.url, prefix },
      worker: { host: "db-1", concurrency: 1 },
      ...noServers,
      telegram: { chats: { ops: chat }, users: [] },
      storages: { disk: { kind: "local", path: "/x" }, near: { kind: "s3" }, far: { kind: "s3" } },
      backups,
    } as unknown as Config;
    const { deps, close } = createDeps({ config, logger: quiet, clock, role: "test" });
    onTestFinished(close);
    return deps;
  };
  return { clock, deps: worker(), worker };
}

describe("a tick", () => {
  test("orders what is due: the run, its card in the chat's topic, and its job", async () => {
    const { clock, deps } = world();
    expect(await tick(deps)).toEqual({ started: [], requeued: [] });
    clock.advance(15 * hour + 5000);
    expect((await tick(deps)).started).toEqual(["app"]);
    const [run] = await deps.runs.list("app", 10);
    expect(run).toMatchObject({ trigger: "schedule", status: "queued", dueAt: "2026-03-02T03:00:00.000Z" });
    expect(await deps.cards.take(clock.now())).toMatchObject({
      card: { kind: "backup", id: run?.id },
      target: { chatId: chat.id, threadId: chat.topics.backups },
    });
    expect(await deps.producer.isPending("backup", `backup-${run?.id}`)).toBe(true);
    expect(await tick(deps)).toEqual({ started: [], requeued: [] });
  });

  test("on several workers at the same time orders once", async () => {
    const { clock, deps, worker } = world();
    await tick(deps);
    clock.advance(15 * hour + 5000);
    const ticks = await Promise.all([tick(deps), tick(worker()), tick(worker()), tick(deps)]);
    expect(ticks.flatMap(({ started }) => started)).toEqual(["app"]);
    expect(await deps.runs.list("app", 10)).toHaveLength(1);
    expect((await deps.producer.counts([]))["work"]?.["waiting"]).toBe(1);
    const [run] = await deps.runs.list("app", 1);
    expect(await deps.cards.placements(deps.runs.ref(run?.id ?? ""))).toHaveLength(1);
  });

  test("goes on with the clock that is right, whatever was ordered by one that was years ahead", async () => {
    const { clock, deps } = world();
    await tick(deps);
    clock.advance(5 * 365 * 24 * hour);
    expect((await tick(deps)).started).toEqual(["app"]);
    const [ahead] = await deps.runs.list("app", 1);
    await deps.runs.update(ahead?.id ?? "", "normal", clock.now(), (run) => ({ ...run, status: "succeeded" }));
    clock.advance(-5 * 365 * 24 * hour + minute);
    expect((await tick(deps)).started).toEqual([]);
    clock.advance(15 * hour);
    expect((await tick(deps)).started).toEqual(["app"]);
    const orders = (await deps.runs.list("app", 10)).map(({ dueAt }) => dueAt);
    expect(orders).toContain("2026-03-02T03:00:00.000Z");
    expect(await deps.watchState.unchangedSince("what", "so", new Date("2031-01-01"))).toEqual(new Date("2031-01-01"));
    expect(await deps.watchState.unchangedSince("what", "so", clock.now())).toEqual(clock.now());
  });

  test("makes up once for what was missed while all was down, and says so", async () => {
    const { clock, deps } = world();
    await tick(deps);
    clock.advance(4 * 24 * hour);
    expect((await tick(deps)).started).toEqual(["app"]);
    const runs = await deps.runs.list("app", 10);
    expect(runs).toMatchObject([{ trigger: "catch-up", dueAt: "2026-03-05T03:00:00.000Z", missed: 3 }]);
    expect((await tick(deps)).started).toEqual([]);
  });

  test("does not make up for it where that is not wanted", async () => {
    const { clock, deps } = world({ catchUp: false });
    await tick(deps);
    clock.advance(4 * 24 * hour);
    const warn = vi.spyOn(deps.logger, "warn");
    expect((await tick(deps)).started).toEqual([]);
    const dropped = { backup: "app", dueAt: new Date("2026-03-05T03:00:00Z"), missed: 3 };
    expect(warn).toHaveBeenCalledExactlyOnceWith(dropped, "a missed run is not made up, as catchUp says");
    clock.advance(15 * hour);
    expect((await tick(deps)).started).toEqual(["app"]);
  });

  test("follows the backup's own zone before the common one", async () => {
    const { clock, deps } = world({ timezone: "Europe/Moscow" });
    await tick(deps);
    clock.advance(12 * hour);
    expect((await tick(deps)).started).toEqual(["app"]);
    expect((await deps.runs.list("app", 1))[0]?.dueAt).toBe("2026-03-02T00:00:00.000Z");
  });

  test("that was killed after its orders repeats them harmlessly", async () => {
    const { clock, deps } = world();
    await tick(deps);
    clock.advance(15 * hour + 5000);
    deps.schedule.write = () => Promise.reject(new Error("killed"));
    await expect(tick(deps)).rejects.toThrow("killed");
    Reflect.deleteProperty(deps.schedule, "write");
    clock.advance(minute);
    expect(await tick(deps)).toEqual({ started: [], requeued: [] });
    expect(await deps.runs.list("app", 10)).toHaveLength(1);
  });

  test("forgets a schedule that was taken out, so that it owes nothing when it comes back", async () => {
    const { clock, deps, worker } = world();
    await tick(deps);
    await tick(worker([]));
    clock.advance(24 * hour);
    await tick(worker([]));
    expect((await deps.schedule.read()).size).toBe(0);
    clock.advance(3 * 24 * hour);
    expect((await tick(deps)).started).toEqual([]);
  });

  test("keeps what a worker with an older configuration does not know", async () => {
    const { clock, deps, worker } = world();
    await tick(deps);
    await tick(worker([]));
    clock.advance(23 * hour);
    expect((await tick(deps)).started).toEqual(["app"]);
    await tick(worker([]));
    clock.advance(23 * hour);
    await tick(worker([]));
    expect((await deps.schedule.read()).size).toBe(1);
    expect((await deps.runs.list("app", 10)).length).toBe(1);
  });

  test("has the run that waits for its worker stand for later times too, until it has begun", async () => {
    const { clock, deps } = world();
    await tick(deps);
    clock.advance(15 * hour + 5000);
    expect((await tick(deps)).started).toEqual(["app"]);
    clock.advance(24 * hour);
    expect((await tick(deps)).started).toEqual([]);
    clock.advance(3 * 24 * hour);
    expect((await tick(deps)).started).toEqual([]);
    const [run, ...others] = await deps.runs.list("app", 10);
    expect(others).toEqual([]);
    expect(run).toMatchObject({ trigger: "schedule", dueAt: "2026-03-06T03:00:00.000Z", missed: 4 });
    await deps.runs.update(run?.id ?? "", "normal", clock.now(), (own) => ({ ...own, status: "running", attempt: 1 }));
    await deps.schedule.write("backup:app", new Date("2026-03-05T12:00:00Z"));
    expect((await tick(deps)).started).toEqual([]);
    clock.advance(24 * hour);
    expect((await tick(deps)).started).toEqual(["app"]);
    expect(await deps.runs.list("app", 10)).toMatchObject([{ dueAt: "2026-03-07T03:00:00.000Z" }, { missed: 4 }]);
  });

  test("puts a run back into the queue whose job is gone, whether it waited or failed", async () => {
    const { deps } = world();
    const { run } = await deps.orders.request({ name: "app", trigger: "chat", source: "x" });
    expect((await tick(deps)).requeued).toEqual([]);
    await deps.producer.forget("backup", `backup-${run.id}`);
    expect(await deps.producer.isPending("backup", `backup-${run.id}`)).toBe(false);
    expect((await tick(deps)).requeued).toEqual([`backup-${run.id}`]);
    expect(await deps.producer.isPending("backup", `backup-${run.id}`)).toBe(true);
    expect((await tick(deps)).requeued).toEqual([]);
  });

  test("leaves a run alone that has ended", async () => {
    const { deps } = world();
    const { run } = await deps.orders.request({ name: "app", trigger: "chat", source: "x" });
    await deps.runs.update(run.id, "reply", deps.clock.now(), (current) => ({ ...current, status: "cancelled" }));
    await deps.producer.forget("backup", `backup-${run.id}`);
    expect((await tick(deps)).requeued).toEqual([]);
  });

  test("puts back an upload that is still wanted, for any worker once the one that made the run is gone", async () => {
    const { clock, deps } = world();
    const { run } = await deps.orders.request({ name: "app", trigger: "chat", source: "x" });
    const place = { location: "", local: false };
    await deps.runs.update(run.id, "reply", clock.now(), (current) => ({
      ...current,
      status: "degraded",
      copies: [
        { ...place, storage: "disk", local: true, status: "stored" },
        { ...place, storage: "near", status: "stored" },
        { ...place, storage: "far", status: "retrying" },
      ],
      host: "db-1",
    }));
    const seen = clock.now().toISOString();
    const worker = {
      role: "worker",
      host: "db-1",
      pid: 1,
      version: "1",
      startedAt: seen,
      state: "",
      seenAt: seen,
    } as const;
    await deps.presences.write(worker);
    const job = `upload-${run.id}-far`;
    expect((await tick(deps)).requeued).toEqual([job]);
    expect(await deps.producer.isPending("upload", job, "db-1")).toBe(true);
    expect((await tick(deps)).requeued).toEqual([]);
    // Another container, with another name.
    clock.advance(hour);
    expect((await tick(deps)).requeued).toEqual([job]);
    expect(await deps.producer.isPending("upload", job)).toBe(true);
    expect(await deps.producer.isPending("upload", job, "db-1")).toBe(false);
    expect((await tick(deps)).requeued).toEqual([]);
  });
});
