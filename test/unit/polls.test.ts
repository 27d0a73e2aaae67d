import { describe, expect, it } from "vitest";
import { dueSlices, inSlice, overdue, type PollClock, phaseOf, reliableTime, slicesOf } from "../../src/core/polls.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const every = 5 * minute;
const start = Date.parse("2026-03-01T12:00:00Z");
const servers = Array.from({ length: 1000 }, (_, index) => ({ name: `web-${index}` }));

/** Who is polled when ticks come at these times. */
function play(
  times: readonly number[],
  known?: PollClock,
): { polled: Map<string, number[]>; clock: PollClock | undefined } {
  const polled = new Map<string, number[]>();
  let clock = known;
  for (const at of times) {
    const due = dueSlices(clock, every, new Date(at));
    clock = due.clock;
    for (const slice of due.slices)
      for (const { name } of inSlice(servers, slice, every)) polled.set(name, [...(polled.get(name) ?? []), at]);
  }
  return { polled, clock };
}
const ticks = (from: number, forMs: number, step = 15 * second): number[] =>
  Array.from({ length: Math.ceil(forMs / step) }, (_, index) => from + index * step);

describe("turns", () => {
  it("come once in each interval for each of a thousand, spread over it", () => {
    const { polled } = play(ticks(start, 2 * every));
    expect(polled.size).toBe(1000);
    for (const times of polled.values()) expect((times[1] ?? 0) - (times[0] ?? 0)).toBe(every);
    const phases = Map.groupBy(servers, ({ name }) => phaseOf(name, every));
    expect(phases.size).toBe(20);
    for (const its of phases.values()) expect(its.length).toBeLessThan(90);
  });

  it("that were missed for a while are made up, however the ticks jitter", () => {
    const jittered = ticks(start, every).map((at, index) => at + ((index * 7919) % 14_000));
    expect(play(jittered).polled.size).toBe(1000);
    const { clock } = play([start]);
    const { polled } = play([start + 4 * minute, ...ticks(start + 4 * minute, minute + 15 * second)], clock);
    expect(polled.size).toBe(1000);
  });

  it("do not come all at once after a long pause, or when the clock is set", () => {
    const { clock } = play(ticks(start, every));
    for (const jump of [hour, 400 * day, -hour, -400 * day]) {
      const first = play([start + every + jump], clock);
      expect(first.polled.size).toBeLessThan(90);
      expect(first.clock?.epoch).toBe(2);
      const rest = play(ticks(start + every + jump + 15 * second, every - 15 * second), first.clock);
      expect(first.polled.size + rest.polled.size).toBe(1000);
    }
  });

  it("wait for a clock that is a little behind, as another worker's may be", () => {
    const { clock } = play([start]);
    expect(play([start - 30 * second, start - 60 * second], clock)).toEqual({ polled: new Map(), clock });
  });

  it("fit into every interval that can be configured", () => {
    for (const interval of [minute, 90 * second, 7 * minute, hour]) {
      const phases = servers.map(({ name }) => phaseOf(name, interval));
      expect(Math.min(...phases)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...phases)).toBeLessThan(slicesOf(interval));
    }
    expect(slicesOf(minute)).toBe(4);
  });
});

describe("overdue", () => {
  const at = (ms: number): Date => new Date(start + ms);
  const late = (lookedAt: Date | undefined, knownSince: Date | undefined, since: Date, now: Date): boolean =>
    overdue(
      [{ name: "a" }],
      () => lookedAt,
      () => knownSince,
      every,
      { now, since },
    ).length > 0;

  it("is who was not looked at for two intervals", () => {
    expect(late(at(0), at(-day), at(-day), at(2 * every + 10 * second))).toBe(false);
    expect(late(at(0), at(-day), at(-day), at(2 * every + 20 * second))).toBe(true);
  });

  it("is nobody who is new, or was not known to anybody", () => {
    expect(late(undefined, at(0), at(-day), at(every))).toBe(false);
    expect(late(undefined, at(0), at(-day), at(3 * every))).toBe(true);
    expect(late(undefined, undefined, at(-day), at(day))).toBe(false);
  });

  it("is nobody while the watch has just woken up, and everybody in time after a clock that was ahead", () => {
    expect(late(at(0), at(-day), at(hour), at(hour + every))).toBe(false);
    expect(late(at(0), at(-day), at(hour), at(hour + 3 * every))).toBe(true);
    expect(late(at(day), at(-day), at(0), at(every))).toBe(false);
    expect(late(at(day), at(-day), at(0), at(3 * every))).toBe(true);
  });
});

describe("the time by which things are removed", () => {
  it("follows the clock, also back", () => {
    expect(reliableTime(undefined, new Date(start))).toEqual(new Date(start));
    expect(reliableTime(new Date(start), new Date(start + day))).toEqual(new Date(start + day));
    expect(reliableTime(new Date(start), new Date(start - 400 * day))).toEqual(new Date(start - 400 * day));
  });

  it("believes a jump over days step by step, and forgets it when it is taken back", () => {
    let time = new Date(start);
    for (let tick = 0; tick < 40; tick++) time = reliableTime(time, new Date(start + 400 * day + tick * 15 * second));
    expect(time.getTime() - start).toBe(40 * hour);
    expect(reliableTime(time, new Date(start + 10 * minute))).toEqual(new Date(start + 10 * minute));
  });
});
