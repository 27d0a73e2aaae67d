import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  defaultKeep,
  type KeepPolicy,
  type Kept,
  periodOf,
  planRetention,
  type RetentionPlan,
  tiers,
} from "../../src/core/retention.ts";

const dayMs = 86_400_000;
const now = new Date("2026-11-21T12:00:00Z");

function kept(id: string, startedAt: string | Date, more: Partial<Kept> = {}): Kept {
  return { id, startedAt: new Date(startedAt), pinned: false, sound: true, needs: [], ...more };
}

/** One a day at 03:00 UTC, newest first: "d0" is of 21 November. */
const daily = (count: number): Kept[] =>
  Array.from({ length: count }, (_, index) => kept(`d${index}`, new Date(Date.UTC(2026, 10, 21, 3) - index * dayMs)));

const plan = (backups: readonly Kept[], policy: KeepPolicy, timezone = "UTC", at = now): RetentionPlan =>
  planRetention(backups, policy, { timezone, now: at });
const ids = ({ keep }: RetentionPlan): string[] => keep.map(({ id }) => id);
const reasonsOf = ({ keep }: RetentionPlan, id: string): string[] =>
  keep.find((backup) => backup.id === id)?.reasons.map(({ kind }) => kind) ?? [];

describe("what is kept", () => {
  it("are the newest ones, and the newest of each period", () => {
    expect(ids(plan(daily(10), { last: 3 }))).toEqual(["d0", "d1", "d2"]);
    // 21 November 2026 is a Saturday; 15 November a Sunday.
    expect(ids(plan(daily(20), { weekly: 2 }))).toEqual(["d0", "d6"]);
    expect(ids(plan(daily(80), { monthly: 3 }))).toEqual(["d0", "d21", "d52"]);
    expect(ids(plan(daily(400), { yearly: 2 }))).toEqual(["d0", "d325"]);
    const twice = [...daily(3), kept("noon", "2026-11-20T12:00:00Z")];
    expect(ids(plan(twice, { daily: 2 }))).toEqual(["d0", "noon"]);
  });

  it("counts only periods with a backup: while nothing is made, nothing expires", () => {
    const old = [
      kept("a", "2024-01-05T03:00:00Z"),
      kept("b", "2024-01-04T03:00:00Z"),
      kept("c", "2023-05-01T03:00:00Z"),
    ];
    expect(plan(old, { daily: 7, monthly: 4 }).remove).toEqual([]);
  });

  it("are all of them while none is known to be good: one of them may still be", () => {
    const unsound = daily(3).map((backup) => ({ ...backup, sound: false }));
    expect(plan(unsound, { last: 1 })).toMatchObject({ remove: [] });
    expect(reasonsOf(plan(unsound, { last: 1 }), "d2")).toEqual(["none-good"]);
    expect(plan([...unsound, kept("old", "2026-01-01T03:00:00Z")], { last: 1 }).remove).toEqual(["d2", "d1"]);
  });

  it("says why, every reason", () => {
    const decided = plan(daily(3), { last: 1, daily: 2 });
    expect(decided.keep).toEqual([
      {
        id: "d0",
        reasons: [{ kind: "last-good" }, { kind: "last", period: "d0" }, { kind: "daily", period: "2026-11-21" }],
      },
      { id: "d1", reasons: [{ kind: "daily", period: "2026-11-20" }] },
    ]);
    expect(decided.remove).toEqual(["d2"]);
  });

  it("are by default the latest one on a disk, 7 days and 4 months elsewhere", () => {
    expect(ids(plan(daily(200), defaultKeep(true)))).toEqual(["d0"]);
    const elsewhere = ids(plan(daily(200), defaultKeep(false)));
    expect(elsewhere).toEqual(["d0", "d1", "d2", "d3", "d4", "d5", "d6", "d21", "d52", "d82"]);
  });

  it("are all with `all`, and the last good one with nothing", () => {
    expect(plan(daily(30), "all").remove).toEqual([]);
    expect(ids(plan(daily(30), {}))).toEqual(["d0"]);
    expect(plan([], { last: 1 })).toEqual({ keep: [], remove: [], needsConsent: false });
  });
});

