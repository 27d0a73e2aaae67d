import {
  absentValue,
  type Block,
  blockHours,
  dayMs,
  hourMs,
  hourOf,
  packBlock,
  packOffset,
  packValue,
  pointsIn,
  unpackBlock,
} from "../core/compact.ts";
import { type StoredColumns, unpackDays } from "../core/day-columns.ts";
import { AppError } from "../core/errors.ts";
import { type MetricName, metricNames, metricUnits } from "../core/metric.ts";
import type { Columns, HourPoint, Point } from "../core/series.ts";
import type { ServerReading } from "../core/server.ts";
import { answersOf, type Keys, type Redis } from "./redis.ts";
import { appendScript, foldScript } from "./server-history-lua.ts";

/** How long values are kept; milliseconds. */
export interface HistoryKeep {
  readonly raw: number;
  readonly hourly: number;
}

/** So many readings of a day are kept: one every twenty seconds. */
const mostReadings = 4320;
/** The clock of whoever measured may be ahead of ours by so much; milliseconds. */
const aheadMs = 10 * 60_000;
/** How often a block is tried again because somebody else was faster. */
const mostAttempts = 20;
/** Columns that are read in one round trip: some megabytes. */
const mostColumns = 1500;

/**
 * What was measured of each server: every reading for some days, and of each hour the least, the mean and the greatest
 * value for a year or so. Readings of a day are columns in one hash, hours of 32 days compressed blocks in another
 * (`core/compact.ts`). Hours are made of the readings when they are over, as often as is needed: whoever is killed while
 * making one leaves it to the next.
 */
export class ServerHistory {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #keep: HistoryKeep;

  constructor(redis: Redis, keys: Keys, keep: HistoryKeep) {
    this.#redis = redis;
    this.#keys = keys;
    this.#keep = keep;
  }

