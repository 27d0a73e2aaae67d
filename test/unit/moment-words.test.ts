import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readMoment } from "../../src/core/moment-words.ts";
import { formatTime } from "../../src/messages/format.ts";

const moscow = { now: new Date("2026-11-20T18:00:00Z"), timezone: "Europe/Moscow" };
const berlin = { now: new Date("2026-12-31T12:00:00Z"), timezone: "Europe/Berlin" };
const read = (text: string, options = moscow): string => {
  const said = readMoment(text, options);
  if ("problem" in said) return said.problem;
  return `${said.at.toISOString().slice(0, 19)}${said.note === undefined ? "" : ` ${said.note}`}`;
};

describe("a point in time as people write it", () => {
  test.each([
    ["14:30", "2026-11-20T11:30:00"],
    ["before 14:30", "2026-11-20T11:30:00"],
    ["до 14:30", "2026-11-20T11:30:00"],
    ["9:05:07", "2026-11-20T06:05:07"],
    // Not yet today: the last one is meant.
    ["23:59", "2026-11-19T20:59:00"],
    ["00:00", "2026-11-19T21:00:00"],
    ["today 14:30", "2026-11-20T11:30:00"],
    ["Yesterday at 14:30", "2026-11-19T11:30:00"],
    ["вчера 14:30", "2026-11-19T11:30:00"],
    ["Вчера в 14:30", "2026-11-19T11:30:00"],
    ["до вчера, 14:30", "2026-11-19T11:30:00"],
    ["позавчера в 1:00", "2026-11-17T22:00:00"],
    ["2026-11-20 14:30", "2026-11-20T11:30:00"],
    ["2026-11-20T14:30:15", "2026-11-20T11:30:15"],
    ["2026-11-20T14:30Z", "2026-11-20T14:30:00"],
    ["2026-11-20T14:30:00.250+0500", "2026-11-20T09:30:00"],
    ["20.11.2026 14:30", "2026-11-20T11:30:00"],
    ["20.11.26, 14:30", "2026-11-20T11:30:00"],
    ["20.11 14:30", "2026-11-20T11:30:00"],
    ["21.11 в 14:30", "2025-11-21T11:30:00"],
    ["29.02.2024 12:00", "2024-02-29T09:00:00"],
  ])("%s", (text, at) => expect(read(text)).toBe(at));

  test.each([
    ["", "unreadable"],
    ["soon", "unreadable"],
    ["14", "unreadable"],
    ["25:00", "unreadable"],
    ["14:60", "unreadable"],
    ["2026-02-30 14:30", "unreadable"],
    ["2026-13-01 14:30", "unreadable"],
    ["00.11.2026 14:30", "unreadable"],
    ["2026-11-20T99:30Z", "unreadable"],
    ["yesterday evening", "unreadable"],
    ["yesterday", "no-time"],
    ["2026-11-20", "no-time"],
    ["20.11", "no-time"],
    ["2026-11-21 14:30", "future"],
    ["today 22:00", "future"],
    ["2030-01-01T00:00Z", "future"],
  ])("%s is none: %s", (text, problem) => expect(read(text)).toBe(problem));

  test("that the clocks have skipped is when they were put forward", () => {
    expect(read("2026-03-29 02:30", berlin)).toBe("2026-03-29T01:00:00 skipped");
    expect(read("2026-03-29 01:59", berlin)).toBe("2026-03-29T00:59:00");
    expect(read("2026-03-29 03:00", berlin)).toBe("2026-03-29T01:00:00");
    // By half an hour only.
    expect(read("2026-10-04 02:15", { ...berlin, timezone: "Australia/Lord_Howe" })).toBe(
      "2026-10-03T15:30:00 skipped",
    );
  });

  test("that the clocks have shown twice is the first of the two", () => {
    expect(read("2026-10-25 02:30", berlin)).toBe("2026-10-25T00:30:00 twice");
    expect(read("2026-10-25 03:00", berlin)).toBe("2026-10-25T02:00:00");
  });

  test("a day that a zone has left out", () => {
    // Samoa went over the date line: there was no 30 December 2011.
    expect(read("2011-12-30 12:00", { ...berlin, timezone: "Pacific/Apia" })).toBe("2011-12-30T10:00:00 skipped");
  });

  test("is what a clock in that zone shows then, in every zone", () => {
    const zones = ["UTC", "Europe/Moscow", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Chatham"];
    const minutes = fc.integer({ min: Date.UTC(2015, 0) / 60_000, max: Date.UTC(2026, 11) / 60_000 });
    fc.assert(
      fc.property(minutes, fc.constantFrom(...zones), (minute, timezone) => {
        const at = new Date(minute * 60_000);
        const shown = new Intl.DateTimeFormat("sv-SE", { timeZone: timezone, dateStyle: "short", timeStyle: "short" });
        const said = readMoment(shown.format(at), { now: berlin.now, timezone });
        if ("problem" in said) throw new Error(`${shown.format(at)}: ${said.problem}`);
        expect(formatTime(said.at, "en", timezone)).toBe(formatTime(at, "en", timezone));
        expect(said.at <= at).toBe(true);
        expect(said.note === undefined ? said.at : at).toEqual(at);
      }),
    );
  });

  test("never throws, and is never in the future", () => {
    const piece = fc.constantFrom(
      "14:30",
      "yesterday",
      "вчера",
      "2026-11-20",
      "20.11",
      "T",
      " ",
      "Z",
      "+25:00",
      "в",
      ".",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((all) => all.join("")),
        ),
        (text) => {
          const said = readMoment(text, moscow);
          expect("problem" in said || said.at <= moscow.now).toBe(true);
        },
      ),
    );
  });
});
