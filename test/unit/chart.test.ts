import { describe, expect, test } from "vitest";
import { chartOf } from "../../src/bot/charts/model.ts";
import { optionOf } from "../../src/bot/charts/option.ts";
import { alone, bandOf, lineOf } from "../../src/bot/charts/series.ts";
import { roundUp, timeTicks } from "../../src/bot/charts/ticks.ts";
import type { ServerEvent } from "../../src/core/server-state.ts";
import { messagesOf } from "../../src/messages/index.ts";
import { aChart, chartEnd, hourMs, minuteMs } from "../support/charts.ts";
import { anIncident } from "../support/incident.ts";

const every = 5 * minuteMs;
const pointsAt = (minutes: readonly number[], value = 1) => minutes.map((minute) => ({ at: minute * minuteMs, value }));

describe("a line", () => {
  test("is broken where measurements are missing, not where one is late", () => {
    const line = lineOf(pointsAt([0, 5, 12, 30, 35]), every);
    expect(line.map(({ at, value }) => [at / minuteMs, value])).toEqual([
      [0, 1],
      [5, 1],
      [12, 1],
      [17, undefined],
      [30, 1],
      [35, 1],
    ]);
  });

  test("of very many measurements keeps every peak and every trough", () => {
    const points = Array.from({ length: 2016 }, (_, index) => ({
      at: index * every,
      value: index === 777 ? 99 : index === 1500 ? 1 : 50,
    }));
    const line = lineOf(points, every);
    expect(line.length).toBeLessThanOrEqual(361);
    expect(Math.max(...line.map(({ max = 0 }) => max))).toBe(99);
    expect(Math.min(...line.map(({ min = 100 }) => min))).toBe(1);
    expect(line.every(({ value = 0, min = 0, max = 0 }) => min <= value && value <= max)).toBe(true);
    expect(line.some(({ value }) => value === undefined)).toBe(false);
  });

  test("of very many measurements is broken where a day is missing, and only there", () => {
    const points = Array.from({ length: 2016 }, (_, index) => ({ at: index * every, value: 50 }));
    const gap = lineOf(
      points.filter((_, index) => index < 700 || index >= 988),
      every,
    ).filter(({ value }) => value === undefined);
    expect(gap).toHaveLength(1);
    expect(gap[0]?.at).toBeGreaterThanOrEqual(699 * every);
    expect(gap[0]?.at).toBeLessThan(988 * every);
  });

  test("through hours stands in their middle, with their extremes", () => {
    const hours = [0, 1, 4].map((hour) => ({ at: hour * hourMs, min: 1, mean: 2, max: 3 }));
    const drawn = bandOf(hours);
    expect(drawn[0]).toEqual({ at: hourMs / 2, value: 2, min: 1, max: 3 });
    expect(drawn.map(({ value }) => value)).toEqual([2, 2, undefined, 2]);
    expect(alone(drawn)).toEqual([{ at: 4.5 * hourMs, value: 2, min: 1, max: 3 }]);
  });

  test("through nothing is none", () => {
    expect([lineOf([], every), bandOf([]), alone([])]).toEqual([[], [], []]);
  });
});

describe("the axis of time", () => {
  const at = (time: string): number => Date.parse(time);
  const labels = (from: string, to: string, timezone: string, locale: "en" | "ru" = "en"): string[] =>
    timeTicks(at(from), at(to), timezone, locale).map(({ label }) => label);

  test("has whole times of the zone's own clock", () => {
    expect(labels("2026-11-21T11:05:00Z", "2026-11-22T11:05:00Z", "Europe/Moscow")).toEqual([
      "16:00",
      "20:00",
      "22 Nov",
      "04:00",
      "08:00",
      "12:00",
    ]);
    expect(labels("2026-11-22T10:05:00Z", "2026-11-22T11:05:00Z", "Asia/Kolkata").slice(0, 2)).toEqual([
      "15:40",
      "15:50",
    ]);
    expect(labels("2026-11-15T00:00:00Z", "2026-11-22T00:00:00Z", "UTC", "ru")[0]).toBe("15 нояб.");
  });

  test("keeps to the zone's clock when that is set", () => {
    // In Berlin the night of 25 October 2026 has 25 hours.
    const ticks = timeTicks(at("2026-10-24T22:00:00Z"), at("2026-10-25T23:00:00Z"), "Europe/Berlin", "en");
    const times = ticks.map((tick) => new Date(tick.at).toISOString().slice(11, 16));
    expect(ticks.map(({ label }) => label)).toEqual(["25 Oct", "06:00", "12:00", "18:00", "26 Oct"]);
    expect(times).toEqual(["22:00", "05:00", "11:00", "17:00", "23:00"]);
  });

  test("says days for a month, months for a year", () => {
    expect(labels("2026-10-23T00:00:00Z", "2026-11-22T00:00:00Z", "UTC").length).toBeLessThanOrEqual(6);
    const year = labels("2025-10-18T00:00:00Z", "2026-11-22T00:00:00Z", "UTC");
    expect(year).toContain("2026");
    expect(year).toContain("May");
  });

  test.each([10 * minuteMs, hourMs, 36 * hourMs, 4 * 24 * hourMs, 45 * 24 * hourMs, 1100 * 24 * hourMs])(
    "has two to eight ticks in order, whatever its length (%d ms)",
    (length) => {
      const to = chartEnd.getTime();
      const ticks = timeTicks(to - length, to, "America/St_Johns", "en").map((tick) => tick.at);
      expect(ticks.length).toBeGreaterThanOrEqual(2);
      expect(ticks.length).toBeLessThanOrEqual(8);
      expect(ticks).toEqual([...new Set(ticks)].toSorted((a, b) => a - b));
      expect(ticks.every((tick) => tick >= to - length && tick <= to)).toBe(true);
    },
  );
});

