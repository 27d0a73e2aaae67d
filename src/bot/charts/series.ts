import type { HourPoint, Point } from "../../core/series.ts";
import type { Drawn } from "./types.ts";

/** More points than a picture has room for are drawn together. */
const mostPoints = 360;
/** A measurement may be so many intervals late before the line is broken. */
const patience = 2.5;

interface Bucket {
  readonly at: number;
  min: number;
  max: number;
  sum: number;
  count: number;
}

/** A line through measurements that are made every `everyMs`: broken where some are missing. In order of time. */
export function lineOf(points: readonly Point[], everyMs: number): Drawn[] {
  const drawn = points.map(({ at, value }) => ({ at, value }));
  return points.length > mostPoints
    ? together(
        points.map(({ at, value }) => ({ at, min: value, mean: value, max: value })),
        everyMs,
      )
    : broken(drawn, everyMs);
}

/** The same through hours: their means, with the least and the greatest value. */
export function bandOf(hours: readonly HourPoint[]): Drawn[] {
  const middle = hours.map((hour) => ({ ...hour, at: hour.at + hourMs / 2 }));
  if (middle.length > mostPoints) return together(middle, hourMs);
  return broken(
    middle.map(({ at, min, mean, max }) => ({ at, value: mean, min, max })),
    hourMs,
  );
}

export const hourMs = 3_600_000;

/** Neighbours as one, with what was least and greatest among them: no peak is lost. */
function together(points: readonly HourPoint[], everyMs: number): Drawn[] {
  const first = points[0]?.at ?? 0;
  const last = points.at(-1)?.at ?? 0;
  // Of measurements that are missing no room is left over: as wide as the whole is long.
  const width = Math.max(everyMs, Math.ceil((last - first + everyMs) / mostPoints / everyMs) * everyMs);
  const buckets = new Map<number, Bucket>();
  for (const { at, min, mean, max } of points) {
    const start = Math.floor(at / width) * width;
    const bucket = buckets.get(start);
    if (!bucket) buckets.set(start, { at: start + width / 2, min, max, sum: mean, count: 1 });
    else {
      bucket.min = Math.min(bucket.min, min);
      bucket.max = Math.max(bucket.max, max);
      bucket.sum += mean;
      bucket.count += 1;
    }
  }
  const drawn = [...buckets.values()]
    .toSorted((a, b) => a.at - b.at)
    .map(({ at, min, max, sum, count }) => ({ at, value: sum / count, min, max }));
  return broken(drawn, width);
}

function broken(points: readonly Drawn[], everyMs: number): Drawn[] {
  return points.flatMap((point, index) => {
    const before = points[index - 1];
    const isGap = before !== undefined && point.at - before.at > patience * everyMs;
    return isGap ? [{ at: before.at + everyMs, value: undefined }, point] : [point];
  });
}

/** Points that have no neighbour: no line goes through them. */
export function alone(points: readonly Drawn[]): Drawn[] {
  return points.filter(
    ({ value }, index) =>
      value !== undefined && points[index - 1]?.value === undefined && points[index + 1]?.value === undefined,
  );
}
