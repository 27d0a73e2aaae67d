import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Incident, type IncidentSettings, isOpen } from "../../src/core/incident.ts";
import { applyTime, close } from "../../src/core/incident-life.ts";
import { applySignal } from "../../src/core/incident-signal.ts";
import { identityOf, type Signal } from "../../src/core/signal.ts";
import { operator, signal } from "../support/signals.ts";

const minute = 60_000;
const settings: IncidentSettings = {
  reopenWithin: 30 * minute,
  staleAfter: 60 * minute,
  flapping: { changes: 4, within: 20 * minute },
};
const beginning = Date.parse("2026-03-01T03:00:00.000Z");
const iso = (minutes: number): string => new Date(beginning + minutes * minute).toISOString();
const apply = (known: Incident | undefined, said: Signal, now: Date): Incident =>
  applySignal(known, said, identityOf(said), settings, now).incident;

/** Beginnings and ends of one thing, in minutes; they may overlap, as two watchers see them. */
const said: fc.Arbitrary<Signal> = fc
  .record({
    start: fc.nat(20),
    length: fc.nat(6),
    over: fc.boolean(),
    severity: fc.constantFrom("critical", "warning"),
  })
  .map(({ start, length, over, severity }) =>
    signal("db-1", {
      severity: severity as Signal["severity"],
      status: over ? "resolved" : "firing",
      startsAt: iso(start),
      ...(over ? { endsAt: iso(start + length) } : {}),
    }),
  );

/** Between signals that overtake each other: together less than a minute. */
const moments = [0, 1, 2500];
/** Any. */
const whiles = [...moments, 20_000, 5 * minute, 45 * minute];

/** Any order of the same signals, each at least once, with some time between them. */
const deliveries = (between: readonly number[]) =>
  fc.array(said, { minLength: 1, maxLength: 12 }).chain((set) => {
    const order = fc
      .tuple(fc.constant(set), fc.array(fc.constantFrom(...set), { maxLength: 8 }))
      .chain(([once, again]) => fc.shuffledSubarray([...once, ...again], { minLength: once.length + again.length }));
    const pauses = fc.array(fc.constantFrom(...between), { minLength: 20, maxLength: 20 });
    return fc.record({ set: fc.constant(set), order, pauses });
  });

/** Whether the newest beginning in a set of signals is after every end in it. */
function firesAfter(set: readonly Signal[]): boolean {
  const starts = set.filter(({ status }) => status === "firing").map(({ startsAt }) => Date.parse(startsAt ?? ""));
  const isOver = (start: number): boolean =>
    set.some(
      ({ status, startsAt = "", endsAt = "" }) =>
        status === "resolved" && (Date.parse(startsAt) >= start || Date.parse(endsAt) > start),
    );
  return starts.some((start) => !isOver(start));
}

/** What is known after signals were told with pauses between them, and when that is. */
function told(order: readonly Signal[], pauses: readonly number[]): { incident: Incident | undefined; now: number } {
  let now = beginning + 60 * minute;
  let incident: Incident | undefined;
  for (const [index, one] of order.entries()) {
    now += pauses[index] ?? 0;
    incident = apply(incident, one, new Date(now));
  }
  return { incident, now };
}

test("it fires in the end exactly when its newest beginning is after every end, in whatever order they are told", () => {
  fc.assert(
    fc.property(deliveries(moments), ({ set, order, pauses }) => {
      const { incident } = told(order, pauses);
      expect(incident && isOpen(incident)).toBe(firesAfter(set));
    }),
    { numRuns: 2000 },
  );
});

test("with any time between them it fires whenever it would without, and what is over only when that was told late", () => {
  fc.assert(
    fc.property(deliveries(whiles), ({ set, order, pauses }) => {
      const { incident } = told(order, pauses);
      let sinceEnd: number | undefined;
      let isToldLate = false;
      for (const [index, one] of order.entries()) {
        if (sinceEnd !== undefined) sinceEnd += pauses[index] ?? 0;
        if (one.status === "resolved") sinceEnd ??= 0;
        else isToldLate ||= sinceEnd !== undefined && sinceEnd > minute - 5000;
      }
      const isFiring = incident !== undefined && isOpen(incident);
      expect(isFiring === firesAfter(set) || (isFiring && isToldLate)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test("whatever was told before, a source that speaks again after a minute is believed", () => {
  fc.assert(
    fc.property(deliveries(whiles), ({ set, order, pauses }) => {
      const { incident: before, now } = told(order, pauses);
      for (const status of ["firing", "resolved"] as const) {
        const last = set.findLast((one) => one.status === "firing") ?? set[0];
        if (last === undefined) continue;
        const later = new Date(now + minute);
        const { endsAt: _endsAt, ...rest } = last;
        const end = status === "resolved" ? { endsAt: new Date(now).toISOString() } : {};
        const incident = apply(before, { ...rest, status, ...end }, later);
        expect(isOpen(incident)).toBe(status === "firing");
        // Also of one that was believed too soon the next end is.
        const over = { ...rest, status: "resolved", endsAt: later.toISOString() } as const;
        expect(isOpen(apply(incident, over, later))).toBe(false);
      }
    }),
    { numRuns: 1000 },
  );
});

test("what is told again at once changes nothing but the time it was heard", () => {
  fc.assert(
    fc.property(fc.array(said, { minLength: 1, maxLength: 12 }), fc.boolean(), (order, closed) => {
      let incident: Incident | undefined;
      let now = beginning + 60 * minute;
      for (const one of order) {
        now += 1000;
        incident = apply(incident, one, new Date(now));
        if (closed && incident.times > 0) incident = close(incident, operator, new Date(now));
        const once: Incident = incident.status === "closed" ? apply(incident, one, new Date(now)) : incident;
        const { heardAt: _heard, stillReported: _count, ...twice } = apply(once, one, new Date(now + 1));
        const { heardAt: _before, stillReported: _counted, ...expected } = once;
        expect(twice).toEqual(expected);
      }
    }),
    { numRuns: 500 },
  );
});

test("the history tells the beginning and the newest, however long it becomes, and counts what it leaves out", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.constantFrom(1, 7), (times, every) => {
      let now = beginning;
      let incident: Incident | undefined;
      for (let time = 0; time < times; time++) {
        now += every * minute;
        incident = apply(incident, signal("db-1", { startsAt: new Date(now).toISOString() }), new Date(now));
        now += every * minute;
        const end = signal("db-1", { status: "resolved", startsAt: incident.startsAt });
        incident = applyTime(apply(incident, end, new Date(now)), settings, new Date(now));
      }
      const { history, forgotten = 0, openedAt } = incident ?? { history: [], openedAt: "" };
      expect(history[0]).toEqual({ at: openedAt, event: "opened" });
      expect(history.slice(-3).some(({ event }) => event === "resolved")).toBe(true);
      expect(history.length).toBeLessThanOrEqual(60);
      expect(history.map(({ at }) => at)).toEqual(history.map(({ at }) => at).toSorted());
      const flapping = 2 * every * (settings.flapping.changes - 1) <= 40 && every === 1 && times > 1 ? 1 : 0;
      expect(history.length + forgotten).toBe(2 * times + flapping);
      expect(incident?.times).toBe(times);
    }),
    { numRuns: 100 },
  );
});
