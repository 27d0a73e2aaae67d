import { describe, expect, test } from "vitest";
import { sparkline } from "../../src/bot/backup-words.ts";
import { parseDailySpan } from "../../src/core/route.ts";
import { lastBegun } from "../../src/core/schedule.ts";
import { encodeTombstone, parseTombstone } from "../../src/core/tombstone.ts";
import { type HealthFacts, judge } from "../../src/services/backup/health.ts";

const hour = 3_600_000;
const now = new Date("2026-03-02T12:00:00Z");
const ago = (hours: number): Date => new Date(now.getTime() - hours * hour);

/** Made nine hours ago, proven, everywhere. */
const well: HealthFacts = {
  now,
  knownSince: ago(1000),
  lastGoodAt: ago(9),
  isDamaged: false,
  isCopyMissing: false,
  isLookedAt: true,
  isUnseen: false,
  isOutOfReach: false,
  isSmall: false,
  isProven: true,
  wantedAt: ago(9),
  isRunning: false,
};

describe("the judgement on a backup", () => {
  test.each([
    ["all is well", {}, "green", []],
    ["within its age", { maxAge: 9 * hour }, "green", []],
    ["beyond its age", { maxAge: 9 * hour - 1 }, "red", ["too-old"]],
    ["never made, still new", { lastGoodAt: undefined, maxAge: 26 * hour, knownSince: ago(1) }, "red", ["never"]],
    ["never made, and long known", { lastGoodAt: undefined, maxAge: 26 * hour }, "red", ["never", "too-old"]],
    ["failed since", { failedAt: ago(1) }, "red", ["failed"]],
    ["failed, and good since", { failedAt: ago(10) }, "green", []],
    ["failed, and never good", { failedAt: ago(1), lastGoodAt: undefined }, "red", ["failed", "never"]],
    ["a proof failed", { isDamaged: true, isProven: false }, "red", ["damaged", "unproven"]],
    ["a copy is missing", { isCopyMissing: true }, "amber", ["copy-missing"]],
    ["not proven", { isProven: false }, "amber", ["unproven"]],
    ["proven since it should have been", { provenAt: ago(24 * 14), proofWantedAt: ago(24 * 14) }, "green", []],
    ["proven too long ago", { provenAt: ago(24 * 15), proofWantedAt: ago(24 * 14) }, "amber", ["proof-old"]],
    ["a storage cannot be looked at", { isUnseen: true }, "amber", ["unseen"]],
    ["none of its storages for long", { isUnseen: true, isOutOfReach: true }, "red", ["out-of-reach", "unseen"]],
    [
      "nobody has looked",
      { lastGoodAt: undefined, isProven: false, isLookedAt: false, isUnseen: true },
      "amber",
      ["unseen"],
    ],
    ["far smaller", { isSmall: true }, "amber", ["anomaly"]],
    ["late", { lastGoodAt: ago(10) }, "amber", ["late"]],
    ["late, and under way", { lastGoodAt: ago(10), isRunning: true }, "green", []],
    [
      "everything at once",
      { failedAt: ago(1), isDamaged: true, isCopyMissing: true, isSmall: true },
      "red",
      ["damaged", "failed", "copy-missing", "anomaly"],
    ],
  ] as const)("%s", (_what, change, mark, reasons) => {
    expect(judge({ ...well, ...change })).toEqual({ mark, reasons });
  });
});

describe("the newest time by which a run should have begun", () => {
  const entry = { key: "backup:app", pattern: "0 3 * * *", timezone: "UTC", catchUp: true };
  const at = (text: string): Date => new Date(`2026-03-02T${text}:00Z`);

  test("is that of the schedule", () => {
    expect(lastBegun(entry, at("03:00"))).toEqual(at("03:00"));
    expect(lastBegun(entry, at("02:59"))).toEqual(new Date("2026-03-01T03:00:00Z"));
  });

  test("has jitter and hours included", () => {
    const window = parseDailySpan("22:00-06:00");
    const noon = { ...entry, pattern: "0 12 * * *", window };
    expect(lastBegun(noon, at("21:59"))).toEqual(new Date("2026-03-01T12:00:00Z"));
    expect(lastBegun(noon, at("22:00"))).toEqual(at("12:00"));
    // Left out where nothing is made up.
    expect(lastBegun({ ...noon, pattern: "0 4,12 * * *", catchUp: false }, at("23:00"))).toEqual(at("04:00"));
    const jittered = lastBegun({ ...entry, jitter: 2 * hour }, at("03:00"));
    expect(jittered).toEqual(new Date("2026-03-01T03:00:00Z"));
  });
});

test("a chart has one bar for each value, by its part of the largest", () => {
  expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe("▁▂▃▄▅▆▇▇");
  expect(sparkline([5, 5])).toBe("▇▇");
  expect(sparkline([0, 0])).toBe("▁▁");
  expect(sparkline([])).toBe("");
});

test("a tombstone counts in its own folder only, and names nothing outside of it", () => {
  const folder = "app/20260301T030000Z-abc/";
  const bytes = encodeTombstone({ version: 1, folder, at: now.toISOString(), files: ["artifact.dump.zst"] });
  expect(parseTombstone(bytes, folder)?.files).toEqual(["artifact.dump.zst"]);
  expect(parseTombstone(bytes, "app/20260302T030000Z-abc/")).toBeUndefined();
  const evil = Buffer.from(bytes).toString().replace("artifact.dump.zst", "../other");
  expect(parseTombstone(Buffer.from(evil), folder)).toBeUndefined();
  expect(parseTombstone(Buffer.from("{"), folder)).toBeUndefined();
});
