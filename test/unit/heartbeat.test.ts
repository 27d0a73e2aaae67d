import { describe, expect, it, test } from "vitest";
import {
  applyPing,
  dueAt,
  type HeartbeatRule,
  type HeartbeatState,
  judge,
  knownHeartbeat,
  type Ping,
} from "../../src/core/heartbeat.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const hourly: HeartbeatRule = { every: hour, timezone: "UTC", grace: 5 * minute };
const nightly: HeartbeatRule = { cron: "0 3 * * *", timezone: "Europe/Berlin", grace: hour };

/** A heartbeat with a clock of its own. */
class Beat {
  now: number;
  state: HeartbeatState;
  rule: HeartbeatRule;
  constructor(rule: HeartbeatRule, start = "2026-03-01T00:00:00Z") {
    this.rule = rule;
    this.now = Date.parse(start);
    this.state = knownHeartbeat(rule, undefined, new Date(this.now));
  }
  at(ms: number): this {
    this.now += ms;
    return this;
  }
  until(time: string): this {
    this.now = Date.parse(time);
    return this;
  }
  ping(kind: Ping["kind"], about: Omit<Ping, "kind"> = {}): this {
    const known = knownHeartbeat(this.rule, this.state, new Date(this.now));
    this.state = applyPing(known, { kind, ...about }, new Date(this.now));
    return this;
  }
  /** What the watch says, which then is remembered. */
  look(backSince?: number): string {
    const known = knownHeartbeat(this.rule, this.state, new Date(this.now));
    const down = judge(this.rule, known, new Date(this.now), backSince);
    this.state = down ? { ...known, down } : known;
    return down?.reason ?? "well";
  }
}

describe("a period", () => {
  it("owes nothing before one whole period and the grace have passed", () => {
    const beat = new Beat(hourly);
    expect(beat.at(hour + 5 * minute - 1).look()).toBe("well");
    expect(beat.at(1).look()).toBe("late");
    expect(beat.state.down).toMatchObject({ since: beat.now, due: beat.now - 5 * minute });
    expect(beat.state.down).not.toHaveProperty("last");
  });

  it("begins anew with each success", () => {
    const beat = new Beat(hourly).at(50 * minute).ping("success");
    expect(beat.at(hour + 4 * minute).look()).toBe("well");
    expect(
      beat
        .ping("success")
        .at(hour + 5 * minute)
        .look(),
    ).toBe("late");
    expect(beat.at(day).look()).toBe("late");
    expect(beat.ping("success").look()).toBe("well");
    expect(beat.state).not.toHaveProperty("down");
  });

  it("is not lengthened by words or by a start", () => {
    const beat = new Beat(hourly)
      .ping("success")
      .at(hour)
      .ping("log", { output: "hm" })
      .at(2 * minute)
      .ping("start");
    expect(beat.at(3 * minute).look()).toBe("late");
  });
});

describe("a cron expression", () => {
  it("counts from its times in its zone", () => {
    const beat = new Beat(nightly, "2026-03-01T12:00:00Z");
    expect(new Date(dueAt(nightly, beat.state)).toISOString()).toBe("2026-03-02T02:00:00.000Z");
    expect(beat.until("2026-03-02T02:59:59Z").look()).toBe("well");
    expect(beat.until("2026-03-02T03:00:00Z").look()).toBe("late");
  });

  it("follows the daylight saving of its zone", () => {
    const beat = new Beat(nightly, "2026-03-28T02:10:00Z").ping("success");
    // The clocks of Berlin go forward in this night.
    expect(new Date(dueAt(nightly, beat.state)).toISOString()).toBe("2026-03-29T01:00:00.000Z");
  });

  it("takes a success that comes a little before its time", () => {
    const beat = new Beat(nightly, "2026-03-01T12:00:00Z").until("2026-03-02T01:59:45Z").ping("success");
    expect(beat.until("2026-03-02T12:00:00Z").look()).toBe("well");
    const tooEarly = new Beat(nightly, "2026-03-01T12:00:00Z").until("2026-03-02T01:50:00Z").ping("success");
    expect(tooEarly.until("2026-03-02T12:00:00Z").look()).toBe("late");
  });
});

