import type { MetricName } from "./metric.ts";
import type { Point } from "./series.ts";

/** Where a value is going. */
export type Trend = "up-fast" | "up" | "steady" | "down" | "down-fast";

interface TrendRule {
  /** So far back is looked; milliseconds. */
  readonly windowMs: number;
  /** A change over the window by less is none, in the metric's unit. */
  readonly least: number;
  /** By so much it is fast. */
  readonly fast: number;
}

const hourMs = 3_600_000;

/** The columns of the table: what comes and goes is looked at for an hour, what fills up for a day. */
export const trendRules = {
  cpu: { windowMs: hourMs, least: 5, fast: 20 },
  memory: { windowMs: hourMs, least: 3, fast: 10 },
  disk: { windowMs: 24 * hourMs, least: 1, fast: 5 },
  load_per_core: { windowMs: hourMs, least: 0.1, fast: 0.5 },
} as const satisfies Partial<Record<MetricName, TrendRule>>;

export type TrendMetric = keyof typeof trendRules;

/** A line through fewer says nothing. */
const fewest = 4;
/** Nor does one through so small a part of the window. */
const leastPart = 0.25;

/** By a straight line through the newest values. Undefined: there are too few of them. */
export function trendOf(points: readonly Point[], metric: TrendMetric, now: Date): Trend | undefined {
  const { windowMs, least, fast } = trendRules[metric];
  const from = now.getTime() - windowMs;
  const recent = points.filter(({ at }) => at >= from && at <= now.getTime());
  const first = recent[0]?.at ?? 0;
  const span = (recent.at(-1)?.at ?? 0) - first;
  if (recent.length < fewest || span < leastPart * windowMs) return undefined;
  const middle = recent.reduce((sum, { at }) => sum + (at - first), 0) / recent.length;
  const mean = recent.reduce((sum, { value }) => sum + value, 0) / recent.length;
  let [above, below] = [0, 0];
  for (const { at, value } of recent) {
    above += (at - first - middle) * (value - mean);
    below += (at - first - middle) ** 2;
  }
  const change = (below === 0 ? 0 : above / below) * span;
  if (Math.abs(change) < least) return "steady";
  const isFast = Math.abs(change) >= fast;
  if (change > 0) return isFast ? "up-fast" : "up";
  return isFast ? "down-fast" : "down";
}
