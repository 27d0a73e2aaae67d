import { describe, expect, test } from "vitest";
import type { DailyReport } from "../../src/core/daily.ts";
import { manifestFolder } from "../../src/core/manifest.ts";
import { daily, dailyReport } from "../../src/services/daily.ts";
import { aManifest, aRun } from "../support/run.ts";
import { useRedis } from "../support/state.ts";
import { hour, minute, presence, type WatchWorld, watchWorld } from "../support/watch.ts";

const fixture = useRedis();

/** The clock is at noon; the card is due at nine. */
const world = (change: object = {}): WatchWorld => watchWorld(fixture, change);

async function reports({ deps, clock }: WatchWorld): Promise<DailyReport[]> {
  const found: DailyReport[] = [];
  for (;;) {
    const claim = await deps.cards.take(clock.now());
    if (!("placement" in claim)) return found;
    if (claim.card.kind === "daily") found.push(claim.body as DailyReport);
    await deps.cards.done(claim, { messageId: 1000 + found.length, hash: "x", spent: false }, clock.now());
  }
}

describe("the card of the day", () => {
  test("is posted once by three bots, in its chat and topic, at its hour", async () => {
    const own = world({ daily: { at: "09:00", topic: "alerts" } });
    const { clock, deps, process } = own;
    const bots = [deps, process(), process()];
    const all = async (): Promise<boolean[]> => await Promise.all(bots.map(daily));
    expect(await all()).toEqual([false, false, false]);
    clock.advance(21 * hour - 1000);
    expect(await all()).toEqual([false, false, false]);
    clock.advance(1000);
    expect((await all()).filter(Boolean)).toHaveLength(1);
    clock.advance(minute);
    expect(await all()).toEqual([false, false, false]);
    const ref = { kind: "daily", id: "daily-2026-03-02" };
    expect(await deps.cards.placements(ref)).toHaveLength(1);
    expect(await deps.cards.take(clock.now())).toMatchObject({ card: ref, target: { chatId: -1001, threadId: 12 } });
    clock.advance(24 * hour);
    expect((await all()).filter(Boolean)).toHaveLength(1);
  });

  test("owes nothing when it is new, comes late when all was down, and not at all after six hours", async () => {
    const { clock, deps } = world();
    expect(await daily(deps)).toBe(false);
    clock.advance(26 * hour);
    expect(await daily(deps)).toBe(true);
    clock.advance(26 * hour);
    expect(await daily(deps)).toBe(false);
    expect(await daily(deps)).toBe(false);
    clock.advance(17 * hour);
    expect(await daily(deps)).toBe(true);
  });

  test("is placed by another bot when the first was killed after it was made", async () => {
    const { clock, deps, process } = world();
    await daily(deps);
    clock.advance(21 * hour);
    deps.cards.place = () => Promise.reject(new Error("killed"));
    await expect(daily(deps)).rejects.toThrow("killed");
    const other = process();
    expect(await daily(other)).toBe(false);
    expect(await other.cards.placements({ kind: "daily", id: "daily-2026-03-02" })).toHaveLength(1);
  });

  test("keeps its hour when the clocks change", async () => {
    const own = world({ timezone: "Europe/Berlin", daily: { at: "09:00" } });
    const { clock, deps } = own;
    await daily(deps);
    const times: string[] = [];
    clock.advance(Date.parse("2026-03-27T12:00:00Z") - clock.now().getTime());
    await daily(deps);
    for (let minutes = 0; minutes < 4 * 24 * 60; minutes += 30) {
      clock.advance(30 * minute);
      if (await daily(deps)) times.push(clock.now().toISOString());
    }
    expect(times).toEqual([
      "2026-03-28T08:00:00.000Z",
      "2026-03-29T07:00:00.000Z",
      "2026-03-30T07:00:00.000Z",
      "2026-03-31T07:00:00.000Z",
    ]);
  });

  test("at an hour that a day does not have comes that day all the same", async () => {
    const { clock, deps } = world({ timezone: "Europe/Berlin", daily: { at: "02:30" } });
    clock.advance(Date.parse("2026-03-28T12:00:00Z") - clock.now().getTime());
    await daily(deps);
    let posted = 0;
    for (let minutes = 0; minutes < 2 * 24 * 60; minutes += 30) {
      clock.advance(30 * minute);
      if (await daily(deps)) posted += 1;
    }
    expect(posted).toBe(2);
  });

  test("is none when it is turned off, or without a chat", async () => {
    for (const change of [{ daily: false }, { telegram: { chats: {}, users: [] } }]) {
      const { clock, deps } = world(change);
      await daily(deps);
      clock.advance(21 * hour);
      expect(await daily(deps)).toBe(false);
    }
  });

  test("does not pile up", async () => {
    const own = world();
    const { clock, deps } = own;
    await daily(deps);
    for (let day = 0; day < 40; day++) {
      clock.advance(24 * hour);
      await daily(deps);
    }
    expect((await fixture.redis.keys(`${deps.config.redis.prefix}:v1:card:daily:*`)).length).toBeLessThanOrEqual(31);
    expect(await reports(own)).toHaveLength(30);
  });
});