test("an axis of rates ends at a round number that is not below the greatest value", () => {
  expect([0, 1, 3, 999, 1000, 4.5e6, 7e6, 9.9e7].map(roundUp)).toEqual([1, 1, 4, 1000, 1000, 5e6, 8e6, 1e8]);
});

describe("what has happened", () => {
  const from = new Date(chartEnd.getTime() - 24 * hourMs);
  const ago = (hours: number): Date => new Date(chartEnd.getTime() - hours * hourMs);
  const chart = (change: {
    events?: readonly ServerEvent[];
    bootedAt?: Date;
    incidents?: Parameters<typeof chartOf>[0]["incidents"];
    restarts?: NonNullable<Parameters<typeof chartOf>[0]["restarts"]>;
  }) =>
    chartOf(
      {
        name: "web-1",
        from,
        to: chartEnd,
        lines: new Map(),
        limits: [],
        incidents: [],
        events: [],
        stand: { kind: "never" },
        ...change,
      },
      { messages: messagesOf("en"), timezone: "UTC", theme: "dark" },
    );
  const hoursOf = (spans: ReturnType<typeof chart>["spans"]) =>
    spans.map((span) => [(span.from - from.getTime()) / hourMs, (span.to - from.getTime()) / hourMs, span.what]);

  test("is shown from its beginning to its end, within the picture", () => {
    const incidents = [
      anIncident({
        severity: "critical",
        openedAt: ago(30).toISOString(),
        endedAt: ago(20).toISOString(),
        status: "resolved",
      }),
      anIncident({ severity: "warning", openedAt: ago(2).toISOString() }),
      anIncident({ severity: "info", openedAt: ago(2).toISOString() }),
      anIncident({
        severity: "critical",
        openedAt: ago(40).toISOString(),
        endedAt: ago(25).toISOString(),
        status: "resolved",
      }),
    ];
    expect(hoursOf(chart({ incidents }).spans)).toEqual([
      [0, 4, "critical"],
      [22, 24, "warning"],
    ]);
  });

  test("without power ends with the next start, or goes on", () => {
    const events: ServerEvent[] = [
      { kind: "off", at: ago(50) },
      { kind: "on", at: ago(20) },
      { kind: "off", at: ago(10) },
      { kind: "booted", at: ago(9) },
      { kind: "on", at: ago(8.9) },
      { kind: "off", at: ago(1) },
    ];
    expect(hoursOf(chart({ events }).spans)).toEqual([
      [0, 4, "off"],
      [14, 15, "off"],
      [23, 24, "off"],
    ]);
  });

  test("of starts is told once each, also of the one that nobody saw", () => {
    const events: ServerEvent[] = [
      { kind: "booted", at: ago(30) },
      { kind: "booted", at: ago(9) },
    ];
    const bootedAt = new Date(ago(9).getTime() + 20_000);
    expect(chart({ events, bootedAt }).boots).toEqual([ago(9).getTime()]);
    expect(chart({ bootedAt: ago(3) }).boots).toEqual([ago(3).getTime()]);
  });

  test("of starts is what was ordered here, where nobody else tells of it", () => {
    const restarts = [{ ordered: ago(5), seen: ago(4.95) }];
    expect(chart({ restarts }).boots).toEqual([ago(4.95).getTime()]);
    expect(chart({ restarts, bootedAt: ago(4.98) }).boots).toEqual([ago(4.98).getTime()]);
    expect(chart({ restarts, bootedAt: ago(3) }).boots).toEqual([ago(4.95).getTime(), ago(3).getTime()]);
  });

  test("is not called current when it is not: without a fresh reading a panel has its greatest value alone", () => {
    const lines = new Map([["cpu", [{ at: ago(2).getTime(), value: 71 }]]] as const);
    const data = { name: "x", from, to: chartEnd, lines, limits: [], incidents: [], events: [] };
    const reader = { messages: messagesOf("en"), timezone: "UTC", theme: "dark" } as const;
    const silent = chartOf({ ...data, stand: { kind: "silent", ofApi: false } }, reader);
    expect(silent.panels[0]?.lines[0]?.label).toBe("max 71%");
    const metrics = { cpu: 64, network_in: 1e6 };
    const fresh = chartOf({ ...data, stand: { kind: "on", status: "on", metrics, at: chartEnd } }, reader);
    expect(fresh.panels[0]?.lines[0]?.label).toBe("64% · max 71%");
    expect(fresh.panels[3]?.lines.map(({ label }) => label)).toEqual(["in 1 MB/s", "out –"]);
  });
});

test("a limit of a rate makes its panel higher where it is near, and is left out where it is far", () => {
  const chart = aChart({ hours: 1, theme: "dark", locale: "en" });
  const heights = (value: number): unknown => {
    const panels = chart.panels.map((panel) => ({
      ...panel,
      thresholds: panel.unit === "percent" ? [] : [{ value, severity: "warning" as const }],
    }));
    return (optionOf({ ...chart, panels })["yAxis"] as readonly { max: number }[])[3]?.max;
  };
  expect(heights(1)).toBe(heights(2));
  expect(heights(15e6)).toBeGreaterThanOrEqual(15e6);
  expect(heights(1e9)).toBe(heights(1));
});
