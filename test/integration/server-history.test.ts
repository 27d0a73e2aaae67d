import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { dayMs, hourMs } from "../../src/core/compact.ts";
import { type MetricName, type MetricValues, metricNames } from "../../src/core/metric.ts";
import { createLogger } from "../../src/lib/logger.ts";
import { connectRedis, giveUp, Keys, type Redis } from "../../src/state/redis.ts";
import { ServerHistory } from "../../src/state/server-history.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";

const minute = 60_000;
const keep = { raw: 7 * dayMs, hourly: 400 * dayMs };
/** A midnight. */
const start = 20_000 * dayMs;
const keys = new Keys("history");

let server: RedisServer;
let redis: Redis;
let history: ServerHistory;

beforeAll(async () => {
  server = await startRedis();
  redis = connectRedis(server.url, createLogger({ name: "history", level: "silent" }), "history");
  history = new ServerHistory(redis, keys, keep);
});
beforeEach(async () => {
  await redis.flushall();
});
afterAll(async () => {
  giveUp(redis);
  await server.stop();
});

async function add(at: number, metrics: MetricValues, now = at): Promise<string> {
  return await history.append("web-1", { at: new Date(at), metrics }, new Date(now));
}

async function raw(metric: MetricName, from = 0, to = 1e15): Promise<[number, number][]> {
  const clip = (time: number): Date => new Date(Math.min(Math.max(time, start - 10 * dayMs), start + 10 * dayMs));
  const points = (await history.points("web-1", [metric], clip(from), clip(to))).get(metric) ?? [];
  return points.map(({ at, value }) => [at - start, value]);
}

async function hourly(metric: MetricName, from = start - 400 * dayMs, to = start + dayMs) {
  return (await history.hours("web-1", [metric], new Date(from), new Date(to))).get(metric) ?? [];
}

describe("readings", () => {
  it("come back in their order, over days, each metric for itself", async () => {
    await add(start - 5 * minute, { cpu: 1, load: 0.5 });
    await add(start, { cpu: 2 });
    await add(start + 5 * minute, { cpu: 3, load: 1.5 });
    expect(await raw("cpu")).toEqual([
      [-5 * minute, 1],
      [0, 2],
      [5 * minute, 3],
    ]);
    expect(await raw("load")).toEqual([
      [-5 * minute, 0.5],
      [5 * minute, 1.5],
    ]);
    expect(await raw("swap")).toEqual([]);
    expect(await raw("cpu", start, start)).toEqual([[0, 2]]);
  });

  it("of the same time are kept once, as they came first", async () => {
    expect(await add(start, { cpu: 1 })).toBe("added");
    expect(await add(start, { cpu: 99 })).toBe("known");
    expect(await raw("cpu")).toEqual([[0, 1]]);
  });

  it("that are late find their place, whatever metrics they have", async () => {
    await add(start, { cpu: 1, load: 10 });
    await add(start + 10 * minute, { cpu: 3, load: 30 });
    await add(start + 5 * minute, { cpu: 2, swap: 7 });
    await add(start - 0, { cpu: 9 });
    await add(start + 1 * minute, { disk: 50 });
    expect(await raw("cpu")).toEqual([
      [0, 1],
      [5 * minute, 2],
      [10 * minute, 3],
    ]);
    expect(await raw("load")).toEqual([
      [0, 10],
      [10 * minute, 30],
    ]);
    expect(await raw("swap")).toEqual([[5 * minute, 7]]);
    expect(await raw("disk")).toEqual([[minute, 50]]);
  });

  it("are what was put in, whatever order they come in", async () => {
    const times = Array.from({ length: 60 }, (_, index) => start + index * minute);
    const order = times.toSorted((a, b) => ((a * 7919) % 61_001) - ((b * 7919) % 61_001));
    for (const at of order) await add(at, (at / minute) % 3 === 0 ? { cpu: at % 97 } : { cpu: at % 97, load: at % 89 });
    expect(await raw("cpu")).toEqual(times.map((at) => [at - start, at % 97]));
    const withLoad = times.filter((at) => (at / minute) % 3 !== 0);
    expect(await raw("load")).toEqual(withLoad.map((at) => [at - start, at % 89]));
  });

  it("are refused when their clock is wrong or they are older than is kept", async () => {
    expect(await add(start + 20 * minute, { cpu: 1 }, start)).toBe("refused");
    expect(await add(start - 9 * dayMs, { cpu: 1 }, start)).toBe("refused");
    expect(await add(Number.NaN, { cpu: 1 }, start)).toBe("refused");
    expect(await redis.keys("*")).toEqual([]);
  });

  it("of a day are bounded, however many come", async () => {
    const one = keys.of("server-history", "web-1", "d20000");
    await add(start, { cpu: 1 });
    await redis.hset(one, "t", Buffer.alloc(4320 * 4));
    expect(await add(start + dayMs - 1, { cpu: 1 })).toBe("refused");
  });

  it("of many servers come in one go, also for those of whom there is nothing", async () => {
    const names = Array.from({ length: 250 }, (_, index) => `s-${index}`);
    for (const [index, name] of names.entries())
      if (index % 2 === 0)
        await history.append(name, { at: new Date(start), metrics: { cpu: index } }, new Date(start));
    const windows = await history.windows(names, ["cpu", "disk"], new Date(start - minute), new Date(start + minute));
    expect([...windows.keys()]).toEqual(names);
    expect(windows.get("s-248")?.get("cpu")).toEqual([{ at: start, value: 248 }]);
    expect(windows.get("s-248")?.get("disk")).toEqual([]);
    expect(windows.get("s-249")?.get("cpu")).toEqual([]);
  });
});