  /**
   * Adds a reading. The same time once more changes nothing (`known`); a late one is put in its place. `refused`: its
   * time is ahead of `now`, older than readings are kept, or the day is full.
   */
  async append(
    name: string,
    { at, metrics }: Pick<ServerReading, "at" | "metrics">,
    now: Date,
  ): Promise<"added" | "known" | "refused"> {
    const time = at.getTime();
    const day = Math.floor(time / dayMs);
    if (!(time <= now.getTime() + aheadMs) || (day + 1) * dayMs < now.getTime() - this.#keep.raw) return "refused";
    const values = metricNames.flatMap((metric) => {
      const value = metrics[metric];
      return value === undefined || !Number.isFinite(value) ? [] : [metric, packValue(value)];
    });
    const keys = [this.#dayKey(name, day), this.#dirtyKey(name), this.#chunksKey(name)];
    const hour = Math.floor(time / hourMs);
    const args = [packOffset(time), `d${day}`, day, hour, mostReadings, absentValue, ...values];
    const answer = String(await appendScript.run(this.#redis, keys, args));
    return answer === "full" ? "refused" : (answer as "added" | "known");
  }

  /** Every reading of these metrics between two times, both included. */
  async points(name: string, metrics: readonly MetricName[], from: Date, to: Date): Promise<Map<MetricName, Point[]>> {
    return (await this.windows([name], metrics, from, to)).get(name) ?? new Map();
  }

  /** The same of many servers; those of whom there is nothing have empty series. */
  async windows(
    names: readonly string[],
    metrics: readonly MetricName[],
    from: Date,
    to: Date,
  ): Promise<Map<string, Map<MetricName, Point[]>>> {
    const all = await this.columns(names, metrics, from, to);
    const points = (its: ReadonlyMap<MetricName, Columns>): Map<MetricName, Point[]> =>
      new Map([...its].map(([metric, columns]) => [metric, pointsIn(columns)]));
    return new Map([...all].map(([name, its]) => [name, points(its)]));
  }

  /** The same as columns: of thousands of servers and long windows in a fraction of the time. */
  async columns(
    names: readonly string[],
    metrics: readonly MetricName[],
    from: Date,
    to: Date,
  ): Promise<Map<string, Map<MetricName, Columns>>> {
    const days = range(Math.floor(from.getTime() / dayMs), Math.floor(to.getTime() / dayMs));
    const result = new Map<string, Map<MetricName, Columns>>();
    const wanted = { days, metrics: metrics.length, from: from.getTime(), to: to.getTime() };
    const atOnce = Math.max(1, Math.floor(mostColumns / Math.max(1, days.length * (metrics.length + 1))));
    for (let start = 0; start < names.length; start += atOnce) {
      const some = names.slice(start, start + atOnce);
      const dayKeys = some.flatMap((name) => days.map((day) => this.#dayKey(name, day)));
      const pipeline = this.#redis.pipeline();
      for (const key of dayKeys) pipeline.hmgetBuffer(key, "t", ...metrics);
      const stored = answersOf(await pipeline.exec()) as StoredColumns[];
      for (const [index, name] of some.entries()) {
        const found = unpackDays(stored.slice(index * days.length, (index + 1) * days.length), wanted);
        result.set(name, new Map(metrics.flatMap((metric, place) => (found[place] ? [[metric, found[place]]] : []))));
      }
    }
    return result;
  }

  /** Every hour of these metrics that begins between two times, both included; the one under way is of what is there. */
  async hours(
    name: string,
    metrics: readonly MetricName[],
    from: Date,
    to: Date,
  ): Promise<Map<MetricName, HourPoint[]>> {
    const first = Math.ceil(from.getTime() / hourMs);
    const last = Math.floor(to.getTime() / hourMs);
    const pending = (await this.#dirty(name)).flatMap(({ hour }) => (hour >= first && hour <= last ? [hour] : []));
    const fresh = new Map(
      await Promise.all(pending.map(async (hour) => [hour, await this.#make(name, hour)] as const)),
    );
    const blocks = range(blockOf(first), blockOf(last));
    const pipeline = this.#redis.pipeline();
    for (const block of blocks) pipeline.hmgetBuffer(this.#blockKey(name, block), ...metrics);
    const stored = metrics.length === 0 ? [] : (answersOf(await pipeline.exec()) as (Buffer | null)[][]);
    const series = metrics.map((metric, place) => {
      const found = new Map<number, HourPoint>();
      for (const [index, block] of blocks.entries())
        for (const point of pointsOf(block, stored[index]?.[place], metric)) found.set(point.at / hourMs, point);
      for (const [hour, made] of fresh) {
        const point = made.get(metric);
        if (point) found.set(hour, point);
      }
      const within = [...found].filter(([hour]) => hour >= first && hour <= last).map(([, point]) => point);
      return [metric, within.toSorted((a, b) => a.at - b.at)] as const;
    });
    return new Map(series);
  }

  /** Makes the hours that are over. Returns how many; to be called again and again, by anybody. */
  async fold(name: string, now: Date): Promise<number> {
    const over = (await this.#dirty(name)).filter(({ hour }) => (hour + 1) * hourMs <= now.getTime());
    const blocks = Map.groupBy(over, ({ hour }) => blockOf(hour));
    for (const [block, hours] of blocks) await this.#foldBlock(name, block, hours);
    return over.length;
  }

  /**
   * Removes what is older than is kept, or so far ahead that only a wrong clock can have brought it. `now` has to be a
   * time that can be relied on: what is removed is lost. Returns how many chunks were removed.
   */
  async sweep(names: readonly string[], now: Date): Promise<number> {
    const pipeline = this.#redis.pipeline();
    for (const name of names) pipeline.zrange(this.#chunksKey(name), "0", "-1", "WITHSCORES");
    const answers = answersOf(await pipeline.exec()) as string[][];
    const removal = this.#redis.pipeline();
    let removed = 0;
    for (const [index, name] of names.entries()) {
      const chunks = answers[index] ?? [];
      for (let place = 0; place < chunks.length; place += 2) {
        const chunk = chunks[place] ?? "";
        if (!this.#isOver(chunk, Number(chunks[place + 1]), now)) continue;
        removal.del(this.#chunkKey(name, chunk));
        removal.zrem(this.#chunksKey(name), chunk);
        removed += 1;
      }
    }
    if (removed > 0) answersOf(await removal.exec());
    return removed;
  }

  /** Forgets everything of these servers. */
  async forget(names: readonly string[]): Promise<void> {
    for (const name of names) {
      const chunks = await this.#redis.zrange(this.#chunksKey(name), "0", "-1");
      const keys = chunks.map((chunk) => this.#chunkKey(name, chunk));
      await this.#redis.del(...keys, this.#chunksKey(name), this.#dirtyKey(name));
    }
  }

  #isOver(chunk: string, day: number, now: Date): boolean {
    const isRaw = chunk.startsWith("d");
    const end = (day + (isRaw ? 1 : blockHours / 24)) * dayMs;
    const keep = isRaw ? this.#keep.raw : this.#keep.hourly;
    return end < now.getTime() - keep || day * dayMs > now.getTime() + 2 * dayMs;
  }

  /** Hours with readings that are not in their block yet, and how often each has been written to. */
  async #dirty(name: string): Promise<{ readonly hour: number; readonly writes: string }[]> {
    const all = await this.#redis.zrange(this.#dirtyKey(name), "0", "-1", "WITHSCORES");
    return all.flatMap((hour, index) =>
      index % 2 === 0 ? [{ hour: Number(hour), writes: all[index + 1] ?? "" }] : [],
    );
  }

  /** An hour of every metric from its readings. */
  async #make(name: string, hour: number): Promise<Map<MetricName, HourPoint>> {
    const [from, to] = [new Date(hour * hourMs), new Date((hour + 1) * hourMs - 1)];
    const points = await this.points(name, metricNames, from, to);
    const made = [...points].map(([metric, its]) => [metric, hourOf(hour * hourMs, its)] as const);
    return new Map(made.filter((pair): pair is [MetricName, HourPoint] => pair[1] !== undefined));
  }

  async #foldBlock(
    name: string,
    block: number,
    hours: readonly { readonly hour: number; readonly writes: string }[],
  ): Promise<void> {
    const key = this.#blockKey(name, block);
    const keys = [key, this.#dirtyKey(name), this.#chunksKey(name)];
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const stored = await this.#redis.hgetallBuffer(key);
      const blocks = new Map<MetricName, Block>();
      for (const { hour } of hours) {
        for (const [metric, { min, mean, max }] of await this.#make(name, hour)) {
          const known = stored[metric];
          const inside = blocks.get(metric) ?? (known ? unpackBlock(known, metricUnits[metric]) : []);
          const values = [...inside, ...Array.from<undefined>({ length: blockHours - inside.length })];
          values[hour - block * blockHours] = { min, mean, max };
          blocks.set(metric, values);
        }
      }
      const content = [...blocks].flatMap(([metric, values]) => [metric, packBlock(values, metricUnits[metric])]);
      const marks = hours.flatMap(({ hour, writes }) => [hour, writes]);
      const revision = stored["v"]?.toString() ?? "";
      const args = [revision, `h${block}`, (block * blockHours) / 24, hours.length, ...marks, ...content];
      if (Number(await foldScript.run(this.#redis, keys, args)) === 1) return;
    }
    throw new AppError("conflict", `the history of server ${name} changes too fast`, { permanent: false });
  }

  #dayKey(name: string, day: number): string {
    return this.#chunkKey(name, `d${day}`);
  }

  #blockKey(name: string, block: number): string {
    return this.#chunkKey(name, `h${block}`);
  }

  #chunkKey(name: string, chunk: string): string {
    return this.#keys.of("server-history", name, chunk);
  }

  #chunksKey(name: string): string {
    return this.#keys.of("server-chunks", name);
  }

  #dirtyKey(name: string): string {
    return this.#keys.of("server-hours", name);
  }
}

/** The hours of a stored block. */
function pointsOf(block: number, stored: Buffer | null | undefined, metric: MetricName): HourPoint[] {
  if (!stored) return [];
  return unpackBlock(stored, metricUnits[metric]).flatMap((values, inside) =>
    values ? [{ at: (block * blockHours + inside) * hourMs, ...values }] : [],
  );
}

function blockOf(hour: number): number {
  return Math.floor(hour / blockHours);
}

function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}
