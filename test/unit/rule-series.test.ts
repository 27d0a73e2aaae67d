import { describe, expect, test } from "vitest";
import type { MetricName } from "../../src/core/metric.ts";
import { parseRule } from "../../src/core/rule.ts";
import { valueIn } from "../../src/core/rule-series.ts";
import { every, fillingDisk, recorded, viewOf, webServerCpu } from "../support/series.ts";

type Series = Partial<Record<MetricName, readonly (number | undefined)[]>>;

/** The value of an expression at the last reading. */
function measured(expression: string, series: Series): number | undefined {
  const parsed = parseRule(`${expression} != 0`);
  if (!("rule" in parsed) || parsed.rule.kind !== "compare") throw new Error(`${expression} is none`);
  const count = Math.max(...Object.values(series).map((values) => values.length));
  return valueIn(viewOf(series, count - 1), parsed.rule.left);
}

const hours = (value: number | undefined): number | undefined => (value === undefined ? undefined : value / 3600);
const perHour = (value: number | undefined): number | undefined => (value === undefined ? undefined : value * 3600);

describe("over a window", () => {
  const cpu = recorded(13, (index) => index * 5);

  test("the mean, the least and the greatest of the readings", () => {
    expect(measured("avg(cpu, 30m)", { cpu })).toBeCloseTo(45, 5);
    expect(measured("min(cpu, 30m)", { cpu })).toBe(30);
    expect(measured("max(cpu, 30m)", { cpu })).toBe(60);
    expect(measured("avg(cpu, 5m)", { cpu })).toBeCloseTo(57.5, 5);
  });

  test("the change since its beginning, and per hour", () => {
    expect(measured("change(cpu, 30m)", { cpu })).toBeCloseTo(30, 5);
    expect(perHour(measured("rate(cpu, 30m)", { cpu }))).toBeCloseTo(60, 4);
    const free = recorded(30, (index) => 5e10 - index * 1e8);
    expect(perHour(measured("rate(disk_free, 2h)", { disk_free: free }))).toBeCloseTo(-1.2e9, -5);
    expect(perHour(measured("rate(cpu, 1d)", { cpu: webServerCpu(289) }))).toBeCloseTo(0, 0);
  });

  test("nothing is known before half of its readings are there", () => {
    const known = (count: number, expression: string): boolean =>
      measured(expression, { cpu: cpu.slice(0, count) }) !== undefined;
    expect([1, 2, 3, 4].map((count) => known(count, "avg(cpu, 30m)"))).toEqual([false, false, true, true]);
    expect([4, 5].map((count) => known(count, "rate(cpu, 20m)"))).toEqual([false, true]);
    expect([5, 6, 7].map((count) => known(count, "rate(cpu, 1h)"))).toEqual([false, true, true]);
    // Two and a half intervals before or after its beginning.
    expect([4, 5, 6, 7].map((count) => known(count, "change(cpu, 30m)"))).toEqual([false, true, true, true]);
    expect(known(1, "change(cpu, 5m)")).toBe(false);
  });

  test("missing readings are left out, as long as half of them are there", () => {
    const holey = cpu.map((value, index) => (index % 2 === 1 ? undefined : value));
    expect(measured("avg(cpu, 30m)", { cpu: holey })).toBeCloseTo(45, 5);
    expect(
      measured("avg(cpu, 1h)", { cpu: cpu.map((value, index) => (index > 4 && index < 11 ? undefined : value)) }),
    ).toBeCloseTo((0 + 5 + 10 + 15 + 20 + 55 + 60) / 7, 5);
    expect(
      measured("avg(cpu, 1h)", { cpu: cpu.map((value, index) => (index > 1 && index < 10 ? undefined : value)) }),
    ).toBe(undefined);
  });

  test("nothing is known of a metric that comes no more while others do", () => {
    const memory = recorded(13, () => 50);
    const gone = (from: number): (number | undefined)[] =>
      cpu.map((value, index) => (index >= from ? undefined : value));
    expect(measured("cpu", { cpu: gone(12), memory })).toBe(undefined);
    expect(measured("avg(cpu, 30m)", { cpu: gone(11), memory })).toBeCloseTo(40, 5);
    expect(measured("avg(cpu, 30m)", { cpu: gone(10), memory })).toBe(undefined);
    expect(measured("avg(swap, 30m)", { cpu, memory })).toBe(undefined);
  });
});

