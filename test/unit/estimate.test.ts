import { describe, expect, it } from "vitest";
import type { RestoreTime } from "../../src/core/verification.ts";
import { estimateRestore, restoreTime } from "../../src/services/restore/estimate.ts";
import { aManifest } from "../support/run.ts";

const gigabyte = 1e9;

/** A backup of so many bytes, a quarter of them as stored. */
function backupOf(rawBytes: number | undefined, bytes = (rawBytes ?? 0) / 4) {
  const sha256 = "5e".repeat(32);
  const part = { role: "artifact", file: "artifact.dump.zst", bytes, sha256 };
  return aManifest({ parts: [rawBytes === undefined ? part : { ...part, rawBytes }] });
}

/** One that was measured: of a gigabyte in eleven seconds, on the n-th of the month. */
function measured(day: number, parts: Partial<RestoreTime> = {}): RestoreTime {
  const at = `2026-03-${String(day).padStart(2, "0")}T05:00:00.000Z`;
  const sizes = { bytes: gigabyte / 4, rawBytes: gigabyte };
  return { at, restoreMs: 9000, totalMs: 11_000, ...sizes, storage: "local", host: "db-1", ...parts };
}

describe("how long a restore will take", () => {
  it("is not told where nothing was ever measured", () => {
    expect(estimateRestore([], backupOf(gigabyte))).toBeUndefined();
    expect(estimateRestore([], backupOf(gigabyte), [])).toBeUndefined();
  });

  it("is what it took the last time, comparison included, by size", () => {
    expect(estimateRestore([measured(1)], backupOf(gigabyte))).toEqual({ totalMs: 11_000, measured: 1 });
    expect(estimateRestore([measured(1)], backupOf(3 * gigabyte))).toEqual({ totalMs: 31_000, measured: 1 });
    // What any restore takes does not shrink with the size, nor grow with it.
    expect(estimateRestore([measured(1)], backupOf(gigabyte / 1000))).toEqual({ totalMs: 1010, measured: 1 });
    const tiny = measured(1, { totalMs: 1400, bytes: 25_000, rawBytes: 100_000 });
    expect(estimateRestore([tiny], backupOf(gigabyte / 10))?.totalMs).toBe(700 + 700 * 1000);
  });

  it("knows the time until everything was there where that alone was measured", () => {
    const { totalMs: _, ...old } = measured(1);
    expect(estimateRestore([old], backupOf(gigabyte))?.totalMs).toBe(9000);
  });

  it("does not believe a single one that was disturbed, nor those of long ago", () => {
    const times = [11_000, 600_000, 12_000, 10_000, 50].map((totalMs, index) => measured(10 - index, { totalMs }));
    expect(estimateRestore(times, backupOf(gigabyte))).toEqual({ totalMs: 11_000, measured: 5 });
    // In whatever order they come.
    const older = Array.from({ length: 15 }, (_, index) => measured(index === 0 ? 5 : 4, { totalMs: 90_000 }));
    expect(estimateRestore([...older, ...times], backupOf(gigabyte))).toEqual({ totalMs: 11_000, measured: 5 });
  });

  it("is the mean of both in the middle where their number is even", () => {
    const times = [measured(1, { totalMs: 10_000 }), measured(2, { totalMs: 14_000 })];
    expect(estimateRestore(times, backupOf(gigabyte))).toEqual({ totalMs: 12_000, measured: 2 });
  });

  it("prefers what was read from the same storage, there those of the same host", () => {
    const times = [
      measured(9, { totalMs: 20_000, storage: "offsite", host: "db-2" }),
      measured(8, { totalMs: 40_000, storage: "offsite" }),
      measured(7),
    ];
    const of = (storage: string, host: string) => estimateRestore(times, backupOf(gigabyte), [], { storage, host });
    expect(of("local", "db-1")).toEqual({ totalMs: 11_000, measured: 1 });
    expect(of("local", "db-9")).toEqual({ totalMs: 11_000, measured: 1 });
    expect(of("offsite", "db-1")).toEqual({ totalMs: 40_000, measured: 1 });
    expect(of("offsite", "db-9")).toEqual({ totalMs: 30_000, measured: 2 });
    expect(of("elsewhere", "db-1")).toEqual({ totalMs: 20_000, measured: 3 });
  });

  it("goes by the size as stored where that before compression is not known of both", () => {
    const { rawBytes: _, ...old } = measured(1);
    expect(estimateRestore([old], backupOf(2 * gigabyte))?.totalMs).toBe(21_000);
    expect(estimateRestore([measured(1)], backupOf(undefined, gigabyte / 2))?.totalMs).toBe(21_000);
    // Compressed ten times as well as the last one, and as large.
    expect(estimateRestore([measured(1)], backupOf(gigabyte, gigabyte / 40))?.totalMs).toBe(11_000);
  });

  it("comes from other backups of its kind, by their rate, where this one was never restored", () => {
    const others = [measured(1), measured(2, { bytes: gigabyte, rawBytes: 4 * gigabyte, totalMs: 41_000 })];
    expect(estimateRestore([], backupOf(2 * gigabyte), others)).toEqual({ totalMs: 21_000, measured: 0 });
    expect(estimateRestore([measured(1)], backupOf(gigabyte), others)).toEqual({ totalMs: 11_000, measured: 1 });
  });

  it("takes apart what a byte takes and what is there without any, where runs are of several sizes", () => {
    // Six seconds before and after, and ten for a gigabyte.
    const run = (day: number, gigabytes: number, totalMs = 6000 + 10_000 * gigabytes) =>
      measured(day, { bytes: (gigabytes * gigabyte) / 4, rawBytes: gigabytes * gigabyte, totalMs });
    const times = [run(9, 0.1), run(8, 0.4), run(7, 0.1), run(6, 0.4)];
    expect(estimateRestore(times, backupOf(8 * gigabyte))).toEqual({ totalMs: 86_000, measured: 4 });
    expect(estimateRestore(times, backupOf(gigabyte / 100))?.totalMs).toBe(6100);
    // A single one that was disturbed changes little, and several sizes that say nothing sensible change nothing.
    const disturbed = [...times, run(5, 0.2, 90_000), run(4, 0.8)];
    expect(estimateRestore(disturbed, backupOf(8 * gigabyte))).toEqual({ totalMs: 86_000, measured: 6 });
    const senseless = [run(2, 1, 11_000), run(1, 4, 9000)];
    expect(estimateRestore(senseless, backupOf(gigabyte))?.totalMs).toBe((11_000 + 3000) / 2);
  });

  it("is not taken from what has no size, or was there already", () => {
    const empty = measured(3, { bytes: 0, rawBytes: 0 });
    expect(estimateRestore([empty], backupOf(gigabyte))).toBeUndefined();
    const gone = measured(4, { restoreMs: 0, totalMs: 2000 });
    expect(estimateRestore([gone, measured(1)], backupOf(gigabyte))).toEqual({ totalMs: 11_000, measured: 1 });
    expect(estimateRestore([measured(1)], backupOf(0))?.totalMs).toBe(1000);
  });
});

