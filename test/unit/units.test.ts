import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  durationSchema,
  formatBytes,
  formatDuration,
  parseDuration,
  parseSize,
  sizeSchema,
} from "../../src/lib/units.ts";

describe("durations", () => {
  it.each([
    ["500ms", 500],
    ["30s", 30_000],
    ["5m", 300_000],
    ["1h30m", 5_400_000],
    ["1h 30m", 5_400_000],
    ["1.5h", 5_400_000],
    ["26h", 93_600_000],
    ["7d", 604_800_000],
    ["2w", 1_209_600_000],
  ])("%s is %i ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(["", "5", "m", "5 minutes", "-5m", "5m!", "1e3s", `${"9".repeat(30)}w`])("refuses %j", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it("reads back what it writes, to the precision that is shown", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 12 }), (ms) => {
        const back = parseDuration(formatDuration(ms));
        expect(back).toBeLessThanOrEqual(ms);
        expect(ms - (back ?? Number.NaN)).toBeLessThan(Math.max(1000, ms / 24));
      }),
    );
  });

  it.each([
    [0, "0ms"],
    [999, "999ms"],
    [1000, "1s"],
    [90_000, "1m 30s"],
    [3_600_000, "1h"],
    [3_605_000, "1h"],
    [93_600_000, "1d 2h"],
  ])("writes %i ms as %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it("is no duration in the configuration when it is nothing", () => {
    expect(durationSchema().safeParse("0s").success).toBe(false);
    expect(durationSchema().parse("5m")).toBe(300_000);
  });
});

describe("sizes", () => {
  it.each([
    ["512B", 512],
    ["8MiB", 8_388_608],
    ["8 mib", 8_388_608],
    ["1.5GB", 1_500_000_000],
    ["1TiB", 2 ** 40],
    ["10kB", 10_000],
  ])("%s is %i bytes", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
    expect(sizeSchema().parse(text)).toBe(bytes);
  });

  it.each(["", "8", "8M", "MiB", "-1MB", "8MiB/s", `${"9".repeat(20)}TB`])("refuses %j", (text) => {
    expect(parseSize(text)).toBeUndefined();
    expect(sizeSchema().safeParse(text).success).toBe(false);
  });

  it.each([
    [0, "0 bytes"],
    [1, "1 byte"],
    [999, "999 bytes"],
    [999_499, "999 kB"],
    [999_500, "1 MB"],
    [1_234_567_890, "1.23 GB"],
    [12_345_600_000_000_000, "12,345.6 TB"],
  ])("writes %i as %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it("writes them in Russian", () => {
    expect(formatBytes(1_234_567_890, "ru")).toMatch(/^1,23\sГБ$/);
  });
});
