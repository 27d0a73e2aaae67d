import { describe, expect, test } from "vitest";
import {
  isSilentAt,
  minuteOfDay,
  parseDailySpan,
  parseTimeOfDay,
  patternOf,
  type Route,
  routeFor,
} from "../../src/core/route.ts";

const routes: Route[] = [
  { match: { severity: "critical", env: ["prod", "stage"] }, topic: "a" },
  { match: { job: "/db-\\d+|redis/" }, topic: "b" },
  { match: { team: "" }, topic: "c" },
];
const topicOf = (labels: Record<string, string>): string | undefined => routeFor(routes, labels)?.topic;

describe("a route", () => {
  test("is the first one whose labels are all there, one of several values each", () => {
    expect(topicOf({ severity: "critical", env: "prod" })).toBe("a");
    expect(topicOf({ severity: "critical", env: "stage", job: "redis" })).toBe("a");
    expect(topicOf({ severity: "critical", env: "test", job: "redis" })).toBe("b");
  });

  test("asks for the whole of a pattern", () => {
    expect(topicOf({ job: "db-12", team: "x" })).toBe("b");
    expect(topicOf({ job: "my-db-12", team: "x" })).toBeUndefined();
    expect(topicOf({ job: "redis-2", team: "x" })).toBeUndefined();
  });

  test("takes a label that is not there for an empty one, names of JavaScript included", () => {
    expect(topicOf({})).toBe("c");
    expect(routeFor([{ match: { constructor: "" }, topic: "d" }], {})?.topic).toBe("d");
  });

  test("without conditions takes everything", () => {
    expect(routeFor([{ match: {} }], { any: "thing" })).toEqual({ match: {} });
    expect(routeFor([], {})).toBeUndefined();
  });

  test("has patterns between slashes only", () => {
    expect(patternOf("/var/log")).toBeUndefined();
    expect(patternOf("//")).toBeUndefined();
    expect(patternOf("/a|b/")?.test("b")).toBe(true);
    expect(() => patternOf("/(/")).toThrow(SyntaxError);
  });
});

describe("silent hours", () => {
  const night = parseDailySpan("22:00-08:00");
  const day = parseDailySpan("09:00 - 17:30");

  test.for([
    ["2026-03-01T21:59:59Z", false],
    ["2026-03-01T22:00:00Z", true],
    ["2026-03-02T00:00:00Z", true],
    ["2026-03-02T07:59:59Z", true],
    ["2026-03-02T08:00:00Z", false],
  ] as const)("pass midnight: at %s %s", ([at, silent]) => {
    expect(isSilentAt(night, new Date(at), "UTC")).toBe(silent);
  });

  test("within a day begin with their first minute and end before their last", () => {
    const at = (time: string): boolean => isSilentAt(day, new Date(`2026-03-01T${time}Z`), "UTC");
    expect(["08:59:59", "09:00:00", "17:29:59", "17:30:00"].map(at)).toEqual([false, true, true, false]);
  });

  test("are those of the configured zone", () => {
    const at = new Date("2026-03-01T19:30:00Z");
    expect(isSilentAt(night, at, "Europe/Moscow")).toBe(true);
    expect(isSilentAt(night, at, "UTC")).toBe(false);
    expect(isSilentAt(night, at, "Asia/Kathmandu")).toBe(true);
    expect(minuteOfDay(at, "Asia/Kathmandu")).toBe(75);
  });

  test("follow the clock on the wall when it is changed", () => {
    // Berlin, the night of 29 March 2026: 08:00 is 07:00 UTC before it and 06:00 UTC after it.
    const at = (iso: string): boolean => isSilentAt(night, new Date(iso), "Europe/Berlin");
    expect(at("2026-03-28T06:30:00Z")).toBe(true);
    expect(at("2026-03-29T05:59:59Z")).toBe(true);
    expect(at("2026-03-29T06:00:00Z")).toBe(false);
    // The hour that is there twice in October is silent both times.
    expect(at("2026-10-25T00:30:00Z")).toBe(true);
    expect(at("2026-10-25T01:30:00Z")).toBe(true);
    expect(at("2026-10-25T06:59:59Z")).toBe(true);
    expect(at("2026-10-25T07:00:00Z")).toBe(false);
  });

  test("may be always or never", () => {
    const now = new Date();
    expect([isSilentAt(true, now, "UTC"), isSilentAt(false, now, "UTC"), isSilentAt(undefined, now, "UTC")]).toEqual([
      true,
      false,
      false,
    ]);
  });

  test.for(["22:00", "22:00-22:00", "22:00-24:00", "22:60-08:00", "a-b", "22:00-08:00-09:00", ""])(
    "are not %j",
    (text) => {
      expect(parseDailySpan(text)).toBeUndefined();
    },
  );

  test("are read in minutes of the day", () => {
    expect(parseDailySpan("22:00-8:05")).toEqual({ from: 1320, to: 485 });
    expect(parseTimeOfDay("0:00")).toBe(0);
    expect(parseTimeOfDay("7")).toBeUndefined();
  });
});