describe("never removed", () => {
  it("is what is pinned or what the store has locked", () => {
    const backups = daily(5).map((backup) => ({
      ...backup,
      pinned: backup.id === "d4",
      ...(backup.id === "d3" ? { lockedUntil: new Date("2026-12-01T00:00:00Z") } : {}),
      ...(backup.id === "d2" ? { lockedUntil: new Date("2026-11-01T00:00:00Z") } : {}),
    }));
    const decided = plan(backups, { last: 1 });
    expect(ids(decided)).toEqual(["d0", "d3", "d4"]);
    expect(reasonsOf(decided, "d3")).toEqual(["locked"]);
    expect(reasonsOf(decided, "d4")).toEqual(["pinned"]);
  });

  it("is what another copy is being made from", () => {
    const decided = plan(
      daily(5).map((backup) => ({ ...backup, copying: backup.id === "d3" })),
      { last: 1 },
    );
    expect(ids(decided)).toEqual(["d0", "d3"]);
    expect(reasonsOf(decided, "d3")).toEqual(["copying"]);
  });

  it("is the newest sound one: a damaged one pushes no sound one out", () => {
    const [newest, ...older] = daily(4);
    const decided = plan([{ ...(newest as Kept), sound: false }, ...older], { last: 1 });
    expect(ids(decided)).toEqual(["d0", "d1"]);
    expect(reasonsOf(decided, "d1")).toContain("last-good");
  });

  it("is what a kept one needs, down the whole chain", () => {
    const chain = daily(5).map((backup, index) => ({ ...backup, needs: index < 3 ? [`d${index + 1}`] : [] }));
    const decided = plan(chain, { last: 1 });
    expect(ids(decided)).toEqual(["d0", "d1", "d2", "d3"]);
    expect(reasonsOf(decided, "d3")).toEqual(["needed"]);
    expect(decided.remove).toEqual(["d4"]);
  });

  it("are the real ones, when a clock that was wrong has made one of the future", () => {
    const decided = plan([kept("future", "2035-01-01T00:00:00Z"), ...daily(3)], { last: 1 });
    expect(ids(decided)).toEqual(["future", "d0"]);
    expect(reasonsOf(decided, "future")).toEqual(["future"]);
  });
});

test("more than three and more than half are removed only with consent", () => {
  expect(plan(daily(8), { last: 4 }).needsConsent).toBe(false);
  expect(plan(daily(9), { last: 4 }).needsConsent).toBe(true);
  expect(plan(daily(4), { last: 1 }).needsConsent).toBe(false);
  expect(plan(daily(5), { last: 1 }).needsConsent).toBe(true);
});

test("periods are the calendar's in the zone, daylight saving included", () => {
  const late = new Date("2026-11-20T22:30:00Z");
  expect(periodOf("daily", late, "UTC")).toBe("2026-11-20");
  expect(periodOf("daily", late, "Europe/Moscow")).toBe("2026-11-21");
  expect(periodOf("weekly", new Date("2027-01-01T12:00:00Z"), "UTC")).toBe("2026-W53");
  expect(periodOf("weekly", new Date("2024-12-30T12:00:00Z"), "UTC")).toBe("2025-W01");
  expect(periodOf("monthly", new Date("2026-12-31T23:30:00Z"), "Asia/Tokyo")).toBe("2027-01");
  expect(periodOf("yearly", new Date("2026-12-31T23:30:00Z"), "Asia/Tokyo")).toBe("2027");
  // Both half past two of the night in which Berlin's clocks go back.
  expect(periodOf("daily", new Date("2026-10-25T00:30:00Z"), "Europe/Berlin")).toBe("2026-10-25");
  expect(periodOf("daily", new Date("2026-10-25T01:30:00Z"), "Europe/Berlin")).toBe("2026-10-25");
});

const count = fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined });
const policies = fc.oneof(
  fc.constant<KeepPolicy>("all"),
  fc.record({ last: count, daily: count, weekly: count, monthly: count, yearly: count }),
);
const zones = fc.constantFrom("UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Asia/Kathmandu");
const backupLists = fc
  .array(
    fc.record({
      at: fc.integer({ min: -4000, max: 2 }),
      pinned: fc.boolean(),
      sound: fc.boolean(),
      locked: fc.boolean(),
      needs: fc.array(fc.nat(20), { maxLength: 2 }),
    }),
    { maxLength: 40 },
  )
  .map((list) =>
    list.map(({ at, pinned, sound, locked, needs }, index) =>
      kept(`b${index}`, new Date(now.getTime() + at * 11 * 3_600_000), {
        pinned: pinned && index % 5 === 0,
        sound,
        needs: needs.map((need) => `b${need}`),
        ...(locked && index % 7 === 0 ? { lockedUntil: new Date(now.getTime() + dayMs) } : {}),
      }),
    ),
  );