describe("hours", () => {
  const fill = async (hours: number): Promise<void> => {
    for (let at = start; at < start + hours * hourMs; at += 10 * minute)
      await add(at, { cpu: ((at - start) / minute) % 60, disk: (at - start) / hourMs });
  };

  it("are made of the readings when they are over; the one under way is of what is there", async () => {
    await fill(2.5);
    const before = await hourly("cpu");
    expect(await history.fold("web-1", new Date(start + 2.5 * hourMs))).toBe(2);
    expect(await history.fold("web-1", new Date(start + 2.5 * hourMs))).toBe(0);
    const after = await hourly("cpu");
    expect(after).toEqual([
      { at: start, min: 0, mean: 25, max: 50 },
      { at: start + hourMs, min: 0, mean: 25, max: 50 },
      { at: start + 2 * hourMs, min: 0, mean: 10, max: 20 },
    ]);
    expect(after).toEqual(before);
    expect(await hourly("cpu", start + hourMs, start + hourMs)).toHaveLength(1);
  });

  it("outlive their readings, and a late value is still in them", async () => {
    await fill(2);
    await history.fold("web-1", new Date(start + 3 * hourMs));
    await add(start + 55 * minute, { cpu: 99 }, start + 3 * hourMs);
    await history.fold("web-1", new Date(start + 3 * hourMs));
    const later = new Date(start + 9 * dayMs);
    expect(await history.sweep(["web-1"], later)).toBe(1);
    expect(await raw("cpu")).toEqual([]);
    expect(await hourly("cpu")).toEqual([
      { at: start, min: 0, mean: expect.closeTo(35.57, 2), max: 99 },
      { at: start + hourMs, min: 0, mean: 25, max: 50 },
    ]);
    expect((await hourly("disk"))[0]?.max).toBeCloseTo(5 / 6, 2);
  });

  it("are made once more by whoever comes after one that was killed, and by many at once", async () => {
    await fill(3);
    const others = Array.from({ length: 5 }, () => new ServerHistory(redis, keys, keep));
    await Promise.all(others.map(async (one) => await one.fold("web-1", new Date(start + 3 * hourMs))));
    expect(await hourly("cpu")).toHaveLength(3);
    expect(await redis.zcard(keys.of("server-hours", "web-1"))).toBe(0);
  });

  it("are not taken for done when a value comes while they are made", async () => {
    await fill(1);
    // What a folder does that has read, and is about to write.
    const marks = await redis.zrange(keys.of("server-hours", "web-1"), "0", "-1", "WITHSCORES");
    await add(start + 55 * minute, { cpu: 100 }, start + hourMs);
    expect(await redis.zscore(keys.of("server-hours", "web-1"), marks[0] ?? "")).not.toBe(marks[1]);
    await history.fold("web-1", new Date(start + hourMs));
    expect((await hourly("cpu"))[0]?.max).toBe(100);
  });

  it("are not overwritten with nothing when their readings are gone", async () => {
    await fill(1);
    await history.fold("web-1", new Date(start + hourMs));
    await redis.del(keys.of("server-history", "web-1", "d20000"));
    await redis.zadd(keys.of("server-hours", "web-1"), 1, start / hourMs);
    expect(await history.fold("web-1", new Date(start + 2 * hourMs))).toBe(1);
    expect(await hourly("cpu")).toEqual([{ at: start, min: 0, mean: 25, max: 50 }]);
  });
});

describe("room", () => {
  it("a server-year takes less than 1 MB, of values as restless as they can be", async () => {
    let state = 1;
    const random = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    const values = (): MetricValues =>
      Object.fromEntries(
        metricNames.map((metric) => [metric, metric.includes("_") ? 10 ** (random() * 12) : random() * 100]),
      );
    // A whole block of hours, of which three readings are enough to make one, and a week with all of its readings.
    const end = start + 40 * dayMs;
    for (let day = start; day < end; day += dayMs) {
      const step = end - day <= 8 * dayMs ? 5 * minute : 20 * minute;
      const added: Promise<string>[] = [];
      for (let at = day; at < day + dayMs; at += step) added.push(add(at, values()));
      await Promise.all(added);
      await history.fold("web-1", new Date(day + dayMs));
      await history.sweep(["web-1"], new Date(day + dayMs));
    }
    const bytesOf = async (pattern: string): Promise<number> => {
      let bytes = 0;
      for (const key of await redis.keys(pattern)) bytes += Number(await redis.memory("USAGE", key, "SAMPLES", "0"));
      return bytes;
    };
    expect(await redis.keys("*:d*")).toHaveLength(8);
    const block = await bytesOf("*:h625");
    const raw = await bytesOf("*:d*");
    const rest = (await bytesOf("*")) - raw - (await bytesOf("*:h*"));
    const year = block * (366 / 32) + raw + rest;
    expect(block).toBeGreaterThan(20_000);
    expect(year).toBeLessThan(1_000_000);
  }, 30_000);

  it("is given back by what is old, never by what a clock ahead calls old a little later", async () => {
    await add(start, { cpu: 1 });
    expect(await history.sweep(["web-1"], new Date(start + 7 * dayMs))).toBe(0);
    expect(await history.sweep(["web-1"], new Date(start + 8 * dayMs + minute))).toBe(1);
    await history.forget(["web-1"]);
    expect(await redis.keys("*")).toEqual([]);
  });
});
