import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { holds } from "../../src/core/rule-holds.ts";
import { isWorthShowing, reasonsOf, shownOf } from "../../src/core/rule-reasons.ts";
import { valueIn } from "../../src/core/rule-series.ts";
import { type RuleState, stepRule } from "../../src/core/rule-state.ts";
import { begin, every, fillingDisk, play, recorded, ruleOf, viewOf, webServerCpu } from "../support/series.ts";

const minutes = (count: number): number => count * 60_000;

describe("a rule", () => {
  test("fires at the first reading where it holds, and is over when it does not", () => {
    expect(play({ when: "cpu > 90" }, { cpu: [50, 91, 95, 90, 50] })).toEqual(["1 firing", "3 over"]);
  });

  test("fires when it has held on every reading for so long", () => {
    const rule = { when: "cpu > 90", for: minutes(10) };
    expect(play(rule, { cpu: [95, 95, 50, 95, 95, 95, 95, 50] })).toEqual([
      "0 pending",
      "2 quiet",
      "3 pending",
      "5 firing",
      "7 over",
    ]);
  });

  test("clears at another value than it fires at", () => {
    const rule = { when: "cpu > 90", clear: "cpu < 80" };
    expect(play(rule, { cpu: [95, 85, 92, 80, 79, 85, 91] })).toEqual(["0 firing", "4 over", "6 firing"]);
  });

  test("is not over while it holds, whatever its clear says", () => {
    const rule = { when: "max(cpu, 15m) > 90", clear: "cpu < 50" };
    expect(play(rule, { cpu: [10, 95, 10, 10, 10, 10] })).toEqual(["1 firing", "5 over"]);
  });

  test("goes on waiting over a missed reading or two, and begins anew after more", () => {
    const rule = { when: "cpu > 90", for: minutes(15) };
    expect(play(rule, { cpu: [95, undefined, 95, 95] })).toEqual(["0 pending", "3 firing"]);
    expect(play(rule, { cpu: [95, 95, undefined, undefined, 95, 95, 95, 95] })).toEqual(["0 pending", "7 firing"]);
  });

  test("goes on firing while there is no data, and says so", () => {
    const silent = Array.from<undefined>({ length: 12 });
    const rule = { when: "cpu > 90", clear: "cpu < 80" };
    expect(play(rule, { cpu: [95, ...silent, 95, 50] })).toEqual(["0 firing", "5 no data", "13 data", "14 over"]);
    expect(play(rule, { cpu: [95, ...silent, 50] })).toEqual(["0 firing", "5 no data", "13 over"]);
    // The server is heard, of its processor nothing.
    const memory = recorded(14, () => 10);
    expect(play(rule, { cpu: [95, ...silent, 50], memory })).toEqual(["0 firing", "5 no data", "13 over"]);
  });

  test("does not fire for want of data", () => {
    const nothing = Array.from<undefined>({ length: 5 });
    expect(play({ when: "not cpu < 90" }, { cpu: nothing, memory: [1, 2, 3, 4, 5] })).toEqual([]);
    expect(play({ when: "cpu > 90 or memory > 90" }, { cpu: nothing, memory: [1, 2, 95, 4, 5] })).toEqual(["2 firing"]);
  });

  test("of a busy web server: bursts come and go unheard, an hour at its limit does not", () => {
    const rule = { when: "cpu > 90", for: minutes(10), clear: "cpu < 80" };
    for (let seed = 1; seed <= 5; seed++)
      expect(play(rule, { cpu: webServerCpu(288 * 7, seed) }).filter((line) => line.endsWith("firing"))).toEqual([]);
    const busy = webServerCpu(288).map((value, index) => (index >= 100 && index < 112 ? 97 : value));
    expect(play(rule, { cpu: busy })).toEqual(["100 pending", "102 firing", "112 over"]);
  });

  test("of a disk that fills: is told a day before, and is over when it was cleared", () => {
    const rule = { when: "full_in(disk, 6h) < 24h", clear: "full_in(disk, 6h) > 48h", for: minutes(15) };
    const disk = fillingDisk(600, { from: 20, perHour: 2 }).map((value, index) =>
      value === undefined || index < 420 ? value : value - 60,
    );
    // 24 h before it is full it is at 52 %, 16 h after it began.
    const [pending, firing, over] = play(rule, { disk });
    expect(Number(pending?.split(" ")[0])).toBeGreaterThan(180);
    expect(Number(pending?.split(" ")[0])).toBeLessThan(200);
    expect(firing).toMatch(/ firing$/);
    expect(over).toBe("420 over");
    const saw = fillingDisk(1000, { from: 60, perHour: 3, rotated: 72, noise: 0.1 });
    expect(play({ ...rule, when: "full_in(disk, 1d) < 24h", clear: "full_in(disk, 1d) > 48h" }, { disk: saw })).toEqual(
      [],
    );
  });

  test("counts what holds from the first reading at which it did", () => {
    const rule = ruleOf("cpu > 90");
    const times = { for: minutes(10), every };
    const cpu = [95, 95, 95, 95];
    let state: RuleState | undefined;
    for (let index = 0; index < 4; index++)
      state = stepRule(rule, times, viewOf({ cpu }, index), state, begin + index * every + 2000);
    expect(state).toEqual({ phase: "firing", since: begin, at: begin + 3 * every, heardAt: begin + 3 * every + 2000 });
    // The same reading once more changes nothing: not even the object.
    expect(stepRule(rule, times, viewOf({ cpu }, 3), state, begin + 3 * every + 4000)).toBe(state);
  });

  test("may be some seconds short of its time: polls are not that regular", () => {
    const rule = ruleOf("cpu > 90");
    const early = (seconds: number): string | undefined => {
      const view = { ...viewOf({ cpu: [95, 95, 95] }, 2), at: begin + 2 * every - seconds * 1000 };
      const state = { phase: "pending", at: begin + every, heardAt: begin + every, since: begin } as const;
      return stepRule(rule, { for: minutes(10), every }, view, state, begin + 2 * every)?.phase;
    };
    expect([0, 29, 31].map(early)).toEqual(["firing", "firing", "pending"]);
  });
});

