import { describe, expect, it } from "vitest";
import {
  absentValue,
  type Block,
  blockHours,
  dayMs,
  hourMs,
  hourOf,
  packBlock,
  packOffset,
  packValue,
  pointsIn,
  unpackBlock,
} from "../../src/core/compact.ts";
import { type StoredColumns, unpackDays } from "../../src/core/day-columns.ts";
import { type MetricUnit, metricUnits } from "../../src/core/metric.ts";
import type { Point } from "../../src/core/series.ts";

const day = 20_000;
const begin = day * dayMs;

/** As good as random, always the same. */
function* noise(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

describe("a day of readings", () => {
  const times = Buffer.concat([0, 300_000, 600_000, dayMs - 1].map((offset) => packOffset(begin + offset)));
  const values = Buffer.concat([packValue(12.5), absentValue, packValue(0)]);

  const nothing = { times: new Float64Array(), values: new Float32Array() };

  const series = (stored: readonly StoredColumns[], from: number, to: number): Point[][] => {
    const days = stored.map((_, index) => day + index);
    const metrics = Math.max(...stored.map(({ length }) => length - 1));
    return unpackDays(stored, { days, metrics, from, to }).map(pointsIn);
  };
  const unpacked = (from: number, to: number): Point[] => series([[times, values]], from, to)[0] ?? [];

  it("gives what was put in, without what is absent or behind the end of the column", () => {
    expect(unpacked(begin, begin + dayMs)).toEqual([
      { at: begin, value: 12.5 },
      { at: begin + 600_000, value: 0 },
    ]);
  });

  it("is cut at both times, which belong to it", () => {
    const cut = (from: number, to: number) => unpacked(from, to).map(({ at }) => at - begin);
    expect(cut(begin + 1, begin + dayMs)).toEqual([600_000]);
    expect(cut(begin, begin + 599_999)).toEqual([0]);
    expect(cut(begin + 600_000, begin + 600_000)).toEqual([600_000]);
    expect(cut(begin + 600_001, begin + dayMs)).toEqual([]);
  });

  it("goes on with the next day", () => {
    const [found] = series(
      [
        [times, values],
        [times, values],
      ],
      begin + 1,
      begin + dayMs + 300_000,
    );
    expect(found).toEqual([
      { at: begin + 600_000, value: 0 },
      { at: begin + dayMs, value: 12.5 },
    ]);
  });

  it("gives each metric its own readings, over days of which some have nothing of it, or nothing at all", () => {
    const all = Buffer.concat([1, 2, 3, 4].map(packValue));
    const days = [
      [times, all, null],
      [null, null, null],
      [times, all, values],
      [times.subarray(0, 4), null, null],
    ];
    const [first = [], second = [], ...others] = series(days, begin + 1, begin + 3 * dayMs + 1);
    expect(others).toEqual([]);
    expect(first.map(({ value }) => value)).toEqual([2, 3, 4, 1, 2, 3, 4]);
    expect(first.map(({ at }) => at - begin)).toEqual([
      300_000,
      600_000,
      dayMs - 1,
      2 * dayMs,
      2 * dayMs + 300_000,
      2 * dayMs + 600_000,
      3 * dayMs - 1,
    ]);
    expect(second).toEqual([
      { at: begin + 2 * dayMs, value: 12.5 },
      { at: begin + 2 * dayMs + 600_000, value: 0 },
    ]);
  });

  it("has nothing of a metric that was never measured, and reads columns wherever they lie", () => {
    const apart = Buffer.concat([Buffer.of(1), times, values]).subarray(1);
    const stored = [[apart.subarray(0, times.length), null, apart.subarray(times.length)]];
    const [never, found = []] = series(stored, begin, begin + dayMs);
    expect(never).toEqual(pointsIn(nothing));
    expect(found.map(({ value }) => value)).toEqual([12.5, 0]);
    expect(unpackDays([[null, null]], { days: [day], metrics: 1, from: 0, to: begin + dayMs })).toEqual([nothing]);
  });

  it("keeps times in the order of their bytes", () => {
    const packed = [0, 1, 255, 256, 65_536, dayMs - 1].map((offset) => packOffset(begin + offset).toString("latin1"));
    expect(packed.toSorted()).toEqual(packed);
  });
});

describe("an hour", () => {
  it("is of its least, mean and greatest value", () => {
    const points = [3, 1, 8].map((value, index) => ({ at: begin + index, value }));
    expect(hourOf(begin, points)).toEqual({ at: begin, min: 1, mean: 4, max: 8 });
    expect(hourOf(begin, [])).toBeUndefined();
  });

  it("never has its mean outside, however it is rounded", () => {
    const points = Array.from({ length: 3 }, (_, index) => ({ at: begin + index, value: 0.1 }));
    expect(hourOf(begin, points)).toEqual({ at: begin, min: 0.1, mean: 0.1, max: 0.1 });
  });
});

describe("a block of hours", () => {
  const random = noise(7);
  const next = (): number => random.next().value;
  const ofThese = (value: () => number, gaps = 0): Block =>
    Array.from({ length: blockHours }, () => {
      if (next() < gaps) return undefined;
      const [min = 0, mean = 0, max = 0] = [value(), value(), value()].toSorted((a, b) => a - b);
      return { min, mean, max };
    });
  const isNear = (unit: MetricUnit, kept: number, value: number): boolean =>
    Math.abs(kept - value) <= (unit === "percent" ? 0.00501 : value * 0.0005 + 1e-6);

  it.each(Object.entries(metricUnits))("keeps %s (%s) near enough, gaps and all", (_, unit) => {
    const value = unit === "percent" ? () => next() * 100 : () => 10 ** (next() * 15 - 3);
    const block = ofThese(value, 0.1);
    const kept = unpackBlock(packBlock(block, unit), unit);
    for (const [index, hour] of block.entries()) {
      const its = kept[index];
      expect(its === undefined).toBe(hour === undefined);
      if (!hour || !its) continue;
      for (const column of ["min", "mean", "max"] as const) expect(isNear(unit, its[column], hour[column])).toBe(true);
    }
  });

  it("does not drift when it is read and written again and again", () => {
    const block = ofThese(() => next() * 1e9);
    const once = unpackBlock(packBlock(block, "bytes"), "bytes");
    let again = once;
    for (let time = 0; time < 50; time++) again = unpackBlock(packBlock(again, "bytes"), "bytes");
    expect(again).toEqual(once);
  });

  it("keeps 0, what is too great and what is below 0 within its range", () => {
    const block: Block = [{ min: -3, mean: 0, max: 1e30 }];
    expect(unpackBlock(packBlock(block, "percent"), "percent")).toEqual([{ min: 0, mean: 0, max: 655.34 }]);
    const [hour] = unpackBlock(packBlock(block, "bytes"), "bytes");
    expect(hour?.min).toBe(0);
    expect(hour?.max).toBeCloseTo(1e17, -15);
  });

  it("is empty when nothing of it can be read", () => {
    expect(unpackBlock(Buffer.from("no block"), "percent")).toEqual([]);
    expect(unpackBlock(Buffer.alloc(0), "percent")).toEqual([]);
    expect(packBlock([], "percent").length).toBeLessThan(10);
  });

  it("is of 32 days", () => {
    expect(blockHours * hourMs).toBe(32 * dayMs);
  });
});
