import { describe, expect, test } from "vitest";
import {
  autoBackupChanges,
  balanceSeverity,
  bucketPercent,
  bucketSeverity,
  completeAutoBackups,
  daysUntil,
  defaultInventoryLimits,
  domainSeverity,
  hoursLeftOf,
  losesAutoBackups,
  stepAutoBackups,
} from "../../src/core/inventory.ts";

const limits = defaultInventoryLimits;
const finances = (change: object) => ({ balance: 1000, currency: "RUB", hourlyCost: 10, ...change });

describe("how long a balance lasts", () => {
  test.each([
    [finances({ hoursLeft: 50 }), 50],
    // The provider does not say: by balance and cost.
    [finances({}), 100],
    [finances({ hoursLeft: undefined, balance: -5 }), 0],
    [finances({ hoursLeft: -3 }), 0],
    // Nothing is spent, whatever the provider makes of that.
    [finances({ hourlyCost: 0, hoursLeft: 0 }), undefined],
    [finances({ hourlyCost: undefined }), undefined],
    [finances({ hourlyCost: undefined, hoursLeft: 7 }), 7],
  ])("%o: %s", (given, hours) => {
    expect(hoursLeftOf(given)).toBe(hours);
  });

  test.each([
    [72, undefined, undefined],
    [71.9, undefined, "warning"],
    [24, undefined, "warning"],
    [23.9, undefined, "critical"],
    // It wavers about the limit: once said, it has to be clearly better.
    [75, "warning", "warning"],
    [80, "warning", undefined],
    [25, "critical", "critical"],
    [27, "critical", "warning"],
  ] as const)("%s h, said to be %s: %s", (hoursLeft, was, severity) => {
    expect(balanceSeverity(finances({ hoursLeft }), limits, was)).toBe(severity);
  });

  test("what nobody knows warns of nothing", () => {
    expect(balanceSeverity({ balance: 1, currency: "RUB" }, limits)).toBeUndefined();
  });
});

describe("a domain", () => {
  const at = new Date("2026-03-01T12:00:00Z");
  test.each([
    ["2026-03-31T12:00:00Z", undefined],
    ["2026-03-31T11:59:00Z", "warning"],
    ["2026-03-08T12:00:00Z", "warning"],
    ["2026-03-08T11:59:00Z", "critical"],
    ["2026-02-01T00:00:00Z", "critical"],
  ])("that ends %s: %s", (expires, severity) => {
    expect(domainSeverity(new Date(expires), at)).toBe(severity);
  });

  test("whose end nobody knows has not ended", () => {
    expect(domainSeverity(undefined, at)).toBeUndefined();
    expect(domainSeverity(new Date("0000-00-00"), at)).toBeUndefined();
    expect(daysUntil(new Date("2026-02-28T13:00:00Z"), at)).toBe(-1);
  });
});

describe("a bucket", () => {
  test.each([
    [89.9, undefined, undefined],
    [90, undefined, "warning"],
    [89, "warning", "warning"],
    [87.9, "warning", undefined],
    [97, "warning", "critical"],
    [95.5, "critical", "critical"],
    [94.9, "critical", "warning"],
  ] as const)("%s %% full, said to be %s: %s", (usedBytes, was, severity) => {
    expect(bucketSeverity({ usedBytes, limitBytes: 100 }, limits, was)).toBe(severity);
  });

  test("without a limit is never full", () => {
    expect(bucketPercent({ usedBytes: 5 })).toBeUndefined();
    expect(bucketPercent({ usedBytes: 5, limitBytes: 0 })).toBeUndefined();
    expect(bucketSeverity({ limitBytes: 5 }, limits)).toBeUndefined();
  });

  test("is urgent no sooner than it is warned of", () => {
    expect(bucketSeverity({ usedBytes: 98, limitBytes: 100 }, { ...limits, bucket: 99 })).toBeUndefined();
  });
});

describe("settings of automatic backups", () => {
  const weekly = { enabled: true, copies: 4, interval: "week", dayOfWeek: 3, startAt: "2026-03-02T00:00:00Z" } as const;

  test("differ by what counts", () => {
    expect(autoBackupChanges(weekly, { ...weekly, startAt: "2026-03-02T03:00:00+03:00" })).toEqual([]);
    expect(autoBackupChanges(weekly, { ...weekly, copies: 7, interval: "day" })).toEqual(["copies", "interval"]);
    // Of what is off nothing else is said.
    expect(autoBackupChanges(weekly, { ...weekly, enabled: false, copies: 9 })).toEqual(["enabled"]);
    expect(autoBackupChanges({ enabled: false }, weekly)).toEqual([
      "enabled",
      "copies",
      "interval",
      "dayOfWeek",
      "startAt",
    ]);
    expect(autoBackupChanges({ ...weekly, interval: "day" }, { ...weekly, interval: "day", dayOfWeek: 5 })).toEqual([]);
  });

  test("lose something when copies are fewer or rarer", () => {
    expect(losesAutoBackups(weekly, { ...weekly, enabled: false })).toBe(true);
    expect(losesAutoBackups(weekly, { ...weekly, copies: 3 })).toBe(true);
    expect(losesAutoBackups(weekly, { ...weekly, interval: "month" })).toBe(true);
    expect(losesAutoBackups(weekly, { ...weekly, interval: "day", copies: 5 })).toBe(false);
    expect(losesAutoBackups({ enabled: false, copies: 50 }, weekly)).toBe(false);
  });

  test("are all there when they are switched on, and change by presses", () => {
    const now = new Date("2026-03-01T12:00:00Z");
    const start = "2026-03-02T00:00:00.000Z";
    const whole = completeAutoBackups({ enabled: false, copies: 0, startAt: "nonsense" }, start);
    expect(whole).toEqual({ enabled: false, copies: 1, interval: "day", dayOfWeek: 1, startAt: start });
    expect(stepAutoBackups(whole, { field: "enabled" }, now).enabled).toBe(true);
    expect(stepAutoBackups(whole, { field: "copies", by: -1 }, now).copies).toBe(1);
    expect(stepAutoBackups({ ...whole, copies: 99 }, { field: "copies", by: 1 }, now).copies).toBe(99);
    expect(stepAutoBackups({ ...whole, dayOfWeek: 7 }, { field: "dayOfWeek" }, now).dayOfWeek).toBe(1);
    expect(stepAutoBackups(whole, { field: "interval", value: "month" }, now).interval).toBe("month");
    const later = stepAutoBackups(whole, { field: "startAt", by: 1 }, now);
    expect(later.startAt).toBe("2026-03-02T01:00:00.000Z");
    // Not in the past: the same time on the next day.
    const back = stepAutoBackups({ ...whole, startAt: "2026-03-01T12:30:00Z" }, { field: "startAt", by: -1 }, now);
    expect(back.startAt).toBe("2026-03-02T11:30:00.000Z");
  });
});
