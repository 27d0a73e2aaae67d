import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { MetricUnit } from "./metric.ts";
import type { Columns, HourPoint, Point } from "./series.ts";

/**
 * How measurements lie in Redis. Of raw ones, a day: a column of times (milliseconds within the day, 4 bytes each, in
 * ascending order) and for each metric a column of values (4 bytes each). A column may end early: the rest is absent.
 * Of hours, a block of 32 days for each metric: its least, mean and greatest values in 16 bits each, as differences,
 * compressed.
 */

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

/** Hours in a block. */
export const blockHours = 32 * 24;

const entryBytes = 4;

/** A value of a raw column; NaN: absent. */
export function packValue(value: number): Buffer {
  const packed = Buffer.allocUnsafe(entryBytes);
  packed.writeFloatBE(value);
  return packed;
}

/** A time within its day as an entry of a column: entries sort as times do. */
export function packOffset(at: number): Buffer {
  const packed = Buffer.allocUnsafe(entryBytes);
  packed.writeUInt32BE(((at % dayMs) + dayMs) % dayMs);
  return packed;
}

export const absentValue = packValue(Number.NaN);

/** Columns as points. */
export function pointsIn({ times, values }: Columns): Point[] {
  const points: Point[] = [];
  for (let index = 0; index < times.length; index++)
    points.push({ at: times[index] ?? Number.NaN, value: values[index] ?? Number.NaN });
  return points;
}

/** What is kept of the points of an hour; undefined of none. */
export function hourOf(at: number, points: readonly Point[]): HourPoint | undefined {
  if (points.length === 0) return undefined;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (const { value } of points) {
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
  }
  // Rounding must not put it outside of the others.
  return { at, min, mean: Math.min(max, Math.max(min, sum / points.length)), max };
}

/** The three values of each hour of a block; undefined: nothing is kept of it. */
export type Block = (Omit<HourPoint, "at"> | undefined)[];

const absent = 0xffff;
const most = 0xfffe;

/** Percents to a hundredth. */
const percentStep = 0.01;
/** Other values to 0.05 %, from a millionth to 10^17: their logarithm is kept. */
const logFrom = Math.log2(1e-6);
const logStep = (Math.log2(1e17) - logFrom) / (most - 1);

function toCode(value: number, unit: MetricUnit): number {
  if (unit === "percent") return Math.min(most, Math.max(0, Math.round(value / percentStep)));
  if (value < 1e-6) return 0;
  return Math.min(most, 1 + Math.round((Math.log2(value) - logFrom) / logStep));
}

function fromCode(code: number, unit: MetricUnit): number {
  // Divided, so that 12.3 comes back as 12.3.
  if (unit === "percent") return code / (1 / percentStep);
  return code === 0 ? 0 : 2 ** (logFrom + (code - 1) * logStep);
}

const columns = ["min", "mean", "max"] as const;

/** A block as it is stored. */
export function packBlock(block: Block, unit: MetricUnit): Buffer {
  const length = block.findLastIndex((hour) => hour !== undefined) + 1;
  // All low bytes before all high ones: the high ones hardly ever change.
  const low = Buffer.alloc(length * columns.length);
  const high = Buffer.alloc(length * columns.length);
  let place = 0;
  for (const column of columns) {
    let before = 0;
    for (let index = 0; index < length; index++) {
      const hour = block[index];
      const code = hour ? toCode(hour[column], unit) : absent;
      const difference = (code - before) & 0xffff;
      low[place] = difference & 0xff;
      high[place] = difference >> 8;
      place += 1;
      before = code;
    }
  }
  return deflateRawSync(Buffer.concat([low, high]), { level: 9, memLevel: 6 });
}

/** What `packBlock` has made. Empty when it cannot be read: what is lost there must not stop what is new. */
export function unpackBlock(stored: Buffer, unit: MetricUnit): Block {
  let bytes: Buffer;
  try {
    bytes = inflateRawSync(stored, { maxOutputLength: blockHours * columns.length * 2 });
  } catch {
    return [];
  }
  const half = bytes.length >> 1;
  const length = Math.floor(half / columns.length);
  const codes = columns.map((_, column) => {
    let before = 0;
    return Array.from({ length }, (_unused, index) => {
      const place = column * length + index;
      before = (before + (bytes[place] ?? 0) + ((bytes[half + place] ?? 0) << 8)) & 0xffff;
      return before;
    });
  });
  const [mins = [], means = [], maxes = []] = codes;
  return mins.map((code, index) => {
    if (code === absent) return undefined;
    const value = (of: readonly number[]): number => fromCode(of[index] ?? 0, unit);
    return { min: value(mins), mean: value(means), max: value(maxes) };
  });
}
