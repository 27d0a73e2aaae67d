import { describe, expect, test } from "vitest";
import { drillSchema } from "../../src/app/config/drill.ts";
import {
  ageOf,
  currentItem,
  type DrillItem,
  defaultLimits,
  endOf,
  formerOf,
  overOf,
  recordOf,
  resultOf,
  trendOf,
  withItem,
} from "../../src/core/drill.ts";
import { due } from "../../src/core/schedule.ts";
import { drillEntries } from "../../src/services/drills/schedule.ts";
import { aDrill, aDrillItem, aVerification, limits } from "../support/drill.ts";

const compared = { rows: 2200, tables: 2 };

describe("what a verification says of a drilled backup", () => {
  test("restored: what it took and counted, and how it went before", () => {
    const done = aVerification({}, { restoreMs: 30_000, compared });
    const item = aDrillItem({ phase: "restored", progress: { bytes: 1, total: 2 } });
    const result = resultOf(item, done, { limits });
    expect(result).toEqual({
      ...aDrillItem(),
      status: "passed",
      rtoMs: 41_000,
      restoreMs: 30_000,
      compared,
    });
    expect(recordOf(aDrill(), result)).toEqual({
      drill: "d111d111d111",
      name: "shop",
      at: "2026-03-01T03:00:06.000Z",
      status: "passed",
      storage: "offsite",
      dataAt: "2026-03-01T00:00:00.000Z",
      bytes: 25_600_000,
      rtoMs: 41_000,
      rpoMs: 10_800_000,
    });
  });

  test("beyond a limit: exactly at it is within", () => {
    const done = aVerification({ tookMs: 7_200_001 }, {});
    expect(resultOf(aDrillItem(), done, { limits }).over).toEqual(["rto"]);
    expect(resultOf(aDrillItem({ rpoMs: 93_600_001 }), done, { limits }).over).toEqual(["rto", "rpo"]);
    expect(overOf({ rtoMs: 7_200_000, rpoMs: 93_600_000 }, limits)).toEqual([]);
    // A limit that was exceeded before and is not any more leaves no mark.
    expect(resultOf(aDrillItem({ over: ["rto"] }), aVerification({}, {}), { limits })).not.toHaveProperty("over");
  });

  test("does not hold: no time of a recovery, but the reason", () => {
    const error = { code: "storage-mismatch", message: "damaged", text: { key: "error-manifest-altered" } };
    const bad = aVerification({ status: "failed" }, { ok: false, error });
    const result = resultOf(aDrillItem(), bad, { limits });
    expect(result).toMatchObject({ status: "failed", reason: { message: "damaged", text: error.text } });
    expect(result).not.toHaveProperty("rtoMs");
    const differs = aVerification({ status: "failed" }, { ok: false, differencesTotal: 7 });
    expect(resultOf(aDrillItem(), differs, { limits })).toMatchObject({ status: "failed", differences: 7 });
  });

  test("not carried out, not deep enough, lost or cancelled by somebody else: nothing is proven", () => {
    const error = { code: "source-unreachable", message: "no server", step: "verify" };
    expect(resultOf(aDrillItem(), aVerification({ status: "failed", error }), { limits })).toMatchObject({
      status: "undrilled",
      reason: { message: "no server" },
    });
    const because = { key: "verify-because-identity" };
    expect(resultOf(aDrillItem(), aVerification({}, { depth: "stored", because }), { limits })).toMatchObject({
      status: "undrilled",
      reason: { finding: "shallow", text: because },
    });
    expect(resultOf(aDrillItem(), undefined, { limits })).toMatchObject({ status: "undrilled" });
    const stopped = aVerification({ status: "cancelled" });
    expect(resultOf(aDrillItem(), stopped, { limits })).toMatchObject({ status: "undrilled" });
    expect(resultOf(aDrillItem(), stopped, { limits, cancelled: true })).toMatchObject({ status: "cancelled" });
    // One that goes on says nothing yet.
    const item = aDrillItem();
    expect(resultOf(item, aVerification({ status: "running" }), { limits })).toBe(item);
  });
});