test("whatever there is and whatever the policy: nothing that must stay goes, and nothing is decided twice", () => {
  fc.assert(
    fc.property(backupLists, policies, zones, (backups, policy, timezone) => {
      const decided = plan(backups, policy, timezone);
      const stays = new Set(ids(decided));
      // Each one is decided, once.
      expect([...stays, ...decided.remove].sort()).toEqual(backups.map(({ id }) => id).sort());
      for (const { reasons } of decided.keep) expect(reasons).not.toEqual([]);
      const removed = backups.filter(({ id }) => !stays.has(id));
      expect(removed.some(({ pinned, lockedUntil }) => pinned || (lockedUntil && lockedUntil > now))).toBe(false);
      const needed = new Set(backups.flatMap(({ id, needs }) => (stays.has(id) ? needs : [])));
      expect(removed.filter(({ id }) => needed.has(id))).toEqual([]);
      // The newest sound one that is not of the future.
      const past = backups.filter(({ startedAt, sound }) => sound && startedAt.getTime() <= now.getTime() + dayMs);
      const newest = Math.max(...past.map(({ startedAt }) => startedAt.getTime()));
      const isNewestKept = past.some(({ id, startedAt }) => stays.has(id) && +startedAt === newest);
      expect(isNewestKept).toBe(past.length > 0);
      // Doing what was planned changes nothing in a second plan.
      const left = backups.filter(({ id }) => stays.has(id));
      expect(plan(left, policy, timezone).remove).toEqual([]);
      expect(decided.needsConsent).toBe(decided.remove.length > 3 && decided.remove.length > backups.length / 2);
    }),
    { numRuns: 500 },
  );
});

/** Local wall clock time 02:30 of every day, as a schedule has it: in the hour that is skipped, right after it. */
function nights(timezone: string, years: number): Date[] {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: timezone, dateStyle: "short", timeStyle: "short" });
  const found: Date[] = [];
  let day = "";
  for (let at = Date.UTC(2020, 0, 1); at < Date.UTC(2020 + years, 0, 1); at += 30 * 60_000) {
    const [date = "", time = ""] = format.format(at).split(" ");
    if (date === day || time < "02:30") continue;
    day = date;
    found.push(new Date(at));
    // Nothing of the next 20 hours can belong to another night.
    at += 20 * 3_600_000;
  }
  return found;
}

test.each(["UTC", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe"])(
  "ten years of nightly runs in %s: at every moment each tier reaches back as far as it says",
  (timezone) => {
    const policy = { last: 2, daily: 7, weekly: 5, monthly: 12, yearly: 3 };
    let held: Kept[] = [];
    const made = nights(timezone, 10);
    const longer = tiers.filter((tier) => tier !== "last");
    const periods = longer.map((tier) => made.map((at) => periodOf(tier, at, timezone)));
    for (const [index, at] of made.entries()) {
      held = [kept(String(index), at), ...held];
      const decided = plan(held, policy, timezone, at);
      // One more a day: never so many at once that somebody has to be asked.
      expect(decided.needsConsent).toBe(false);
      expect(decided.remove.length).toBeLessThanOrEqual(4);
      held = held.filter(({ id }) => !decided.remove.includes(id));
      if (index < 1500 || index % 13 !== 0) continue;
      for (const [which, tier] of longer.entries()) {
        const all = periods[which] ?? [];
        const wanted = [...new Set(all.slice(0, index + 1))].slice(-policy[tier]);
        const there = new Set(held.map(({ id }) => all[Number(id)]));
        expect(wanted.filter((period) => !there.has(period))).toEqual([]);
      }
      expect(held.length).toBeLessThanOrEqual(2 + 7 + 5 + 12 + 3);
    }
    // A zone may begin and end in the middle of a day of these years.
    expect(made.length).toBeGreaterThanOrEqual(3653);
  },
);