describe("until a disk is full", () => {
  const fullIn = (disk: readonly (number | undefined)[], window = "6h"): number | undefined =>
    hours(measured(`full_in(disk, ${window})`, { disk }));

  test("one that fills steadily: to the hour", () => {
    // 72 of 100 after six hours.
    expect(fullIn(fillingDisk(73, { from: 60, perHour: 2 }))).toBeCloseTo(14, 0);
    expect(fullIn(fillingDisk(73, { from: 60, perHour: 2, noise: 0.5 }))).toBeCloseTo(14, 0);
    expect(fullIn(fillingDisk(73, { from: 50, perHour: 0.2 }))).toBeCloseTo(244, -1);
    expect(fullIn(fillingDisk(1153, { from: 50, perHour: 0.02 }), "4d")).toBeGreaterThan(2000);
  });

  test("one that is full: now", () => {
    expect(fullIn(recorded(73, () => 100))).toBe(0);
    expect(fullIn(fillingDisk(73, { from: 97, perHour: 2, noise: 0 }))).toBe(0);
  });

  test("never: one that stays, falls, or is noise", () => {
    expect(fullIn(recorded(73, () => 60))).toBe(Number.POSITIVE_INFINITY);
    expect(fullIn(fillingDisk(73, { from: 90, perHour: -1 }))).toBe(Number.POSITIVE_INFINITY);
    for (let seed = 1; seed <= 50; seed++) {
      const noisy = recorded(73, (_, noise) => 90 + noise, seed);
      expect(fullIn(noisy)).toBe(Number.POSITIVE_INFINITY);
    }
  });

  test("never: logs that are rotated, wherever the window cuts the saw's teeth", () => {
    const saw = fillingDisk(400, { from: 70, perHour: 4, rotated: 12, noise: 0.1 });
    for (let end = 80; end < 400; end++) expect(fullIn(saw.slice(0, end))).toBe(Number.POSITIVE_INFINITY);
    const slow = fillingDisk(900, { from: 40, perHour: 2, rotated: 24, noise: 0.1 });
    for (let end = 80; end < 900; end += 7) expect(fullIn(slow.slice(0, end))).toBe(Number.POSITIVE_INFINITY);
  });

  test("one whose logs are rotated while it fills all the same: it is seen through the teeth", () => {
    const filling = recorded(289, (index, noise) => 40 + index / 12 + ((index % 24) / 24) * 3 + 0.1 * noise);
    expect(fullIn(filling, "1d")).toBeGreaterThan(30);
    expect(fullIn(filling, "1d")).toBeLessThan(42);
  });

  test("never any more: one that has stopped filling, or was cleared a moment ago", () => {
    const stopped = recorded(73, (index, noise) => 60 + Math.min(index, 36) / 2 + 0.05 * noise);
    expect(fullIn(stopped)).toBe(Number.POSITIVE_INFINITY);
    for (let ago = 1; ago <= 40; ago++) {
      const cleared = recorded(73, (index, noise) => 60 + index / 2 - (index > 72 - ago ? 25 : 0) + 0.05 * noise);
      expect(fullIn(cleared), `${ago}`).toBe(Number.POSITIVE_INFINITY);
    }
  });

  test("bytes that are left run out as well", () => {
    const left = recorded(73, (index, noise) => 40e9 - index * 0.25e9 + 1e7 * noise);
    expect(hours(measured("full_in(disk_free, 6h)", { disk_free: left }))).toBeCloseTo(22 / 3, 1);
    const growing = recorded(73, (index) => 40e9 + index * 0.25e9);
    expect(measured("full_in(disk_free, 6h)", { disk_free: growing })).toBe(Number.POSITIVE_INFINITY);
    expect(measured("full_in(disk_free, 6h)", { disk_free: recorded(73, () => 0) })).toBe(0);
  });

  test("a line counts its times from the newest reading: at any time since 1970", () => {
    const view = viewOf({ disk: fillingDisk(73, { from: 60, perHour: 2, noise: 0 }) }, 72);
    const parsed = parseRule("full_in(disk, 6h) < 1h");
    if (!("rule" in parsed) || parsed.rule.kind !== "compare") throw new Error("none");
    const far = 1e14;
    const { times, values } = view.series("disk");
    const moved = { ...view, at: view.at + far, series: () => ({ times: times.map((at) => at + far), values }) };
    expect(valueIn(moved, parsed.rule.left)).toBeCloseTo(valueIn(view, parsed.rule.left) ?? 0, 3);
    expect(every).toBe(300_000);
  });
});
