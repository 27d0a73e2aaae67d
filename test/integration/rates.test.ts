import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { Rates, type SharedRate } from "../../src/state/rates.ts";
import { useRedis } from "../support/state.ts";

const fixture = useRedis();
const never = new AbortController().signal;

/** Takes so many turns at once; the times at which they came, in milliseconds. */
async function turns(rate: SharedRate, count: number, times: number[]): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, async () => {
      await rate.take(never);
      times.push(performance.now());
    }),
  );
}

/** The most turns in any span of so many milliseconds. */
function mostWithin(times: readonly number[], ms: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return Math.max(...sorted.map((from, index) => sorted.slice(index).filter((at) => at < from + ms).length));
}

describe("a rate that processes share", () => {
  test("is never exceeded by all of them together, and each gets its share", async () => {
    const keys = fixture.keys();
    const [perSecond, burst, processes] = [40, 4, 3];
    const rates = Array.from({ length: processes }, () => new Rates(fixture.connect(), keys));
    const times: number[][] = rates.map(() => []);
    const began = performance.now();
    await Promise.all(rates.map((rate, n) => turns(rate.limit("a", perSecond, burst), 20, times[n] ?? [])));
    const all = times.flat();
    expect(all).toHaveLength(60);
    // The first are the burst's, the others come at the rate. A turn that comes late may fall together with a later one.
    expect(performance.now() - began).toBeGreaterThan(((60 - burst) / perSecond) * 1000 * 0.95);
    for (const ms of [100, 250, 500, 1000])
      expect(mostWithin(all, ms)).toBeLessThanOrEqual(Math.ceil((perSecond * ms) / 1000) + burst + processes);
    // Nobody waits until the others are done: all three end in the last third.
    for (const own of times) expect(Math.max(...own) - began).toBeGreaterThan(1400 * (2 / 3));
  });

  test("gives a burst at once after a rest, and no more", async () => {
    const rate = new Rates(fixture.redis, fixture.keys()).limit("a", 5, 3);
    const times: number[] = [];
    const began = performance.now();
    await turns(rate, 4, times);
    const [, , third = 0, fourth = 0] = times;
    expect(third - began).toBeLessThan(150);
    expect(fourth - began).toBeGreaterThan(200);
  });

  test("keeps the accounts apart", async () => {
    const rates = new Rates(fixture.redis, fixture.keys());
    await rates.limit("a", 0.01, 1).take(never);
    await rates.limit("b", 0.01, 1).take(never);
    expect(rates.limit("a", 0.01, 1)).toBe(rates.limit("a", 0.01, 1));
  });

  test("lets an urgent one go before those that wait", async () => {
    const rate = new Rates(fixture.redis, fixture.keys()).limit("a", 20, 1);
    const order: string[] = [];
    const take = async (name: string, urgent: boolean) => {
      await rate.take(never, urgent);
      order.push(name);
    };
    await Promise.all([take("1", false), take("2", false), take("3", false), take("urgent", true)]);
    expect(order[0]).toBe("urgent");
    expect(order.slice(1)).toEqual(["1", "2", "3"]);
  });

  test("whoever gives up waiting costs nobody a turn", async () => {
    const rate = new Rates(fixture.redis, fixture.keys()).limit("a", 5, 1);
    await rate.take(never);
    const gone = new AbortController();
    const given = Array.from({ length: 20 }, () => rate.take(gone.signal));
    const began = performance.now();
    const stays = rate.take(never);
    gone.abort(new Error("no longer wanted"));
    const outcomes = await Promise.allSettled(given);
    expect(outcomes.every((one) => one.status === "rejected" && String(one.reason).includes("no longer wanted"))).toBe(
      true,
    );
    await stays;
    expect(performance.now() - began).toBeLessThan(400);
    await expect(rate.take(gone.signal)).rejects.toThrow("no longer wanted");
  });

  test("stands still for all after a penalty, and goes on one by one", async () => {
    const keys = fixture.keys();
    const [one, other] = [new Rates(fixture.connect(), keys), new Rates(fixture.connect(), keys)];
    const began = performance.now();
    await one.limit("a", 20, 5).penalize(300);
    const times: number[] = [];
    await Promise.all([turns(one.limit("a", 20, 5), 2, times), turns(other.limit("a", 20, 5), 2, times)]);
    expect(Math.min(...times) - began).toBeGreaterThanOrEqual(300);
    expect(Math.max(...times) - began).toBeGreaterThanOrEqual(300 + 3 * 50);
  });

  test("a turn that was reserved before a penalty is not used in it", async () => {
    const rate = new Rates(fixture.redis, fixture.keys()).limit("a", 5, 1);
    await rate.take(never);
    const began = performance.now();
    const reserved = rate.take(never);
    // Its turn would come after 200 ms.
    await sleep(50);
    await rate.penalize(500);
    await reserved;
    expect(performance.now() - began).toBeGreaterThan(500);
  });

  test("a clock of Redis that was set back stops nobody", async () => {
    const keys = fixture.keys();
    const tomorrow = (Date.now() + 86_400_000) * 1000;
    await fixture.redis.hset(keys.of("rate", "a"), "full", String(tomorrow), "blocked", String(tomorrow));
    const began = performance.now();
    await new Rates(fixture.redis, keys).limit("a", 2, 1).take(never);
    expect(performance.now() - began).toBeLessThan(1000);
  });

  test("begins anew when Redis has lost it, and rejects what waits when Redis refuses", async () => {
    const keys = fixture.keys();
    const rate = new Rates(fixture.redis, keys).limit("a", 100, 1);
    await rate.take(never);
    await fixture.redis.del(keys.of("rate", "a"));
    await rate.take(never);
    await fixture.redis.set(keys.of("rate", "b"), "not a hash");
    await expect(new Rates(fixture.redis, keys).limit("b", 100, 1).take(never)).rejects.toThrow("WRONGTYPE");
    await fixture.redis.del(keys.of("rate", "b"));
    await new Rates(fixture.redis, keys).limit("b", 100, 1).take(never);
  });

  test("rejects when Redis is away", async () => {
    const redis = fixture.connect();
    await redis.ping();
    redis.disconnect();
    const rate = new Rates(redis, fixture.keys()).limit("a", 100, 1);
    await expect(rate.take(never)).rejects.toThrow();
  });
});
