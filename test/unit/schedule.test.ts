import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Due, due, lateAfterMs, nextTime, type ScheduleEntry } from "../../src/core/schedule.ts";

const daily: ScheduleEntry = { key: "backup:app", pattern: "0 3 * * *", timezone: "UTC", catchUp: true };
const minute = 60_000;

/** The tick's memory, as Redis keeps it. */
class Memory {
  readonly handled = new Map<string, Date>();
  tick(entries: readonly ScheduleEntry[], now: Date | string): Due[] {
    const plan = due(entries, this.handled, new Date(now));
    for (const [key, at] of plan.handled) this.handled.set(key, at);
    return plan.due;
  }
}

/** Every run between two times, with a look at the clock every 100 s. */
function runsBetween(pattern: string, timezone: string, from: string, to: string): string[] {
  const memory = new Memory();
  const entry = { ...daily, pattern, timezone };
  const runs: string[] = [];
  for (let now = Date.parse(from); now <= Date.parse(to); now += 100_000)
    for (const item of memory.tick([entry], new Date(now))) {
      expect(item).toMatchObject({ late: false, missed: 0 });
      runs.push(item.at.toISOString());
    }
  return runs;
}

describe("a schedule", () => {
  test("owes nothing when it is seen for the first time, however long it could have run", () => {
    const memory = new Memory();
    expect(memory.tick([daily], "2026-03-01T03:00:00Z")).toEqual([]);
    expect(memory.tick([daily], "2026-03-01T23:59:59Z")).toEqual([]);
  });

  test("is due once at its time, and not again with the next look", () => {
    const memory = new Memory();
    memory.tick([daily], "2026-03-01T02:59:50Z");
    expect(memory.tick([daily], "2026-03-01T03:00:05Z")).toEqual([
      { key: "backup:app", at: new Date("2026-03-01T03:00:00Z"), late: false, missed: 0 },
    ]);
    expect(memory.tick([daily], "2026-03-01T03:00:20Z")).toEqual([]);
  });

  test("is due exactly at its time", () => {
    const memory = new Memory();
    memory.tick([daily], "2026-03-01T02:00:00Z");
    expect(memory.tick([daily], "2026-03-01T03:00:00.000Z")).toHaveLength(1);
    expect(memory.tick([daily], "2026-03-01T03:00:00.000Z")).toEqual([]);
  });

  test("that was missed for days is made up once, and says how many it missed", () => {
    const memory = new Memory();
    memory.tick([daily], "2026-03-01T12:00:00Z");
    expect(memory.tick([daily], "2026-03-05T12:00:00Z")).toEqual([
      { key: "backup:app", at: new Date("2026-03-05T03:00:00Z"), late: true, missed: 3 },
    ]);
    expect(memory.tick([daily], "2026-03-05T12:00:15Z")).toEqual([]);
    expect(memory.tick([daily], "2026-03-06T03:00:00Z")).toHaveLength(1);
  });

  test("counts as late only beyond the time that ticks may take", () => {
    const at = Date.parse("2026-03-01T03:00:00Z");
    const lateness = (after: number): boolean | undefined => {
      const memory = new Memory();
      memory.tick([daily], "2026-03-01T02:00:00Z");
      return memory.tick([daily], new Date(at + after))[0]?.late;
    };
    expect(lateness(lateAfterMs)).toBe(false);
    expect(lateness(lateAfterMs + 1)).toBe(true);
  });

  test("without catch-up forgets what it missed, and runs at its next time", () => {
    const entry = { ...daily, catchUp: false };
    const memory = new Memory();
    memory.tick([entry], "2026-03-01T12:00:00Z");
    expect(memory.tick([entry], "2026-03-03T12:00:00Z")).toEqual([]);
    expect(memory.tick([entry], "2026-03-04T03:00:30Z")).toHaveLength(1);
  });

  test("does not run again for times that a clock set back comes to twice", () => {
    const memory = new Memory();
    memory.tick([daily], "2026-03-01T02:00:00Z");
    expect(memory.tick([daily], "2026-03-01T03:00:01Z")).toHaveLength(1);
    expect(memory.tick([daily], "2026-03-01T01:00:00Z")).toEqual([]);
    expect(memory.tick([daily], "2026-03-01T03:00:01Z")).toEqual([]);
    expect(memory.tick([daily], "2026-03-02T03:00:01Z")).toHaveLength(1);
  });

  test("goes on at its next time after a clock that was years ahead, also while another worker's still is", () => {
    const memory = new Memory();
    memory.tick([daily], "2026-03-01T02:00:00Z");
    memory.tick([daily], "2031-02-28T12:00:00Z");
    expect(memory.tick([daily], "2026-03-01T02:00:15Z")).toEqual([]);
    expect(memory.tick([daily], "2026-03-01T03:00:05Z")).toMatchObject([{ late: false, missed: 0 }]);
    expect(memory.tick([daily], "2026-03-01T03:00:20Z")).toEqual([]);
    memory.tick([daily], "2031-03-01T12:00:00Z");
    expect(memory.tick([daily], "2026-03-02T03:00:05Z")).toMatchObject([{ late: false, missed: 0 }]);
    const jittered = { ...daily, jitter: 60 * minute };
    memory.tick([jittered], "2031-03-02T12:00:00Z");
    expect(memory.tick([jittered], "2026-03-03T03:00:05Z")).toEqual([]);
    expect(memory.tick([jittered], "2026-03-03T04:00:00Z")).toMatchObject([{ at: new Date("2026-03-03T03:00:00Z") }]);
  });

  test("whose pattern was changed goes on from what was handled last", () => {
    const memory = new Memory();
    memory.tick([daily], "2026-03-01T02:00:00Z");
    memory.tick([daily], "2026-03-01T03:00:00Z");
    const earlier = { ...daily, pattern: "0 2 * * *" };
    expect(memory.tick([earlier], "2026-03-01T03:00:15Z")).toEqual([]);
    expect(memory.tick([earlier], "2026-03-02T02:00:00Z")).toHaveLength(1);
    const often = { ...daily, pattern: "*/5 * * * *" };
    expect(memory.tick([often], "2026-03-02T02:04:59Z")).toEqual([]);
    expect(memory.tick([often], "2026-03-02T02:05:00Z")).toHaveLength(1);
  });

  test("does not touch the others", () => {
    const memory = new Memory();
    const other = { ...daily, key: "backup:logs", pattern: "30 4 * * *" };
    memory.tick([daily], "2026-03-01T02:00:00Z");
    expect(memory.tick([daily, other], "2026-03-01T05:00:00Z").map((item) => item.key)).toEqual(["backup:app"]);
    expect(memory.tick([daily, other], "2026-03-02T05:00:00Z").map((item) => item.key)).toEqual([
      "backup:app",
      "backup:logs",
    ]);
  });

  test("with very many missed times still names the newest exactly, and quickly", () => {
    const memory = new Memory();
    const entry = { ...daily, pattern: "* * * * *", timezone: "Europe/Berlin" };
    memory.tick([entry], "2016-01-01T00:00:00Z");
    const started = performance.now();
    const [item] = memory.tick([entry], "2026-11-20T12:34:20Z");
    expect(performance.now() - started).toBeLessThan(2000);
    expect(item).toMatchObject({ at: new Date("2026-11-20T12:34:00Z"), late: false });
    expect(item?.missed).toBeGreaterThan(900);
    expect(memory.tick([entry], "2026-11-20T12:35:00Z")).toMatchObject([{ missed: 0 }]);
  });

  test("with very many missed times names the newest exactly when that is the present moment or a minute's last second", () => {
    const entry = { ...daily, pattern: "* * * * *" };
    for (const [now, at] of [
      ["2026-11-20T12:34:00.000Z", "2026-11-20T12:34:00.000Z"],
      ["2026-11-20T12:34:59.999Z", "2026-11-20T12:34:00.000Z"],
      ["2026-11-20T12:34:59.001Z", "2026-11-20T12:34:00.000Z"],
    ] as const) {
      const memory = new Memory();
      memory.tick([entry], "2020-01-01T00:00:00Z");
      expect(memory.tick([entry], now)[0]?.at.toISOString()).toBe(at);
    }
  });

  test("that never comes is never due", () => {
    const memory = new Memory();
    const entry = { ...daily, pattern: "0 0 30 2 *" };
    memory.tick([entry], "2016-01-01T00:00:00Z");
    expect(memory.tick([entry], "2026-11-20T12:34:20Z")).toEqual([]);
    expect(nextTime(entry.pattern, "UTC", new Date("2026-01-01T00:00:00Z"))).toBeUndefined();
  });
});