describe("what it says", () => {
  test("is what is open, what happened, who is alive and how the backups stand", async () => {
    const own = world();
    const { clock, deps } = own;
    const signal = { source: "test", labels: {}, status: "firing" } as const;
    await deps.alerts.receive([{ ...signal, severity: "warning", title: "old" }]);
    clock.advance(30 * hour);
    await deps.alerts.receive([
      { ...signal, severity: "critical", title: "new" },
      { ...signal, severity: "warning", title: "over" },
    ]);
    await deps.alerts.receive([{ ...signal, status: "resolved", severity: "warning", title: "over" }]);
    await deps.alerts.receive([{ ...signal, status: "info", severity: "info", title: "a release" }]);
    await deps.alerts.receive([{ ...signal, severity: "warning", title: "by hand", startsAt: "2026-03-02T17:00:00Z" }]);
    const byHand = (await deps.incidents.open()).find(({ title }) => title === "by hand");
    await deps.alerts.close(byHand?.id ?? "", { id: 2, name: "bob" });
    await deps.alerts.receive([{ ...signal, severity: "warning", title: "by hand", startsAt: "2026-03-02T17:00:00Z" }]);
    for (const one of [presence("bot"), presence("worker"), presence("worker", "db-2")])
      await deps.presences.write({ ...one, seenAt: clock.now().toISOString() });
    const { run } = await deps.orders.request({ name: "app", trigger: "chat", source: "x" });
    await deps.runs.update(run.id, "normal", clock.now(), (current) => ({
      ...current,
      status: "failed",
      finishedAt: clock.now().toISOString(),
    }));
    expect(await dailyReport(deps)).toEqual({
      at: "2026-03-02T18:00:00.000Z",
      incidents: {
        critical: 1,
        warning: 1,
        info: 0,
        oldest: { title: "old", since: "2026-03-01T12:00:00.000Z" },
        stillReported: 1,
      },
      backups: [{ name: "app", state: "failed" }],
      processes: { bots: 1, workers: 2 },
      day: { opened: 3, resolved: 1, closed: 1, noted: 1, storms: 0, backups: 1, failedBackups: 1 },
    });
  });

  test("of a backup: never made, good but too old for its maxAge, as everybody else judges it", async () => {
    const backup = { name: "app", storages: [], encrypt: false, catchUp: true, maxAge: 26 * hour, anomaly: false };
    const { clock, deps } = world({ backups: [backup] });
    const states = async () => (await dailyReport(deps)).backups.map(({ state }) => state);
    expect(await states()).toEqual(["never"]);
    const startedAt = clock.now().toISOString();
    const manifest = aManifest({ startedAt, finishedAt: startedAt });
    const folder = manifestFolder(manifest);
    const copies = [{ storage: "gone", location: "", local: false, status: "stored" as const }];
    const run = aRun({ status: "succeeded", createdAt: startedAt, finishedAt: startedAt, manifest, folder, copies });
    await deps.runs.create(run, clock.now());
    expect(await states()).toEqual(["unproven"]);
    clock.advance(26 * hour);
    expect(await states()).toEqual(["unproven"]);
    clock.advance(1);
    expect(await states()).toEqual(["overdue"]);
  });
});
