import { offsetAt } from "./zone.ts";

/** A point in time that somebody has written down. */
export interface SaidMoment {
  readonly at: Date;
  /**
   * `skipped`: the clocks were put forward over it, and `at` is when that was. `twice`: the clocks were put back over it,
   * and `at` is the first of the two.
   */
  readonly note?: "skipped" | "twice";
}

/** Why it is none: it can not be read (or there is no such day), no time of the day is said, it is still to come. */
export type MomentProblem = "unreadable" | "no-time" | "future";

type Read = SaidMoment | { readonly problem: MomentProblem };

interface Options {
  readonly now: Date;
  /** IANA time zone in which it is meant. */
  readonly timezone: string;
}

/** A day of the calendar, as milliseconds since 1970 of its midnight in UTC. */
type Day = number;

const minuteMs = 60_000;
const dayMs = 86_400_000;

const leading = /^(?:before|at|until|до|перед|на|в|во)\s+/i;
const between = String.raw`(?:(?:\s*,\s*|\s+|T)(?:at\s+|в\s+|во\s+)?)`;
const clock = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/;
const withOffset = /^(\d{4}-\d{2}-\d{2})[T\s]+(\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|[+-]\d{2}:?\d{2})$/i;
const isoDay = new RegExp(`^(\\d{4})-(\\d{1,2})-(\\d{1,2})(?:${between}(.+))?$`, "i");
const dottedDay = new RegExp(`^(\\d{1,2})\\.(\\d{1,2})\\.(\\d{4}|\\d{2})(?:${between}(.+))?$`, "i");
const shortDay = new RegExp(`^(\\d{1,2})\\.(\\d{1,2})\\.?(?:${between}(.+))?$`, "i");
const namedDay = new RegExp(`^(\\p{L}+)(?:${between}(.+))?$`, "iu");

const daysBack: ReadonlyMap<string, number> = new Map([
  ["today", 0],
  ["сегодня", 0],
  ["yesterday", 1],
  ["вчера", 1],
  ["позавчера", 2],
]);

/**
 * The point in time that is meant: "14:30" (the last one), "yesterday 14:30", "вчера в 14:30", "2026-11-20 14:30",
 * "20.11.2026 14:30", "20.11 14:30" (the last one), or ISO 8601 with an offset of its own.
 */
export function readMoment(text: string, options: Options): Read {
  const said = text.trim().replace(leading, "").trim();
  const own = withOffset.exec(said);
  if (own) return zoned(own, options);
  const today = dayOf(options);
  if (clock.test(said)) return past(onDay(today, said, options), () => onDay(today - dayMs, said, options), options);
  const iso = isoDay.exec(said);
  if (iso) return past(onDay(calendarDay(iso[1], iso[2], iso[3]), iso[4], options), undefined, options);
  const dotted = dottedDay.exec(said);
  if (dotted) {
    const year = dotted[3]?.length === 2 ? `20${dotted[3]}` : dotted[3];
    return past(onDay(calendarDay(year, dotted[2], dotted[1]), dotted[4], options), undefined, options);
  }
  const short = shortDay.exec(said);
  if (short) {
    const year = new Date(today).getUTCFullYear();
    const of = (wanted: number): Read => onDay(calendarDay(wanted, short[2], short[1]), short[3], options);
    return past(of(year), () => of(year - 1), options);
  }
  const named = namedDay.exec(said);
  const back = daysBack.get(named?.[1]?.toLowerCase() ?? "");
  if (back === undefined) return { problem: "unreadable" };
  return past(onDay(today - back * dayMs, named?.[2], options), undefined, options);
}

/** What is still to come is not taken; `instead` is what may be meant then. */
function past(read: Read, instead: (() => Read) | undefined, { now }: Options): Read {
  if ("problem" in read || read.at <= now) return read;
  return instead ? instead() : { problem: "future" };
}

function zoned([, day, time, offset = ""]: RegExpExecArray, options: Options): Read {
  const zone = /^z$/i.test(offset) ? "Z" : offset.replace(/^(...)(\d)/, "$1:$2");
  const at = new Date(`${day}T${time}${zone}`);
  return Number.isNaN(at.getTime()) ? { problem: "unreadable" } : past({ at }, undefined, options);
}

function calendarDay(year: unknown, month: unknown, day: unknown): Day | undefined {
  const at = new Date(0);
  at.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  // There is no 30 February.
  return at.getUTCMonth() === Number(month) - 1 && at.getUTCDate() === Number(day) ? at.getTime() : undefined;
}

function onDay(day: Day | undefined, time: string | undefined, { timezone }: Options): Read {
  if (day === undefined) return { problem: "unreadable" };
  if (time === undefined) return { problem: "no-time" };
  const [, hours, minutes, seconds = "0"] = clock.exec(time.trim()) ?? [];
  if (hours === undefined) return { problem: "unreadable" };
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return { problem: "unreadable" };
  const wall = day + Number(hours) * 60 * minuteMs + Number(minutes) * minuteMs + Number(seconds) * 1000;
  return instantOf(wall, timezone);
}

/** When the clocks of a zone show this; `wall` as milliseconds since 1970 as if it were UTC. */
function instantOf(wall: number, timezone: string): SaidMoment {
  // No zone is a day away from UTC, and none changes twice within two days.
  const [before, after] = [offsetAt(wall - dayMs, timezone), offsetAt(wall + dayMs, timezone)];
  const candidates = [...new Set([wall - before, wall - after])].sort((a, b) => a - b);
  const [first, second] = candidates.filter((at) => at + offsetAt(at, timezone) === wall);
  if (first !== undefined) return { at: new Date(first), ...(second === undefined ? {} : { note: "twice" }) };
  const [low = 0, high = 0] = candidates;
  return { at: new Date(changeBetween(low, high, timezone)), note: "skipped" };
}

/** The first millisecond of the new offset. */
function changeBetween(from: number, to: number, timezone: string): number {
  const old = offsetAt(from, timezone);
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle, timezone) === old) low = middle;
    else high = middle;
  }
  return high;
}

function dayOf({ now, timezone }: Options): Day {
  const wall = now.getTime() + offsetAt(now.getTime(), timezone);
  return wall - (((wall % dayMs) + dayMs) % dayMs);
}
