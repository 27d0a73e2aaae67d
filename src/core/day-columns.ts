import { dayMs } from "./compact.ts";
import type { Columns } from "./series.ts";

/** Of a day of a server: the column of times, then those of the metrics, as they are stored (`compact.ts`). */
export type StoredColumns = readonly (Buffer | null)[];

const entryBytes = 4;
const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
/** In each of four bytes: no number, in whatever order they are. */
const absentByte = 0xff;
const nothing: Columns = { times: new Float64Array(), values: new Float32Array() };

/**
 * What was measured of a server between two times, both included, for each of so many metrics. `stored`: of each of
 * `days` (since 1970, in ascending order) what there is. Metrics that no reading is without share their times.
 *
 * Of a thousand servers there are megabytes: what native code can do is left to it, and all columns of a server lie in
 * one piece of memory.
 */
export function unpackDays(
  stored: readonly StoredColumns[],
  { days, metrics, from, to }: { days: readonly number[]; metrics: number; from: number; to: number },
): Columns[] {
  const parts: Part[] = [];
  let count = 0;
  for (const [index, day] of days.entries()) {
    const columns = stored[index] ?? [];
    const times = columns[0];
    if (!times) continue;
    const first = firstAt(times, 0, from - day * dayMs);
    const end = firstAt(times, first, to - day * dayMs + 1);
    if (end > first) parts.push({ at: day * dayMs, times, columns, first, end });
    count += end - first;
  }
  const memory = new ArrayBuffer(count * (Float64Array.BYTES_PER_ELEMENT + metrics * entryBytes));
  const times = new Float64Array(memory, 0, count);
  let filled = 0;
  for (const part of parts) filled += unpackTimes(times, filled, part);
  const bytes = Buffer.from(memory, times.byteLength);
  const found: boolean[] = [];
  for (let metric = 0; metric < metrics; metric++)
    found.push(putTogether(bytes, metric * count * entryBytes, parts, metric + 1));
  if (isLittleEndian) bytes.swap32();
  return found.map((isThere, metric) => {
    if (!isThere) return nothing;
    const values = new Float32Array(memory, bytes.byteOffset + metric * count * entryBytes, count);
    return values.includes(Number.NaN) ? withoutAbsent(times, values) : { times, values };
  });
}

/** What is wanted of a day: entries from `first` to before `end`. */
interface Part {
  /** When the day begins; milliseconds since 1970. */
  readonly at: number;
  readonly times: Buffer;
  readonly columns: StoredColumns;
  readonly first: number;
  readonly end: number;
}

function unpackTimes(into: Float64Array, place: number, { at, times, first, end }: Part): number {
  const view = new DataView(times.buffer, times.byteOffset, times.length);
  for (let index = first; index < end; index++) into[place + index - first] = at + view.getUint32(index * entryBytes);
  return end - first;
}

/** The stored values of a metric one after another. False when there are none. */
function putTogether(into: Buffer, offset: number, parts: readonly Part[], place: number): boolean {
  let filled = offset;
  let isThere = false;
  for (const { columns, first, end } of parts) {
    const column = columns[place];
    const [from, to] = [first * entryBytes, end * entryBytes];
    const copied = column && column.length > from ? column.copy(into, filled, from, to) : 0;
    // A column may end early: the rest is absent.
    if (copied < to - from) into.fill(absentByte, filled + copied, filled + to - from);
    isThere ||= copied > 0;
    filled += to - from;
  }
  return isThere;
}

function withoutAbsent(allTimes: Float64Array, allValues: Float32Array): Columns {
  const [times, values] = [new Float64Array(allTimes.length), new Float32Array(allTimes.length)];
  let count = 0;
  for (const [index, value] of allValues.entries()) {
    if (Number.isNaN(value)) continue;
    times[count] = allTimes[index] ?? Number.NaN;
    values[count] = value;
    count += 1;
  }
  return { times: times.subarray(0, count), values: values.subarray(0, count) };
}

/** Index of the first time of a column, from a place on, that is not before this one. */
function firstAt(times: Buffer, place: number, offset: number): number {
  let [low, high] = [place, times.length / entryBytes];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times.readUInt32BE(middle * entryBytes) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
