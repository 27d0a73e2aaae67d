import { describe, expect, test } from "vitest";
import { parseStats } from "../../src/bot/commands/stats.ts";
import { captionLines } from "../../src/bot/views/chart-caption.ts";
import { tableHtml } from "../../src/bot/views/fleet-table.ts";
import type { ViewContext } from "../../src/bot/views/types.ts";
import { type FleetRow, markOfStand, redFirst, standOf, summaryOf } from "../../src/core/fleet.ts";
import { type TrendMetric, trendOf } from "../../src/core/fleet-trend.ts";
import { isChosen, limitsOf } from "../../src/core/rule-limits.ts";
import type { ServerState } from "../../src/core/server-state.ts";
import { messagesOf } from "../../src/messages/index.ts";

const now = new Date("2026-11-22T11:00:00.000Z");
const minuteMs = 60_000;
const every = 5 * minuteMs;
const ago = (minutes: number): Date => new Date(now.getTime() - minutes * minuteMs);

function known(change: Partial<ServerState> = {}): ServerState {
  return {
    name: "web-1",
    lookedAt: ago(2),
    tookMs: 10,
    look: 1,
    goodAt: ago(2),
    reading: { at: ago(2), metrics: { cpu: 37 } },
    status: "on",
    ...change,
  };
}
const failure = (change: Partial<NonNullable<ServerState["failure"]>> = {}) => ({
  kind: "unreachable" as const,
  reason: { key: "x" },
  since: ago(12),
  count: 3,
  ...change,
});

describe("a server", () => {
  test("is as old as its values, which its provider may have measured long before they came", () => {
    const late = known({ reading: { at: ago(9), metrics: { cpu: 37 } } });
    const stand = standOf(late, every, now);
    expect(stand).toMatchObject({ kind: "on", at: ago(9) });
    const open = { name: "web-1", mark: "green", known: late, stand, open: [], boots: [] } as const;
    const context = { messages: messagesOf("en"), now } as ViewContext;
    expect(captionLines(open, context, "UTC").at(-1)).toContain("measured 9m before");
    const ahead = known({ reading: { at: ago(-3), metrics: { cpu: 37 } } });
    expect(standOf(ahead, every, now)).toMatchObject({ kind: "on", at: ago(2) });
  });

  test("has values that count as now for two intervals and a half", () => {
    expect(standOf(known(), every, now)).toMatchObject({ kind: "on", metrics: { cpu: 37 }, at: ago(2) });
    expect(standOf(known({ goodAt: ago(12.4) }), every, now).kind).toBe("on");
    expect(standOf(known({ goodAt: ago(12.6) }), every, now)).toEqual({
      kind: "silent",
      ofApi: false,
      since: ago(12.6),
    });
    expect(standOf(undefined, every, now)).toEqual({ kind: "never" });
    expect(standOf(known({ reading: undefined, goodAt: undefined }), every, now)).toEqual({ kind: "never" });
  });

  test("is silent from its last values on, and says why", () => {
    const state = known({ failure: failure(), goodAt: ago(14) });
    expect(standOf(state, every, now)).toEqual({ kind: "silent", why: "unreachable", ofApi: false, since: ago(14) });
    expect(markOfStand(standOf(state, every, now), state, [])).toBe("red");
    const once = known({ failure: failure({ count: 1 }) });
    expect(markOfStand(standOf(once, every, now), once, [])).toBe("amber");
  });

  test("is not red because the API of its provider is down", () => {
    const state = known({ failure: failure({ kind: "account", ofApi: true }) });
    expect(markOfStand(standOf(state, every, now), state, [])).toBe("amber");
  });

  test("that was off is gone when its provider has it no more", () => {
    const state = known({ status: "off", failure: failure({ kind: "gone", count: 1 }) });
    expect(standOf(state, every, now)).toMatchObject({ kind: "silent", why: "gone" });
    expect(markOfStand(standOf(state, every, now), state, [])).toBe("red");
  });

  test("is off when its provider says so, whatever looks give", () => {
    const state = known({ status: "off", failure: failure({ kind: "no-data" }) });
    const stand = standOf(state, every, now);
    expect(stand).toEqual({ kind: "off", status: "off" });
    expect(markOfStand(stand, state, [])).toBe("off");
    expect(markOfStand(stand, state, [{ severity: "critical" }])).toBe("red");
  });

  test("is marked by its worst incident", () => {
    const stand = standOf(known(), every, now);
    expect(markOfStand(stand, known(), [])).toBe("green");
    expect(markOfStand(stand, known(), [{ severity: "info" }])).toBe("green");
    expect(markOfStand(stand, known(), [{ severity: "warning" }])).toBe("amber");
    expect(markOfStand(stand, known(), [{ severity: "warning" }, { severity: "critical" }])).toBe("red");
    const blocked = known({ status: "blocked" });
    expect(markOfStand(standOf(blocked, every, now), blocked, [])).toBe("red");
  });
});