describe("runs", () => {
  it("that end within the grace are measured", () => {
    const beat = new Beat(hourly)
      .ping("start")
      .at(3 * minute)
      .ping("success");
    expect(beat.state).toMatchObject({ tookMs: 3 * minute, runs: [] });
    expect(beat.at(minute).ping("success").state).not.toHaveProperty("tookMs");
  });

  it("that do not are missed, and found again with their end", () => {
    const beat = new Beat(hourly).ping("success").at(minute).ping("start");
    expect(beat.at(5 * minute - 1).look()).toBe("well");
    expect(beat.at(1).look()).toBe("unfinished");
    expect(beat.at(20 * minute).look()).toBe("unfinished");
    expect(beat.ping("success").look()).toBe("well");
    expect(beat.state.tookMs).toBe(25 * minute);
  });

  it("overlap when they have names", () => {
    const beat = new Beat(hourly)
      .ping("start", { run: "a" })
      .at(2 * minute)
      .ping("start", { run: "b" });
    beat.at(minute).ping("success", { run: "a" });
    expect(beat.state).toMatchObject({ tookMs: 3 * minute, runs: [{ run: "b" }] });
    expect(beat.at(4 * minute - 1).look()).toBe("well");
    expect(beat.at(1).look()).toBe("unfinished");
    expect(beat.ping("success", { run: "b" }).look()).toBe("well");
  });

  it("that overlap each have to end; one that does not is told once, and the next success is the end of it", () => {
    const beat = new Beat(hourly).ping("start", { run: "killed" }).at(minute).ping("start", { run: "next" });
    beat.at(minute).ping("success", { run: "next" });
    expect(beat.state.runs).toMatchObject([{ run: "killed" }]);
    expect(beat.at(30 * minute).look()).toBe("unfinished");
    beat.ping("start", { run: "third" }).at(minute).ping("success", { run: "third" });
    expect(beat.state.runs).toEqual([]);
    expect(beat.at(minute).look()).toBe("well");
  });

  it("that begin again begin once", () => {
    const beat = new Beat(hourly)
      .ping("start")
      .at(4 * minute)
      .ping("start")
      .at(4 * minute);
    expect(beat.state.runs).toHaveLength(1);
    expect(beat.look()).toBe("well");
  });

  it("are remembered in bounds", () => {
    const beat = new Beat(hourly);
    for (let run = 0; run < 500; run++) beat.at(10).ping("start", { run: `${run}` });
    expect(beat.state.runs.length).toBeLessThan(50);
  });

  it("that failed are so at once", () => {
    const beat = new Beat(hourly).ping("start").at(minute).ping("fail", { exit: 3, output: "no space left" });
    expect(beat.look()).toBe("failed");
    expect(beat.state).toMatchObject({ output: "no space left", down: { exit: 3, tookMs: minute, since: beat.now } });
    expect(
      beat
        .at(10 * minute)
        .ping("start")
        .look(),
    ).toBe("failed");
    expect(beat.ping("success").look()).toBe("well");
    expect(beat.state).not.toHaveProperty("output");
  });
});

describe("time", () => {
  it("that goes backwards makes nothing fire", () => {
    const beat = new Beat(hourly).at(day).ping("success").at(minute).ping("start").at(minute);
    for (const back of [minute, hour, day, 365 * day]) {
      expect(beat.at(-back).look()).toBe("well");
    }
  });

  it("that was ahead and is set right keeps nobody waiting", () => {
    const beat = new Beat(hourly).at(30 * day).ping("success");
    expect(beat.at(-30 * day).look()).toBe("well");
    expect(beat.at(hour + 4 * minute).look()).toBe("well");
    expect(beat.at(minute).look()).toBe("late");
  });

  it("of two clocks that differ a little is no wrong one", () => {
    const beat = new Beat(hourly).ping("success");
    const { state } = beat;
    expect(knownHeartbeat(hourly, state, new Date(beat.now - 30_000))).toBe(state);
  });

  test("while the watch was away, a sign may have been lost: there is another grace", () => {
    const beat = new Beat(hourly).ping("success").at(3 * hour);
    const back = beat.now;
    expect(beat.look(back)).toBe("well");
    expect(beat.at(5 * minute - 1).look(back)).toBe("well");
    expect(beat.at(1).look(back)).toBe("late");
    // What is missed stays missed when the watch goes away once more.
    expect(beat.at(minute).look(beat.now)).toBe("late");
  });
});

describe("another schedule", () => {
  it("counts from when it is known", () => {
    const beat = new Beat({ ...hourly, every: 30 * day }).ping("success").at(5 * day);
    beat.rule = hourly;
    expect(beat.look()).toBe("well");
    expect(beat.at(hour + 4 * minute).look()).toBe("well");
    expect(beat.at(minute).look()).toBe("late");
  });

  it("is none when only the grace or an unused zone changes", () => {
    const beat = new Beat(hourly).ping("success").at(hour + minute);
    beat.rule = { ...hourly, grace: minute, timezone: "Asia/Tokyo" };
    expect(beat.look()).toBe("late");
  });
});
