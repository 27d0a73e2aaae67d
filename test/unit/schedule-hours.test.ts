import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { minuteOfDay, parseDailySpan } from "../../src/core/route.ts";
import {
  beginOf,
  type Due,
  due,
  isWithin,
  lateAfterMs,
  nextBegin,
  nextOpening,
  nextTime,
  type ScheduleEntry,
} from "../../src/core/schedule.ts";

const minute = 60_000;
const hour = 60 * minute;
const daily: ScheduleEntry = { key: "backup:app", pattern: "0 3 * * *", timezone: "UTC", catchUp: true };
const hours = (text: string) => parseDailySpan(text);
const zones = ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "America/St_Johns"];

/** Looks at the clock every 15 s or so and gives when what begins. */
function follow(entry: ScheduleEntry, from: string, to: string, everyMs = 15_000) {
  const handled = new Map<string, Date>();
  const begun: { at: string; begun: string; late: boolean; missed: number }[] = [];
  const dropped: string[] = [];
  for (let now = Date.parse(from); now <= Date.parse(to); now += everyMs) {
    const plan = due([entry], handled, new Date(now));
    for (const [key, at] of plan.handled) handled.set(key, at);
    for (const { at, late, missed } of plan.due)
      begun.push({ at: at.toISOString(), begun: new Date(now).toISOString(), late, missed });
    dropped.push(...plan.dropped.map(({ at, why }) => `${at.toISOString()} ${why}`));
  }
  return { begun, dropped };
}

describe("jitter", () => {
  test("puts each name off by a time of its own, always the same, within its limit", () => {
    const at = new Date("2026-03-01T03:00:00Z");
    const begins = Array.from({ length: 200 }, (_, index) =>
      beginOf({ ...daily, key: `backup:b${index}`, jitter: hour }, at).getTime(),
    );
    expect(new Set(begins).size).toBeGreaterThan(150);
    expect(Math.min(...begins)).toBeGreaterThanOrEqual(at.getTime());
    expect(Math.max(...begins)).toBeLessThan(at.getTime() + hour);
    // Spread over the whole hour.
    for (let quarter = 0; quarter < 4; quarter++) {
      const from = at.getTime() + quarter * 15 * minute;
      expect(begins.filter((begin) => begin >= from && begin < from + 15 * minute).length).toBeGreaterThan(25);
    }
    expect(beginOf({ ...daily, jitter: hour }, at)).toEqual(beginOf({ ...daily, jitter: hour }, at));
    expect(beginOf(daily, at)).toEqual(at);
  });

  test("begins each run once, when the next one was said to begin, and not as late", () => {
    const entry = { ...daily, jitter: 2 * hour };
    const expected = nextBegin(entry, new Date("2026-03-01T12:00:00Z"));
    const { begun } = follow(entry, "2026-03-01T12:00:00Z", "2026-03-03T12:00:00Z");
    expect(begun.map(({ at, late, missed }) => [at, late, missed])).toEqual([
      ["2026-03-02T03:00:00.000Z", false, 0],
      ["2026-03-03T03:00:00.000Z", false, 0],
    ]);
    const lag = Date.parse(begun[0]?.begun ?? "") - (expected?.getTime() ?? 0);
    expect(lag).toBeGreaterThanOrEqual(0);
    expect(lag).toBeLessThan(15_000);
    // While it is put off it is still the next one.
    const time = new Date("2026-03-02T03:00:00.000Z");
    const begin = beginOf(entry, time);
    expect(begin > time).toBe(true);
    expect(nextBegin(entry, time)).toEqual(begin);
    expect(nextBegin(entry, begin)).toEqual(beginOf(entry, new Date("2026-03-03T03:00:00.000Z")));
  });

  test("larger than the schedule's own interval changes no order and leaves none out", () => {
    const { begun } = follow(
      { ...daily, pattern: "*/10 * * * *", jitter: 12 * hour },
      "2026-03-01T00:00:00Z",
      "2026-03-01T04:00:00Z",
    );
    expect(begun.map(({ at }) => at)).toHaveLength(23);
    expect(begun.every(({ missed, late }) => missed === 0 && !late)).toBe(true);
    const times = begun.map(({ at }) => at);
    expect(times).toEqual(times.toSorted());
  });
});