const row = (name: string, change: Partial<FleetRow> = {}): FleetRow => ({
  name,
  labels: {},
  mark: "green",
  stand: { kind: "on", status: "on", metrics: { cpu: 37.4, memory: 64, disk: 87.6, load: 0.52 }, at: ago(1) },
  incidents: 0,
  ...change,
});

test("the order is red, amber, then by name, numbers as numbers", () => {
  const rows = [
    row("web-10"),
    row("web-9"),
    row("db", { mark: "amber" }),
    row("cache", { mark: "off" }),
    row("zz", { mark: "red" }),
    row("Web-1", { mark: "unknown" }),
  ];
  expect(rows.toSorted(redFirst).map(({ name }) => name)).toEqual(["zz", "db", "cache", "Web-1", "web-9", "web-10"]);
});

test("the summary counts each server once and knows the oldest reading that counts", () => {
  const rows = [
    row("a"),
    row("b", { stand: { kind: "on", status: "on", metrics: {}, at: ago(4) } }),
    row("c", { mark: "red", stand: { kind: "silent", ofApi: false, since: ago(50) } }),
    row("d", { stand: { kind: "off", status: "off" } }),
    row("e", { stand: { kind: "never" } }),
  ];
  expect(summaryOf(rows)).toEqual({ total: 5, on: 2, silent: 1, off: 1, never: 1, red: 1, oldest: ago(4) });
  expect(summaryOf([])).toEqual({ total: 0, on: 0, silent: 0, off: 0, never: 0, red: 0 });
});

describe("a trend", () => {
  const series = (values: readonly number[], stepMinutes = 5) =>
    values.map((value, index) => ({ at: ago((values.length - 1 - index) * stepMinutes).getTime(), value }));
  const along = (from: number, to: number, count = 13): number[] =>
    Array.from({ length: count }, (_, index) => from + ((to - from) * index) / (count - 1));

  test.each<[TrendMetric, number, number, string]>([
    ["cpu", 30, 33, "steady"],
    ["cpu", 30, 40, "up"],
    ["cpu", 30, 80, "up-fast"],
    ["cpu", 40, 30, "down"],
    ["memory", 90, 60, "down-fast"],
    ["load_per_core", 0.5, 0.8, "up"],
  ])("of %s from %d to %d is %s", (metric, from, to, trend) => {
    expect(trendOf(series(along(from, to)), metric, now)).toBe(trend);
  });

  test("of a disk is looked at for a day", () => {
    const day = series(along(70, 73, 289));
    expect(trendOf(day, "disk", now)).toBe("up");
    expect(trendOf(series(along(70, 70.4, 289)), "disk", now)).toBe("steady");
  });

  test("is not made of noise, nor of too little", () => {
    const noisy = along(0, 1).map((_, index) => 50 + (index % 2 === 0 ? 8 : -8));
    expect(trendOf(series(noisy), "cpu", now)).toBe("steady");
    expect(trendOf(series([1, 90, 1]), "cpu", now)).toBeUndefined();
    expect(trendOf(series([1, 2, 3, 90], 1), "cpu", now)).toBeUndefined();
    expect(trendOf([], "cpu", now)).toBeUndefined();
    expect(
      trendOf(
        series(along(1, 90)).map(({ at, value }) => ({ at: at - 3 * 3_600_000, value })),
        "cpu",
        now,
      ),
    ).toBeUndefined();
  });
});