describe("a drill", () => {
  const items = (...states: Partial<DrillItem>[]) =>
    states.map((parts, index) => aDrillItem({ name: `b${index}`, ...parts }));

  test("ends as the worst of its backups, and proves nothing without any", () => {
    const end = (...states: Partial<DrillItem>[]) => endOf({ items: items(...states) });
    expect(end({ status: "passed" }, { status: "left-out" })).toBe("passed");
    expect(end({ status: "passed" }, { status: "passed", over: ["rpo"] })).toBe("slow");
    expect(end({ status: "passed", over: ["rpo"] }, { status: "undrilled" })).toBe("failed");
    expect(end({ status: "failed" })).toBe("failed");
    expect(end({ status: "left-out" })).toBe("failed");
    expect(end()).toBe("failed");
    const by = { id: 1, name: "alice" };
    expect(endOf({ items: items({ status: "passed" }, { status: "cancelled" }), cancelRequestedBy: by })).toBe(
      "cancelled",
    );
    // Too late: everything had been done.
    expect(endOf({ items: items({ status: "passed" }), cancelRequestedBy: by })).toBe("passed");
  });

  test("goes from one backup to the next, and changes none that has ended", () => {
    const drill = aDrill({ items: items({ status: "passed" }, { status: "waiting" }, { status: "running" }) });
    expect(currentItem(drill)?.name).toBe("b2");
    expect(withItem(drill, "b0", { phase: "restored" })).toBe(drill);
    expect(withItem(drill, "none", { phase: "restored" })).toBe(drill);
    expect(withItem(drill, "b1", { status: "running" }).items[1]?.status).toBe("running");
    expect(currentItem(aDrill({ items: items({ status: "passed" }, { status: "left-out" }) }))).toBeUndefined();
  });

  test("remembers what it has found, and nothing of what it did not look at", () => {
    const drill = aDrill();
    for (const status of ["left-out", "cancelled", "waiting", "running"] as const)
      expect(recordOf(drill, aDrillItem({ status }))).toBeUndefined();
    const reason = { message: "x", finding: "no-offsite" as const };
    expect(recordOf(drill, { name: "shop", status: "undrilled", reason })).toMatchObject({
      status: "undrilled",
      reason,
    });
  });

  test("makes data of a clock that was ahead no younger than new", () => {
    expect(ageOf({ dataAt: "2026-03-01T00:00:00.000Z" }, new Date("2026-03-01T02:00:00.000Z"))).toBe(7_200_000);
    expect(ageOf({ dataAt: "2026-03-01T03:00:00.000Z" }, new Date("2026-03-01T02:00:00.000Z"))).toBe(0);
  });
});

test("of former drills the newest five are shown, oldest first, each time where there was one", () => {
  const results = [7, 6, 5, 4, 3, 2, 1].map((rtoMs) => (rtoMs === 6 ? { rpoMs: 60 } : { rtoMs, rpoMs: rtoMs * 10 }));
  expect(formerOf(results)).toEqual({ former: [2, 3, 4, 5, 7], formerAges: [30, 40, 50, 60, 70] });
  expect(formerOf([{}])).toEqual({});
});

test("the trend is told against the median of those before, and not for the machine's mood", () => {
  expect(trendOf(41_000, [])).toBeUndefined();
  expect(trendOf(58_000, [41_000, 43_000, 40_000])).toBe("up");
  expect(trendOf(30_000, [41_000, 43_000, 40_000])).toBe("down");
  expect(trendOf(45_000, [41_000, 43_000, 40_000])).toBe("level");
  // One that was slow once moves nothing.
  expect(trendOf(41_000, [40_000, 400_000, 42_000])).toBe("level");
  expect(trendOf(900, [200])).toBe("level");
  expect(trendOf(60_000, [20_000, 40_000])).toBe("up");
});

describe("its schedule", () => {
  test("is off unless configured, and has defaults", () => {
    expect(drillEntries({ timezone: "UTC" })).toEqual([]);
    const drill = drillSchema.parse({});
    expect(drill).toEqual({ schedule: "0 6 * * 1", ...defaultLimits });
    expect(drillEntries({ drill, timezone: "Europe/Berlin" })).toMatchObject([
      { pattern: "0 6 * * 1", timezone: "Europe/Berlin", catchUp: true },
    ]);
  });

  test("comes at its hour on the wall through a change of the clocks, and once for all that was missed", () => {
    const entries = drillEntries({ drill: drillSchema.parse({}), timezone: "Europe/Berlin" });
    const handled = new Map<string, Date>();
    const look = (at: string) => {
      const plan = due(entries, handled, new Date(at));
      for (const [key, time] of plan.handled) handled.set(key, time);
      return plan.due.map((item) => `${item.at.toISOString()}${item.late ? ` late ${item.missed}` : ""}`);
    };
    expect(look("2026-03-20T00:00:00Z")).toEqual([]);
    expect(look("2026-03-23T05:00:10Z")).toEqual(["2026-03-23T05:00:00.000Z"]);
    // On 29 March the clocks go forward.
    expect(look("2026-03-30T04:00:10Z")).toEqual(["2026-03-30T04:00:00.000Z"]);
    // Set back, it runs nothing twice.
    expect(look("2026-03-30T03:59:00Z")).toEqual([]);
    expect(look("2026-03-30T04:00:20Z")).toEqual([]);
    // Three weeks of nobody.
    expect(look("2026-04-21T12:00:00Z")).toEqual(["2026-04-20T04:00:00.000Z late 2"]);
  });
});
