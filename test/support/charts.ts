import { chartOf } from "../../src/bot/charts/model.ts";
import { bandOf, lineOf } from "../../src/bot/charts/series.ts";
import type { Chart, ChartThemeName } from "../../src/bot/charts/types.ts";
import type { MetricName } from "../../src/core/metric.ts";
import type { Point } from "../../src/core/series.ts";
import { type Locale, messagesOf } from "../../src/messages/index.ts";
import { anIncident } from "./incident.ts";

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
/** When all pictures end. */
export const chartEnd: Date = new Date("2026-11-22T11:05:00.000Z");

/** The same numbers between 0 and 1 every time. */
export function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

/** Measurements every `everyMs` until the end of all pictures, without those in the gap. */
export function measured(
  hours: number,
  everyMs: number,
  valueAt: (at: number) => number,
  gap: readonly [number, number] = [0, 0],
): Point[] {
  const to = chartEnd.getTime();
  const points: Point[] = [];
  for (let at = to - hours * hourMs; at <= to; at += everyMs)
    if (at < gap[0] || at >= gap[1]) points.push({ at, value: Math.max(0, valueAt(at)) });
  return points;
}

interface Wanted {
  readonly hours: number;
  readonly theme: ChartThemeName;
  readonly locale: Locale;
  /** Default: a server with all that can happen to one. */
  readonly lines?: ReadonlyMap<MetricName, readonly Point[]>;
  /** Whether nothing has happened. */
  readonly isQuiet?: boolean;
}

/** A picture of made-up values: an incident of each severity, a time without power, a start. */
export function aChart({ hours, theme, locale, lines, isQuiet = false }: Wanted): Chart {
  const to = chartEnd.getTime();
  const length = hours * hourMs;
  const from = to - length;
  const gap = [from + 0.55 * length, from + 0.62 * length] as const;
  const drawn = [...(lines ?? full(hours, gap))].map(([metric, points]) => {
    const isLong = hours > 168;
    const hourly = points.map(({ at, value }) => ({
      at,
      min: value * 0.8,
      mean: value,
      max: value > 1000 ? value * 1.15 : Math.min(100, value * 1.15),
    }));
    return [metric, isLong ? bandOf(hourly) : lineOf(points, 5 * minuteMs)] as const;
  });
  const newest = Object.fromEntries(
    [...(lines ?? full(hours, gap))].flatMap(([metric, points]) => {
      const value = points.at(-1)?.value;
      return value === undefined ? [] : [[metric, value]];
    }),
  );
  const at = (part: number): Date => new Date(from + part * length);
  return chartOf(
    {
      name: "web-1",
      from: new Date(from),
      to: chartEnd,
      lines: new Map(drawn),
      limits: isQuiet
        ? []
        : [
            { metric: "cpu", value: 90, severity: "critical" },
            { metric: "disk", value: 85, severity: "warning" },
          ],
      incidents: isQuiet
        ? []
        : [
            anIncident({
              id: "1",
              severity: "critical",
              status: "resolved",
              openedAt: at(0.8).toISOString(),
              endedAt: at(0.87).toISOString(),
            }),
            anIncident({ id: "2", severity: "warning", openedAt: at(0.85).toISOString() }),
          ],
      events: isQuiet
        ? []
        : [
            { kind: "off", at: new Date(gap[0]) },
            { kind: "booted", at: new Date(gap[1]) },
            { kind: "on", at: new Date(gap[1] + minuteMs) },
          ],
      stand: { kind: "on", status: "on", metrics: newest, at: chartEnd },
    },
    { messages: messagesOf(locale), timezone: "Europe/Moscow", theme },
  );
}

function full(hours: number, gap: readonly [number, number]): Map<MetricName, Point[]> {
  const random = noise(7);
  const length = hours * hourMs;
  const from = chartEnd.getTime() - length;
  const everyMs = hours > 168 ? hourMs : 5 * minuteMs;
  const wave = (at: number, period: number): number => Math.sin((at / period) * 2 * Math.PI);
  const isBusy = (at: number): boolean => at > from + 0.8 * length && at < from + 0.86 * length;
  const all: readonly [MetricName, (at: number) => number][] = [
    ["cpu", (at) => Math.min(100, 26 + 16 * wave(at, 24 * hourMs) + random() * 14 + (isBusy(at) ? 58 : 0))],
    ["memory", (at) => 61 + 6 * wave(at, 31 * hourMs) + random() * 1.5],
    ["disk", (at) => 70 + ((at - from) / length) * 17],
    ["network_in", (at) => 2.6e6 * (1.1 + wave(at, 24 * hourMs)) + random() * 8e5],
    ["network_out", (at) => 0.9e6 * (1.1 + wave(at, 24 * hourMs)) + random() * 2e5],
  ];
  return new Map(all.map(([metric, valueAt]) => [metric, measured(hours, everyMs, valueAt, gap)]));
}