describe("the table", () => {
  const text = (rows: readonly FleetRow[], locale: "en" | "ru" = "en"): string[] => {
    const trends = new Map([
      ["web-1", { cpu: "up", memory: "steady", disk: "up-fast", load_per_core: "down" } as const],
    ]);
    return tableHtml(rows, trends, messagesOf(locale), now)
      .replace(/<\/?pre>/g, "")
      .split("\n");
  };

  test("has a line for each server, with its sign, its values and where they go", () => {
    expect(text([row("web-1"), row("web-2")])).toEqual([
      "   server      CPU  MEM  DSK   LD",
      "🟢 web-1        37↗  64→  88↑ 0.5↘",
      "🟢 web-2        37   64   88  0.5",
    ]);
  });

  test("says instead of values why there are none, and since when", () => {
    const silent = { kind: "silent", why: "unreachable", ofApi: false, since: ago(12) } as const;
    expect(
      text([
        row("web-3", { mark: "red", stand: silent }),
        row("web-4", { mark: "amber", stand: { kind: "silent", why: "account", ofApi: true, since: ago(70) } }),
        row("web-5", { mark: "off", stand: { kind: "off", status: "off" } }),
        row("web-6", { mark: "unknown", stand: { kind: "never" } }),
        row("web-7", { mark: "red", stand: { kind: "silent", ofApi: false, since: ago(3000) } }),
      ]).slice(1),
    ).toEqual([
      "🔴 web-3       no answer 12m",
      "🟡 web-4       API down 1h",
      "⚫ web-5       off",
      "⚪ web-6       not looked at yet",
      "🔴 web-7       no news 2d",
    ]);
  });

  test("is never wider than a phone shows, in either language, and keeps the end of long names", () => {
    const silent = (why: "unreachable" | "no-data" | "garbage", age: number) =>
      ({ kind: "silent", why, ofApi: false, since: ago(age) }) as const;
    const metrics = { cpu: 100, memory: 100, disk: 100, load: 340 };
    const rows = [
      row("a-very-long-name-of-a-server-0042", { stand: { kind: "on", status: "on", metrics, at: ago(1) } }),
      row("web-1", { stand: { kind: "on", status: "on", metrics, at: ago(1) } }),
      ...(["unreachable", "no-data", "garbage"] as const).flatMap((why) =>
        [0.4, 59, 599, 1439, 47 * 60, 99 * 1440].map((age) => row("server-xyz-1", { stand: silent(why, age) })),
      ),
      row("gone-long-name", { stand: { kind: "off", status: "removed" } }),
    ];
    for (const locale of ["en", "ru"] as const)
      for (const line of text(rows, locale))
        expect([line, Array.from(line).length + (line.startsWith(" ") ? 0 : 1) <= 34]).toEqual([line, true]);
    expect(text(rows)[1]).toMatch(/^🟢 a-very…0042 100 {2}100 {2}100 {2}340$/);
  });
});

describe("limits of rules", () => {
  const rule = (when: string, more: object = {}) => ({ when, severity: "warning" as const, ...more });
  const web = { name: "web-1", labels: { env: "prod" } };

  test("are those of simple comparisons, in the metric's unit", () => {
    const rules = [
      rule("cpu > 90", { severity: "critical" }),
      rule("cpu > 90"),
      rule("85% < disk"),
      rule("avg(memory, 30m) > 80 and cpu > 70"),
      rule("network_in > 5 MB/s"),
      rule("full_in(disk, 6h) < 24h"),
      rule("rate(disk, 1h) > 5 %/h"),
      rule("not (cpu < 20)"),
      rule("this is no rule"),
    ];
    expect(limitsOf(rules, web)).toEqual([
      { metric: "cpu", value: 90, severity: "critical" },
      { metric: "disk", value: 85, severity: "warning" },
      { metric: "memory", value: 80, severity: "warning" },
      { metric: "cpu", value: 70, severity: "warning" },
      { metric: "network_in", value: 5e6, severity: "warning" },
    ]);
  });

  test("are those of rules that are about the server", () => {
    expect(isChosen({}, web)).toBe(true);
    expect(isChosen({ servers: ["web-*"] }, web)).toBe(true);
    expect(isChosen({ servers: ["db-*"] }, web)).toBe(false);
    expect(isChosen({ match: { env: ["test", "prod"] } }, web)).toBe(true);
    expect(isChosen({ match: { env: "test" } }, web)).toBe(false);
    expect(isChosen({ match: { toString: "x" } }, web)).toBe(false);
    expect(limitsOf([rule("cpu > 90", { servers: ["db-1"] })], web)).toEqual([]);
  });
});

test("the words of /stats are read in any order", () => {
  const day = 86_400_000;
  expect(parseStats("")).toEqual({ names: [], matchers: [], ranges: [] });
  expect(parseStats("Web-1 24h")).toEqual({ names: ["web-1"], matchers: [], ranges: [day] });
  expect(parseStats("7D web-1")).toEqual({ names: ["web-1"], matchers: [], ranges: [7 * day] });
  expect(parseStats("env=prod")).toMatchObject({ matchers: [{ label: "env", operator: "=", value: "prod" }] });
  for (const word of ["1m", "9999d", "1h 2h"]) expect(parseStats(word)).toMatchObject({ problem: "stats-bad-range" });
  expect(parseStats("env=~[")).toMatchObject({ problem: "alerts-bad-pattern" });
});
