import type { MetricName, MetricValues } from "./metric.ts";
import type { Expression, RuleFunction } from "./rule-ast.ts";
import { fewestForLine } from "./rule-check.ts";
import { rangeOf } from "./rule-units.ts";
import type { Columns } from "./series.ts";

/** What rules see of a server at one reading. */
export interface RuleView {
  /** When the reading was taken, by the clock that has measured it; milliseconds since 1970. */
  readonly at: number;
  /** When it came, by our clock. */
  readonly heardAt: number;
  /** Milliseconds from one reading to the next. */
  readonly every: number;
  readonly values: MetricValues;
  /** Of functions: what was measured before, this reading's as the last one. */
  series(metric: MetricName): Columns;
}

/** A reading is missed when nothing came for this many intervals. */
export const gapIntervals = 2.5;

/**
 * Least part of the variance that a line has to explain before a forecast is made along it: noise and saw teeth (logs
 * that are rotated) stay below, what fills steadily is far above.
 */
const leastFit = 0.7;
/** The newer half must go on in the same direction, this much of the way; or it has stopped, or was cleared. */
const leastRecent = 0.5;
/** The newest value may be this many standard deviations away from the line; or something has just happened. */
const mostAway = 3.5;

/** The value of an expression at a reading; undefined where it is not known. */
export function valueIn(view: RuleView, expression: Expression): number | undefined {
  if (expression.kind === "number") return expression.value;
  const { metric } = expression;
  if (expression.kind === "metric") return view.values[metric];
  return valueOver(expression.name, metric, view.series(metric), { ...view, window: expression.windowMs });
}

interface Span {
  readonly at: number;
  readonly every: number;
  /** Milliseconds. */
  readonly window: number;
}

/**
 * A function over the points of a window that ends at a reading. Undefined: the newest point is too old, or fewer than
 * half of the readings are there.
 */
function valueOver(name: RuleFunction, metric: MetricName, points: Columns, span: Span): number | undefined {
  const { at, every, window } = span;
  const end = firstAfter(points, at);
  if (end === 0 || at - timeAt(points, end - 1) > gapIntervals * every) return undefined;
  if (name === "change") return change(points, end, span);
  const begin = firstAfter(points, at - window - 1);
  const fewest = Math.floor(window / every / 2);
  if (end - begin < Math.max(1, fewest)) return undefined;
  switch (name) {
    case "avg":
      return sum(points, begin, end) / (end - begin);
    case "min":
    case "max":
      return extreme(name, points, begin, end);
    default: {
      if (end - begin < fewestForLine) return undefined;
      const line = lineThrough(points, begin, end);
      if (!line) return undefined;
      return name === "rate" ? line.slope * 1000 : fullIn(metric, points, { begin, end, at }, line);
    }
  }
}

function timeAt({ times }: Columns, index: number): number {
  return times[index] ?? Number.NaN;
}

function valueAt({ values }: Columns, index: number): number {
  return values[index] ?? Number.NaN;
}

/** Index of the first point later than a time. */
function firstAfter({ times }: Columns, at: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? at) > at) high = middle;
    else low = middle + 1;
  }
  return low;
}

function sum({ values }: Columns, begin: number, end: number): number {
  let total = 0;
  for (let index = begin; index < end; index++) total += values[index] ?? 0;
  return total;
}

function extreme(name: "min" | "max", { values }: Columns, begin: number, end: number): number | undefined {
  let found = values[begin];
  for (let index = begin + 1; index < end; index++) {
    const value = values[index] ?? 0;
    if (found === undefined || (name === "min" ? value < found : value > found)) found = value;
  }
  return found;
}

/** Against the point that is nearest to the beginning of the window, when it is near enough. */
function change(points: Columns, end: number, { at, every, window }: Span): number | undefined {
  const begin = at - window;
  const after = firstAfter(points, begin);
  const away = (index: number): number => Math.abs(timeAt(points, index) - begin);
  const old = after === 0 || (after < end && away(after) < away(after - 1)) ? after : after - 1;
  if (old >= end - 1 || away(old) > Math.max(gapIntervals * every, window / 10)) return undefined;
  return valueAt(points, end - 1) - valueAt(points, old);
}

/** A line through points by least squares. */
interface Line {
  /** Per millisecond. */
  readonly slope: number;
  /** Its value at the newest point. */
  readonly value: number;
  /** Part of the variance that it explains: 0 to 1. */
  readonly fit: number;
  /** Standard deviation of the points from it. */
  readonly deviation: number;
}

/** Undefined when all points are of one time. */
function lineThrough(points: Columns, begin: number, end: number): Line | undefined {
  const count = end - begin;
  // Counted from the newest one: squares of times since 1970 would take all digits.
  const last = timeAt(points, end - 1);
  const base = valueAt(points, begin);
  const { times: allTimes, values: allValues } = points;
  let [times, values, timeSquares, valueSquares, products] = [0, 0, 0, 0, 0];
  for (let index = begin; index < end; index++) {
    const time = (allTimes[index] ?? last) - last;
    const value = (allValues[index] ?? base) - base;
    times += time;
    values += value;
    timeSquares += time * time;
    valueSquares += value * value;
    products += time * value;
  }
  const timeVariance = timeSquares - (times * times) / count;
  const valueVariance = valueSquares - (values * values) / count;
  const covariance = products - (times * values) / count;
  if (timeVariance <= 0) return undefined;
  const slope = covariance / timeVariance;
  const value = base + values / count - (slope * times) / count;
  const fit = valueVariance <= 0 ? 0 : Math.min(1, (covariance * covariance) / (timeVariance * valueVariance));
  const deviation = Math.sqrt((Math.max(0, valueVariance) * (1 - fit)) / count);
  return { slope, value, fit, deviation };
}

/** Seconds until nothing is left; infinite when that does not happen, or nobody can say. */
function fullIn(
  metric: MetricName,
  points: Columns,
  { begin, end, at }: { readonly begin: number; readonly end: number; readonly at: number },
  line: Line,
): number {
  const isFree = metric === "disk_free";
  const most = isFree ? 0 : rangeOf(metric)[1];
  const newest = valueAt(points, end - 1);
  const sign = isFree ? -1 : 1;
  if (sign * (most - newest) <= 0) return 0;
  const speed = sign * line.slope;
  if (speed <= 0 || line.fit < leastFit) return Number.POSITIVE_INFINITY;
  // Rounding leaves a little where the line is exact.
  if (Math.abs(newest - line.value) > mostAway * line.deviation + 1e-6 * Math.abs(line.value))
    return Number.POSITIVE_INFINITY;
  const recent = lineThrough(points, begin + Math.floor((end - begin) / 2), end);
  if (!recent || sign * recent.slope < leastRecent * speed) return Number.POSITIVE_INFINITY;
  const left = sign * (most - line.value);
  return Math.max(0, left / speed - (at - timeAt(points, end - 1))) / 1000;
}