describe("what is remembered of a measured restore", () => {
  const run = { at: "2026-03-01T05:00:00.000Z", restoreMs: 9000, totalMs: 11_000, storage: "local", host: "db-1" };
  const part = (database: string, bytes: number) => ({
    role: "artifact",
    file: `artifact-${database}.dump.zst`,
    sha256: "5e".repeat(32),
    database,
    bytes,
    rawBytes: 4 * bytes,
  });

  it("is its size, that of one database where only that one was restored", () => {
    expect(restoreTime(backupOf(gigabyte), run)).toEqual(measured(1));
    const several = aManifest({ parts: [part("shop", 100), part("wiki", 900)] });
    expect(restoreTime(several, run)).toMatchObject({ bytes: 1000, rawBytes: 4000 });
    expect(restoreTime(several, run, "shop")).toMatchObject({ bytes: 100, rawBytes: 400 });
    expect(estimateRestore([restoreTime(several, run)], several, [], { only: "wiki" })?.totalMs).toBe(10_000);
  });

  it("has the parts of earlier runs in it, of which nobody knows how large they are unpacked", () => {
    const reference = { run: "r0", folder: "app/r0/", file: "part.zst", bytes: 9e6, sha256: "5e".repeat(32) };
    const manifest = { ...backupOf(4e6), references: [reference] };
    const time = restoreTime(manifest, run);
    expect(time).toMatchObject({ bytes: 10e6 });
    expect(time).not.toHaveProperty("rawBytes");
    expect(estimateRestore([time], { ...manifest, references: [reference, reference] })?.totalMs).toBe(20_000);
  });
});