describe("hours", () => {
  test("are waited for where missed runs are made up: begun at their opening, once", () => {
    const entry = { ...daily, pattern: "0 12 * * *", window: hours("22:00-06:00") };
    const { begun, dropped } = follow(entry, "2026-03-01T10:00:00Z", "2026-03-03T10:00:00Z", minute);
    expect(begun).toEqual([
      { at: "2026-03-01T12:00:00.000Z", begun: "2026-03-01T22:00:00.000Z", late: true, missed: 0 },
      { at: "2026-03-02T12:00:00.000Z", begun: "2026-03-02T22:00:00.000Z", late: true, missed: 0 },
    ]);
    expect(dropped).toEqual([]);
    expect(nextBegin(entry, new Date("2026-03-01T10:00:00Z"))).toEqual(new Date("2026-03-01T22:00:00Z"));
  });

  test("that are over drop the run where nothing is made up, and say why", () => {
    const entry = { ...daily, pattern: "0 */6 * * *", window: hours("22:00-06:00"), catchUp: false };
    const { begun, dropped } = follow(entry, "2026-03-01T01:00:00Z", "2026-03-02T01:00:00Z", minute);
    expect(begun.map(({ at }) => at)).toEqual(["2026-03-02T00:00:00.000Z"]);
    expect(dropped).toEqual(["06", "12", "18"].map((clock) => `2026-03-01T${clock}:00:00.000Z window`));
    expect(nextBegin(entry, new Date("2026-03-01T01:00:00Z"))).toEqual(new Date("2026-03-02T00:00:00Z"));
  });

  test("hold for what is made up, too: a worker that comes back at noon waits for the night", () => {
    const entry = { ...daily, window: hours("22:00-06:00") };
    const handled = new Map([[entry.key, new Date("2026-03-01T03:00:00Z")]]);
    expect(due([entry], handled, new Date("2026-03-05T12:00:00Z"))).toMatchObject({ due: [], dropped: [] });
    expect(due([entry], handled, new Date("2026-03-05T22:00:00Z")).due).toEqual([
      { key: entry.key, at: new Date("2026-03-05T03:00:00Z"), late: true, missed: 3 },
    ]);
  });

  test("are judged by a run's own time when the look at the clock comes a moment later", () => {
    const entry = { ...daily, pattern: "59 5 * * *", window: hours("22:00-06:00") };
    const handled = new Map([[entry.key, new Date("2026-03-01T00:00:00Z")]]);
    const [item] = due([entry], handled, new Date("2026-03-01T06:00:10Z")).due;
    expect(item).toMatchObject({ late: false, at: new Date("2026-03-01T05:59:00Z") });
  });

  test("limit the jitter: no run is put off out of them", () => {
    const entry = { ...daily, pattern: "45 5 * * *", window: hours("22:00-06:00"), jitter: 6 * hour };
    for (let index = 0; index < 300; index++) {
      const at = new Date("2026-03-01T05:45:00Z");
      const begin = beginOf({ ...entry, key: `backup:b${index}` }, at);
      expect(begin.getTime() - at.getTime()).toBeLessThan(15 * minute);
      expect(isWithin(entry, begin)).toBe(true);
    }
  });

  test("begin with the first minute that there is, when the clocks go over their beginning", () => {
    // 29 March 2026: 02:00 becomes 03:00 in Berlin.
    const entry = { window: hours("02:30-05:00"), timezone: "Europe/Berlin" };
    expect(nextOpening(entry, new Date("2026-03-29T00:00:00Z"))).toEqual(new Date("2026-03-29T01:00:00Z"));
    // Hours that this day does not have at all.
    const gone = { window: hours("02:10-02:50"), timezone: "Europe/Berlin" };
    expect(nextOpening(gone, new Date("2026-03-29T00:00:00Z"))).toEqual(new Date("2026-03-30T00:10:00Z"));
    // 25 October 2026: 03:00 becomes 02:00.
    expect(nextOpening(entry, new Date("2026-10-24T23:00:00Z"))).toEqual(new Date("2026-10-25T00:30:00Z"));
  });
});

