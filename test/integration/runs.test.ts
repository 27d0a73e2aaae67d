import { describe, expect, test } from "vitest";
import type { BackupRun } from "../../src/core/run.ts";
import { Cards } from "../../src/state/cards.ts";
import { Runs } from "../../src/state/runs.ts";
import { aManifest, aRun } from "../support/run.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();
const at = (minute: number): Date => new Date(Date.parse("2026-03-01T03:00:00Z") + minute * 60_000);
const open = [{ storage: "offsite", key: "k", handle: "h" }];

function state(): { runs: Runs; cards: Cards } {
  const keys = fixture.keys();
  const cards = new Cards(fixture.redis, keys);
  return { runs: new Runs(fixture.redis, keys, cards), cards };
}

async function create(runs: Runs, id: string, parts: Partial<BackupRun> = {}, minute = 0): Promise<void> {
  await runs.create(aRun({ id, ...parts }), at(minute));
}

describe("a run", () => {
  test("is recorded once, however often its order arrives", async () => {
    const { runs } = state();
    expect(await runs.create(aRun({ id: "a" }), at(0))).toBe(true);
    expect(await runs.create(aRun({ id: "a", trigger: "schedule" }), at(1))).toBe(false);
    expect(await runs.get("a")).toMatchObject({ trigger: "chat" });
    expect(await runs.list("app", 10)).toHaveLength(1);
  });

  test("that is not known is said to be so", async () => {
    const { runs } = state();
    expect(await runs.read("a")).toBeUndefined();
    await expect(runs.get("a")).rejects.toMatchObject({ code: "not-found" });
  });

  test("takes no writes of a worker from which it was taken over", async () => {
    const { runs } = state();
    await create(runs, "a");
    await runs.update("a", "normal", at(0), (run) => ({ ...run, fence: 7, status: "running" }), 7);
    await runs.update("a", "normal", at(1), (run) => ({ ...run, phase: "dump" }), 7);
    const stale = runs.update("a", "normal", at(2), (run) => ({ ...run, status: "failed" }), 6);
    await expect(stale).rejects.toMatchObject({ code: "lease-lost", permanent: false });
    expect(await runs.get("a")).toMatchObject({ status: "running", phase: "dump" });
    // A person's wish has no token and reaches it all the same.
    await runs.update("a", "reply", at(3), (run) => ({ ...run, cancelRequestedBy: { id: 1, name: "alice" } }));
    expect((await runs.get("a")).cancelRequestedBy).toBeDefined();
  });

  test("is recorded as soon as a Redis that is out of memory takes it", async () => {
    const { runs } = state();
    await create(runs, "a");
    const refused = await fixture.redis.config("SET", "maxmemory", "1").then(() => {
      return runs.update("a", "normal", at(1), (run) => ({ ...run, phase: "dump" })).catch(String);
    });
    expect(refused).toMatch(/OOM command not allowed/);
    let tries = 0;
    const recorded = runs.record("a", "normal", at(1), (run) => {
      tries += 1;
      if (tries === 3) void fixture.redis.config("SET", "maxmemory", "0");
      return { ...run, phase: "finish" };
    });
    expect(await recorded).toMatchObject({ phase: "finish" });
    expect(await runs.get("a")).toMatchObject({ phase: "finish" });
    expect(tries).toBeGreaterThanOrEqual(3);
  });

  test("counts as active until it has ended", async () => {
    const { runs } = state();
    await create(runs, "a");
    await create(runs, "b", { status: "running" });
    expect((await runs.active()).map((run) => run.id).toSorted()).toEqual(["a", "b"]);
    await runs.update("a", "reply", at(1), (run) => ({ ...run, status: "cancelled" }));
    await runs.update("b", "reply", at(1), (run) => ({ ...run, status: "succeeded" }));
    expect(await runs.active()).toEqual([]);
    expect(await runs.unsettled()).toEqual([]);
  });

  test("stays unsettled while something of it is left to remove or a copy is to be made up", async () => {
    const { runs } = state();
    const copies = [{ storage: "s3", location: "s3://b", local: false, status: "retrying" as const }];
    await create(runs, "a");
    await create(runs, "b");
    await runs.update("a", "reply", at(1), (run) => ({ ...run, status: "failed", open }));
    await runs.update("b", "reply", at(1), (run) => ({ ...run, status: "degraded", copies }));
    expect((await runs.unsettled()).map((run) => run.id).toSorted()).toEqual(["a", "b"]);
    expect(await runs.active()).toEqual([]);
    await runs.update("a", "progress", at(2), (run) => ({ ...run, open: [] }));
    await runs.update("b", "progress", at(2), (run) => ({ ...run, copies: [] }));
    expect(await runs.unsettled()).toEqual([]);
  });

  test("becomes unsettled again when something left behind is found late", async () => {
    const { runs } = state();
    await create(runs, "a", { status: "failed" });
    await runs.update("a", "progress", at(1), (run) => ({ ...run, phase: "dump" }));
    expect(await runs.unsettled()).toEqual([]);
    await runs.update("a", "progress", at(2), (run) => ({ ...run, open }));
    expect(await runs.unsettled()).toHaveLength(1);
  });
});

describe("the runs of a backup", () => {
  test("are listed newest first and apart from other backups'", async () => {
    const { runs } = state();
    for (let n = 0; n < 5; n++) await create(runs, `a${n}`, {}, n);
    await create(runs, "other", { name: "logs" }, 9);
    expect((await runs.list("app", 3)).map((run) => run.id)).toEqual(["a4", "a3", "a2"]);
    expect((await runs.list("logs", 3)).map((run) => run.id)).toEqual(["other"]);
  });

  test("tell the last good one, behind however many that failed", async () => {
    const { runs } = state();
    expect(await runs.lastGood("app")).toBeUndefined();
    await create(runs, "older", { status: "succeeded", manifest: aManifest() }, 0);
    await create(runs, "good", { status: "degraded", manifest: aManifest() }, 1);
    for (let n = 0; n < 70; n++) await create(runs, `f${n}`, { status: n % 2 ? "failed" : "cancelled" }, 2 + n);
    expect((await runs.lastGood("app"))?.id).toBe("good");
  });

  test("are forgotten beyond the newest 200, with their cards; not the last good one, nor what is unfinished", async () => {
    const { runs, cards } = state();
    await create(runs, "old", { status: "succeeded", manifest: aManifest() }, 0);
    await create(runs, "good", { status: "succeeded", manifest: aManifest() }, 1);
    await create(runs, "waiting", { status: "queued" }, 2);
    for (let n = 0; n < 210; n++) await create(runs, `f${n}`, { status: "failed" }, 3 + n);
    await cards.place(runs.ref("f0"), { chatId: -1 }, "normal", at(500));
    await runs.prune("app");
    // Not as far back as the two that are kept for another reason.
    expect(await runs.knownSince("app")).toEqual(at(13));
    expect(await runs.knownSince("logs")).toBeUndefined();
    expect(await runs.read("old")).toBeUndefined();
    expect(await runs.read("f0")).toBeUndefined();
    expect(await cards.backlog()).toBe(0);
    expect((await runs.read("waiting"))?.status).toBe("queued");
    expect((await runs.lastGood("app"))?.id).toBe("good");
    expect(await runs.list("app", 500)).toHaveLength(202);
    expect(await runs.prune("app")).toBe(0);
  });
});
