import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Sized, sizeAnomaly, wholeBytes } from "../../src/core/anomaly.ts";
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

const found = (backups: readonly Sized[], accepted?: number) => sizeAnomaly(backups, policy, { now, accepted });

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
    expect(found(sized(100, 100, 100, 100, 100, 100, 5000, 5000, 5000, 5000, 5000))).toBeUndefined();
  });

  test("is none where there is nothing before it", () => {
    expect(found([])).toBeUndefined();
    expect(found(sized(0))).toBeUndefined();
    expect(found(sized(0, 0))).toBeUndefined();
  });

  test("is none when a person has said that this size is right, nor while it stays near that", () => {
    expect(found(sized(400, 1000, 1000), 400)).toBeUndefined();
    expect(found(sized(200, 1000, 1000), 400)).toBeUndefined();
    expect(found(sized(199, 1000, 1000), 400)).toBeDefined();
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