describe("daylight saving", () => {
  test("Moscow has none: 03:00 is midnight in UTC all year", () => {
    const runs = runsBetween("0 3 * * *", "Europe/Moscow", "2026-03-27T12:00:00Z", "2026-03-30T12:00:00Z");
    expect(runs).toEqual(["2026-03-28T00:00:00.000Z", "2026-03-29T00:00:00.000Z", "2026-03-30T00:00:00.000Z"]);
    expect(runsBetween("0 3 * * *", "Europe/Moscow", "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z")).toEqual([
      "2026-10-25T00:00:00.000Z",
      "2026-10-26T00:00:00.000Z",
    ]);
  });

  test.each([
    ["Berlin", "Europe/Berlin", "30 2 * * *", "2026-03-28", ["28T01:30", "29T01:00", "30T00:30"]],
    ["New York", "America/New_York", "30 2 * * *", "2026-03-07", ["07T07:30", "08T07:00", "09T06:30"]],
  ] as const)(
    "%s in spring: a time that is skipped runs when the clocks have been moved",
    (_, zone, pattern, day, expected) => {
      const from = `${day}T00:00:00Z`;
      const to = new Date(Date.parse(from) + 2.5 * 86_400_000).toISOString();
      const month = day.slice(0, 8);
      expect(runsBetween(pattern, zone, from, to)).toEqual(expected.map((time) => `${month}${time}:00.000Z`));
    },
  );

  test.each([
    ["Berlin", "Europe/Berlin", "30 2 * * *", "2026-10-24T00:00:00Z", ["10-24T00:30", "10-25T00:30", "10-26T01:30"]],
    [
      "New York",
      "America/New_York",
      "30 1 * * *",
      "2026-10-31T00:00:00Z",
      ["10-31T05:30", "11-01T05:30", "11-02T06:30"],
    ],
  ] as const)("%s in autumn: a time that comes twice runs once", (_, zone, pattern, from, expected) => {
    const to = new Date(Date.parse(from) + 2.5 * 86_400_000).toISOString();
    expect(runsBetween(pattern, zone, from, to)).toEqual(expected.map((time) => `2026-${time}:00.000Z`));
  });

  test.each([
    ["2026-03-28T22:30:00Z", "2026-03-29T06:00:00Z"],
    ["2026-10-24T22:30:00Z", "2026-10-25T06:00:00Z"],
  ])("an hourly schedule keeps its hours through the switch at %s", (from, to) => {
    const runs = runsBetween("0 * * * *", "Europe/Berlin", from, to).map((run) => Date.parse(run));
    expect(runs).toHaveLength(8);
    expect(new Set(runs.slice(1).map((at, index) => at - (runs[index] ?? 0)))).toEqual(new Set([60 * minute]));
  });
});

