import { describe, expect, it } from "vitest";
import { durationSchema, parseDuration, parseSize, sizeSchema } from "../../src/lib/units.ts";

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
});