describe("a clock that was set", () => {
  const rule = ruleOf("cpu > 90", "cpu < 80");
  const firing = { phase: "firing", at: begin, heardAt: begin, since: begin } as const;
  const view = (at: number, value: number) => ({ ...viewOf({ cpu: [value] }, 0), at, heardAt: at });
  const hour = 3_600_000;

  test("forward: what fires goes on, without a word about missing data; what waits begins anew", () => {
    const times = { for: minutes(10), every };
    const now = begin + hour;
    const looked = stepRule(rule, times, undefined, firing, now);
    expect(looked).toEqual({ ...firing, missedSince: now });
    expect(stepRule(rule, times, undefined, looked, now + every)).toBe(looked);
    expect(stepRule(rule, times, view(now + every, 95), looked, now + every)).toMatchObject({
      phase: "firing",
      since: begin,
      at: now + every,
    });
    const pending = { ...firing, phase: "pending" } as const;
    expect(stepRule(rule, times, undefined, pending, now)).toBe(undefined);
    expect(stepRule(rule, times, view(now, 95), pending, now)).toMatchObject({ phase: "pending", since: now });
  });

  test("back: readings that seem older than the last one count all the same", () => {
    const times = { for: 0, every };
    const now = begin - hour;
    expect(stepRule(rule, times, view(now, 95), firing, now)).toMatchObject({ phase: "firing", at: now, since: begin });
    expect(stepRule(rule, times, view(now, 50), firing, now)).toMatchObject({ phase: "over", since: begin });
    const pending = { ...firing, phase: "pending" } as const;
    expect(stepRule(rule, { for: minutes(10), every }, view(now, 95), pending, now)).toMatchObject({
      phase: "pending",
      since: now,
    });
  });

  test("a reading from another time fires nothing", () => {
    const times = { for: 0, every };
    for (const away of [-hour, hour])
      expect(stepRule(rule, times, view(begin + away, 95), undefined, begin)).toBe(undefined);
    const old = { ...view(begin - minutes(10), 95), heardAt: begin };
    expect(stepRule(rule, { for: 0, every: minutes(1) }, old, undefined, begin)).toMatchObject({ phase: "firing" });
    const unheard = { ...view(begin - minutes(10), 95) };
    expect(stepRule(rule, { for: 0, every: minutes(1) }, unheard, undefined, begin)).toBe(undefined);
  });
});

