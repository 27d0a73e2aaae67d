import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatBytes, formatCount, formatDuration, formatRate, formatTime } from "../../src/messages/format.ts";

/** Numbers are grouped and units are set off by spaces that do not break; which of them depends on the language's data. */
const plain = (text: string): string => text.replaceAll(/[\u00a0\u202f]/g, " ");

describe("sizes", () => {
  test.each([
    [0, "0 bytes", "0 байт"],
    [1, "1 byte", "1 байт"],
    [2, "2 bytes", "2 байта"],
    [999, "999 bytes", "999 байт"],
    [1000, "1 kB", "1 кБ"],
    [1500, "1.5 kB", "1,5 кБ"],
    [999_499, "999 kB", "999 кБ"],
    [999_500, "1 MB", "1 МБ"],
    [25_600_000, "25.6 MB", "25,6 МБ"],
    [123_456_789, "123 MB", "123 МБ"],
    [1_060_000_000, "1.06 GB", "1,06 ГБ"],
    [5e15, "5,000 TB", "5 000 ТБ"],
  ])("%d bytes are %s, %s", (bytes, en, ru) => {
    expect(plain(formatBytes(bytes, "en"))).toBe(en);
    expect(plain(formatBytes(bytes, "ru"))).toBe(ru);
  });

  test("never show more than four digits below a petabyte, and are within a percent", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9e14 }), (bytes) => {
        const text = plain(formatBytes(bytes, "en"));
        const [, number = "", unit = ""] = /^([\d.]+) (\w+)$/.exec(text) ?? [];
        const factor = { byte: 1, bytes: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 }[unit] ?? Number.NaN;
        expect(number.replace(".", "").length).toBeLessThanOrEqual(4);
        expect(Math.abs(Number(number) * factor - bytes)).toBeLessThanOrEqual(bytes * 0.01);
      }),
    );
  });

  test("a rate is a size each second", () => {
    expect(plain(formatRate(95e6, "en"))).toBe("95 MB/s");
    expect(plain(formatRate(95e6, "ru"))).toBe("95 МБ/с");
  });
});

describe("durations", () => {
  test.each([
    [-5, "0s", "0 с"],
    [800, "0.8s", "0,8 с"],
    [10_000, "10s", "10 с"],
    [59_600, "1m", "1 мин"],
    [72_000, "1m 12s", "1 мин 12 с"],
    [3_599_600, "1h", "1 ч"],
    [7_500_000, "2h 5m", "2 ч 5 мин"],
    [273_600_000, "3d 4h", "3 д. 4 ч"],
  ])("%d ms are %s, %s", (ms, en, ru) => {
    expect(plain(formatDuration(ms, "en"))).toBe(en);
    expect(plain(formatDuration(ms, "ru"))).toBe(ru);
  });

  test("are never empty and show two units at most", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1000, max: 1e12 }), (ms) => {
        expect(plain(formatDuration(ms, "en"))).toMatch(/^[\d.,]+[dhms]( \d+[hms])?$/);
      }),
    );
  });
});

test("a time is shown in the configured zone", () => {
  const at = new Date("2026-11-20T00:30:00Z");
  expect(plain(formatTime(at, "en", "Europe/Moscow"))).toBe("20 Nov 2026, 03:30");
  expect(plain(formatTime(at, "ru", "Europe/Moscow"))).toBe("20 нояб. 2026 г., 03:30");
  expect(plain(formatTime(at, "en", "America/New_York"))).toBe("19 Nov 2026, 19:30");
});

test("numbers are grouped as the language does", () => {
  expect(plain(formatCount(1_234_567, "en"))).toBe("1,234,567");
  expect(plain(formatCount(1_234_567, "ru"))).toBe("1 234 567");
});