const moment = fc.date({
  min: new Date("2025-01-01T00:00:00Z"),
  max: new Date("2027-01-01T00:00:00Z"),
  noInvalidDate: true,
});
const span = fc
  .tuple(fc.integer({ min: 0, max: 1439 }), fc.integer({ min: 0, max: 1439 }))
  .filter(([from, to]) => (to - from + 1440) % 1440 >= 30)
  .map(([from, to]) => ({ from, to }));

/** What must be true of whatever is begun. */
function mayBegin(entry: ScheduleEntry, { at, late }: Due, now: number, seen: Set<number>): void {
  expect(at.getTime()).toBeLessThanOrEqual(now);
  expect(seen.has(at.getTime())).toBe(false);
  seen.add(at.getTime());
  const begin = beginOf(entry, at);
  expect(isWithin(entry, late ? new Date(now) : begin)).toBe(true);
  const most = entry.catchUp ? Number.POSITIVE_INFINITY : lateAfterMs;
  expect(now - begin.getTime()).toBeLessThanOrEqual(most);
}

describe("whenever, in any zone", () => {
  test("an opening is within the hours, not before the time, and no earlier minute is within them", () => {
    fc.assert(
      fc.property(moment, span, fc.constantFrom(...zones), (at, window, timezone) => {
        const entry = { window, timezone };
        const opening = nextOpening(entry, at);
        expect(opening >= at).toBe(true);
        expect(isWithin(entry, opening)).toBe(true);
        if (isWithin(entry, at)) return;
        // The minute before it is outside, and so is what lies between, looked at every quarter of an hour.
        expect(isWithin(entry, new Date(opening.getTime() - minute))).toBe(false);
        for (let between = at.getTime(); between < opening.getTime(); between += 15 * minute)
          expect(minuteOfDay(new Date(between), timezone)).toSatisfy(() => !isWithin(entry, new Date(between)));
      }),
      { numRuns: 300 },
    );
  });

  test("each time of a pattern begins once, in its order, in its hours, at most so much later", () => {
    const pattern = fc.constantFrom("0 3 * * *", "30 2 * * *", "*/20 * * * *", "0 */4 * * 1-5", "15 1 1 * *");
    const jitter = fc.constantFrom(0, 90_000, hour, 12 * hour);
    fc.assert(
      fc.property(
        moment,
        pattern,
        jitter,
        fc.option(span, { nil: undefined }),
        fc.constantFrom(...zones),
        (from, cron, jitterMs, window, timezone) => {
          const entry: ScheduleEntry = {
            key: "backup:x",
            pattern: cron,
            timezone,
            catchUp: true,
            jitter: jitterMs,
            window,
          };
          let last = Number.NEGATIVE_INFINITY;
          let at = nextTime(cron, timezone, from);
          for (let count = 0; at && count < 12; count++) {
            const begin = beginOf(entry, at);
            expect(begin.getTime()).toBeGreaterThan(last);
            expect(begin.getTime() - at.getTime()).toBeLessThanOrEqual(jitterMs);
            expect(isWithin(entry, begin) || !isWithin(entry, at)).toBe(true);
            last = begin.getTime();
            at = nextTime(cron, timezone, at);
          }
          const next = nextBegin(entry, from);
          expect(next === undefined || (next > from && isWithin(entry, next))).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("what is due has come, is handled once, and begins within its hours", () => {
    fc.assert(
      fc.property(
        moment,
        fc.array(fc.integer({ min: 5_000, max: 20 * hour }), { minLength: 3, maxLength: 25 }),
        span,
        fc.constantFrom(...zones),
        fc.boolean(),
        (from, steps, window, timezone, catchUp) => {
          const entry: ScheduleEntry = { ...daily, timezone, catchUp, window, jitter: 30 * minute };
          const handled = new Map<string, Date>();
          const seen = new Set<number>();
          let now = from.getTime();
          for (const step of [0, ...steps]) {
            now += step;
            const plan = due([entry], handled, new Date(now));
            for (const item of plan.due) mayBegin(entry, item, now, seen);
            for (const [key, at] of plan.handled) handled.set(key, at);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