describe("whatever way the clock goes", () => {
  const zones = ["UTC", "Europe/Moscow", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"];
  const patterns = ["*/7 * * * *", "0 * * * *", "30 2 * * *", "30 1 * * *", "15 3 * * 0", "0 0 1 * *", "59 23 * * 1-5"];
  const starts = [
    "2026-01-01T00:00:00Z",
    "2026-03-07T20:00:00Z",
    "2026-03-28T20:00:00Z",
    "2026-10-24T20:00:00Z",
    "2026-10-31T20:00:00Z",
  ];
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 20_000 }) },
    { weight: 3, arbitrary: fc.integer({ min: -2 * 3_600_000, max: 3 * 3_600_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: -86_400_000, max: 2 * 86_400_000 }) },
  );

  test("no time is run twice and none is forgotten", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom(...patterns),
        fc.constantFrom(...starts),
        fc.array(step, { minLength: 1, maxLength: 60 }),
        (timezone, pattern, start, steps) => {
          const entry = { ...daily, timezone, pattern };
          const memory = new Memory();
          let now = Date.parse(start);
          let newest = now;
          memory.tick([entry], new Date(now));
          const runs: Due[] = [];
          for (const ms of steps) {
            // A clock that was ahead by more than a day was wrong: what it has handled does not count (see below).
            now = Math.max(now + ms, newest - 24 * 3_600_000);
            newest = Math.max(newest, now);
            runs.push(...memory.tick([entry], new Date(now)));
          }
          const expected: number[] = [];
          for (let at = nextTime(pattern, timezone, new Date(start)); at && at.getTime() <= newest; ) {
            expected.push(at.getTime());
            at = nextTime(pattern, timezone, at);
          }
          const times = runs.map((run) => run.at.getTime());
          expect(new Set(times).size).toBe(times.length);
          expect(times).toEqual(times.toSorted((a, b) => a - b));
          // Every time is either run or counted as missed by the run that makes up for it.
          expect(runs.reduce((sum, run) => sum + 1 + run.missed, 0)).toBe(expected.length);
          expect(times.at(-1)).toBe(expected.at(-1));
          for (const at of times) expect(expected).toContain(at);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("a run is called late exactly when it is more than two minutes behind the clock", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 * minute }), { maxLength: 40 }), (steps) => {
        const entry = { ...daily, pattern: "*/10 * * * *" };
        const memory = new Memory();
        let now = Date.parse("2026-05-01T00:00:00Z");
        memory.tick([entry], new Date(now));
        for (const ms of steps) {
          now += ms;
          for (const item of memory.tick([entry], new Date(now)))
            expect(item.late).toBe(now - item.at.getTime() > 2 * minute);
        }
      }),
    );
    expect(lateAfterMs).toBe(2 * minute);
  });
});
