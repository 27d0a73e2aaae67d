import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { judgeSizes, type Measure, type Sized, wholeBytes } from "../../src/core/anomaly.ts";
import { stillHolds } from "../../src/core/prune.ts";
import { aManifest } from "../support/run.ts";

const now = new Date("2026-03-01T12:00:00Z");
const policy = { below: 0.5, of: 5 };

/** Backups of these sizes, newest first, one a day. */
const sized = (...sizes: number[]): Sized[] =>
  sizes.map((bytes, index) => ({
    id: `d${index}`,
    startedAt: new Date(Date.UTC(2026, 2, 1, 3) - index * 86_400_000),
    bytes,
  }));

const found = (backups: readonly Sized[], measure?: Measure) => judgeSizes(backups, policy, { now, measure }).anomaly;

/** One a day of these sizes, oldest first, with a look at each, which remembers what it was told to; `right`: a person says so. */
function lookedAt(days: readonly (number | { readonly right: number })[]): (number | undefined)[] {
  const begin = Date.UTC(2026, 2, 1, 3);
  const all: Sized[] = [];
  let measure: Measure | undefined;
  return days.map((day, index) => {
    const bytes = typeof day === "number" ? day : day.right;
    const startedAt = new Date(begin + index * 86_400_000);
    all.push({ id: `d${index}`, startedAt, bytes });
    if (typeof day !== "number") measure = { bytes, since: startedAt };
    const verdict = judgeSizes(all, policy, { now: startedAt, measure });
    ({ measure } = verdict);
    return verdict.anomaly?.medianBytes;
  });
}

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

describe("a backup far smaller than those before it", () => {
  test("is one below the given part of their median, and not one at it", () => {
    expect(found(sized(499, 1000, 1000, 1000))).toEqual({
      id: "d0",
      startedAt: new Date("2026-03-01T03:00:00Z"),
      bytes: 499,
      medianBytes: 1000,
    });
    expect(found(sized(500, 1000, 1000, 1000))).toBeUndefined();
    expect(found(sized(400, 1000, 600))).toBeUndefined();
    expect(found(sized(399, 1000, 600))).toMatchObject({ medianBytes: 800 });
  });

  test("is not measured by a single huge or tiny one before it, nor by more than count", () => {
    expect(found(sized(900, 1_000_000, 1000, 1000, 1000, 1000))).toBeUndefined();
    expect(found(sized(100, 1, 1000, 1000, 1000, 1000))).toBeDefined();
    expect(found(sized(900, 1000, 1000, 1000, 1000, 1000, 5000, 5000, 5000, 5000, 5000))).toMatchObject({
      medianBytes: 5000,
    });
    expect(found(sized(900, ...times(14, 1500), ...times(20, 5000)))).toBeUndefined();
  });

  test("is none where there is nothing before it", () => {
    expect(found([])).toBeUndefined();
    expect(found(sized(0))).toBeUndefined();
    expect(found(sized(0, 0))).toBeUndefined();
  });

  test("is none when a person has said that this size is right, nor while it stays near that", () => {
    const measure = { bytes: 400, since: new Date("2026-03-01T03:00:00Z") };
    expect(found(sized(400, 1000, 1000), measure)).toBeUndefined();
    expect(found(sized(200, 1000, 1000), measure)).toBeUndefined();
    expect(found(sized(199, 1000, 1000), measure)).toBeDefined();
    expect(lookedAt([1000, 1000, 300, { right: 300 }, ...times(40, 290), 100]).slice(2)).toEqual([
      1000,
      ...times(41, undefined),
      290,
    ]);
  });

  test("does not become usual by being one of many, only by one of the usual size", () => {
    expect(lookedAt([...times(10, 1000), ...times(60, 10)])).toEqual([...times(10, undefined), ...times(60, 1000)]);
    expect(lookedAt([1000, ...times(60, 10)])).toEqual([undefined, ...times(60, 1000)]);
    const one = lookedAt([...times(10, 1000), ...times(30, 10), 900, 10, 900, ...times(30, 10)]);
    expect(one.slice(38)).toEqual([1000, 1000, undefined, 950, undefined, ...times(30, expect.any(Number))]);
  });

  test("is found by what has become usual since, whatever was said to be right long ago", () => {
    const days = [1000, 1000, { right: 10 }, ...times(300, 1000), 10];
    expect(lookedAt(days)).toEqual([...times(303, undefined), 1000]);
  });

  test("is none where sizes fall slowly, also after a measure was set", () => {
    const falling = Array.from({ length: 60 }, (_, index) => Math.round(1000 * 0.93 ** index));
    expect(lookedAt([...times(6, 1000), 400, ...falling]).slice(7)).toEqual(times(60, undefined));
  });

  test("is not looked for in what a wrong clock has dated far ahead", () => {
    const ahead = { id: "x", startedAt: new Date("2027-01-01T00:00:00Z"), bytes: 1 };
    expect(found([ahead, ...sized(1000, 1000)])).toBeUndefined();
  });

  test("is the newest one or none, in whatever order they are given, and never one as large as all before it", () => {
    const sizes = fc.array(fc.nat({ max: 10_000 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(sizes, fc.nat(), (list, seed) => {
        const backups = sized(...list);
        const shuffled = backups.toSorted((a, b) => ((a.bytes + seed) % 7) - ((b.bytes + seed) % 7));
        const one = found(backups);
        expect(found(shuffled)).toEqual(one);
        const isLargest = (list[0] ?? 0) >= Math.max(0, ...list.slice(1));
        expect([undefined, ...(isLargest ? [] : ["d0"])]).toContain(one?.id);
      }),
    );
  });
});

test("the size of a backup has the parts of earlier ones that it needs", () => {
  const reference = { run: "r", folder: "app/x/", file: "a", bytes: 5_000_000, sha256: "5e".repeat(32) };
  expect(wholeBytes(aManifest({ references: [reference] }))).toBe(30_600_000);
});

test("an agreement holds while all of it would still go, whatever else would go as well", () => {
  expect(stillHolds({ folders: ["a", "b"] }, ["b", "c", "a"])).toBe(true);
  expect(stillHolds({ folders: ["a", "b"] }, ["a", "c"])).toBe(false);
  expect(stillHolds({ folders: [] }, [])).toBe(true);
});