describe("whatever comes", () => {
  const readings = fc.array(fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: undefined, freq: 6 }), {
    maxLength: 60,
  });

  test("between its two limits a rule stays as it is", () => {
    fc.assert(
      fc.property(readings, fc.integer({ min: 0, max: 40 }), (cpu, wait) => {
        const told = play({ when: "cpu > 80", clear: "cpu < 60", for: minutes(wait) }, { cpu });
        const at = (phase: string): number[] =>
          told.flatMap((line) => (line.endsWith(` ${phase}`) ? (cpu[Number.parseInt(line, 10)] ?? Number.NaN) : []));
        expect(at("firing").every((value) => value > 80)).toBe(true);
        expect(at("over").every((value) => value < 60)).toBe(true);
        const phases = told.map((line) => line.split(" ")[1]).filter((what) => what === "firing" || what === "over");
        for (const [index, phase] of phases.entries()) expect(phase).toBe(index % 2 === 0 ? "firing" : "over");
      }),
      { numRuns: 500 },
    );
  });

  test("it fires only after it has held on every reading for its time", () => {
    fc.assert(
      fc.property(readings, fc.integer({ min: 0, max: 6 }), (cpu, wait) => {
        for (const line of play({ when: "cpu > 50", for: wait * every }, { cpu })) {
          if (!line.endsWith("firing")) continue;
          const index = Number.parseInt(line, 10);
          const held = cpu.slice(index - wait, index + 1);
          expect(held.length).toBe(wait + 1);
          expect(held.every((value) => value === undefined || value > 50)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("the reasons of a rule", () => {
  const series = { cpu: [95], memory: [40], load: [3] };
  const reasons = (when: string): string[] =>
    reasonsOf(ruleOf(when).when, (expression) => valueIn(viewOf(series, 0), expression)).map(
      ({ what, value, operator, limit }) => `${what.metric} ${value} ${operator} ${limit}`,
    );

  test("are the comparisons that make it hold", () => {
    expect(reasons("cpu > 90")).toEqual(["cpu 95 > 90"]);
    expect(reasons("90 < cpu")).toEqual(["cpu 95 > 90"]);
    expect(reasons("cpu > 90 and load > 2")).toEqual(["cpu 95 > 90", "load 3 > 2"]);
    expect(reasons("cpu > 90 or memory > 90 or load > 2")).toEqual(["cpu 95 > 90", "load 3 > 2"]);
    expect(reasons("not (cpu < 90 or memory > 90)")).toEqual(["cpu 95 >= 90", "memory 40 <= 90"]);
    expect(reasons("cpu > memory")).toEqual(["cpu 95 > 40"]);
    expect(reasons("cpu < 90")).toEqual([]);
    expect(reasons("swap > 90 or cpu > 90")).toEqual(["cpu 95 > 90"]);
  });

  test("are shown anew when they have changed much, or after half an hour", () => {
    const now = begin;
    const worth = (when: string, before: number, after: number, passed: number): boolean => {
      const { when: condition } = ruleOf(when);
      const metric = when.split(" ")[0] ?? "";
      const of = (value: number) =>
        reasonsOf(condition, (expression) => (expression.kind === "number" ? expression.value : value));
      expect(of(before)[0]?.what.metric).toBe(metric);
      return isWorthShowing(of(after), JSON.parse(JSON.stringify(shownOf(of(before), now))), now + minutes(passed));
    };
    expect(worth("cpu > 80", 91, 95.9, 5)).toBe(false);
    expect(worth("cpu > 80", 91, 96, 5)).toBe(true);
    expect(worth("cpu > 80", 91, 92, 29)).toBe(false);
    expect(worth("cpu > 80", 91, 92, 30)).toBe(true);
    expect(worth("cpu > 80", 91, 91, 60)).toBe(false);
    expect(worth("load > 2", 10, 11.9, 5)).toBe(false);
    expect(worth("load > 2", 10, 13, 5)).toBe(true);
    expect(worth("disk_free < 10 GB", 9e9, 8e9, 5)).toBe(false);
    expect(worth("disk_free < 10 GB", 9e9, 7e9, 5)).toBe(true);
  });

  test("may be endless, and are kept all the same", () => {
    const { when } = ruleOf("not full_in(disk, 6h) < 24h");
    const of = (value: number) => reasonsOf(when, (one) => (one.kind === "number" ? one.value : value));
    const shown = JSON.parse(JSON.stringify(shownOf(of(Number.POSITIVE_INFINITY), begin)));
    expect(isWorthShowing(of(Number.POSITIVE_INFINITY), shown, begin + minutes(60))).toBe(false);
    expect(isWorthShowing(of(100_000), shown, begin)).toBe(true);
  });
});

test("a condition of which nothing is known neither holds nor fails", () => {
  const of = (when: string): boolean | undefined =>
    holds(ruleOf(when).when, (expression) => (expression.kind === "number" ? expression.value : undefined));
  expect([of("cpu > 1"), of("not cpu > 1"), of("cpu > 1 and load > 1"), of("cpu > 1 or load > 1")]).toEqual(
    Array.from({ length: 4 }),
  );
});
