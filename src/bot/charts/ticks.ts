import { offsetAt } from "../../core/zone.ts";
import type { Locale } from "../../messages/index.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** A place on the axis of time. `label`: undefined where there is no room for one. */
export interface Tick {
  readonly at: number;
  readonly label: string;
  /** It names a day, among those that name a time. */
  readonly isDay: boolean;
}

const steps = [1, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720].map((minutes) => minutes * minuteMs);
const daySteps = [1, 2, 5, 7, 14];
const monthSteps = [1, 2, 3, 6, 12];

/** At most `most` (and one more) ticks at whole times of the zone's clock: "14:00", "12 Mar", "Mar". */
export function timeTicks(from: number, to: number, timezone: string, locale: Locale, most = 6): Tick[] {
  const length = Math.max(1, to - from);
  const step = steps.find((each) => length / each <= most);
  if (step !== undefined)
    return within(timesOfDay(from, to, step, timezone), from, to).map((at) => ofTime(at, locale, timezone));
  const days = daySteps.find((each) => length / dayMs / each <= (each === 1 ? most + 2 : most - 1));
  if (days !== undefined)
    return within(midnights(from, to, days, timezone), from, to).map((at) => ofDay(at, locale, timezone));
  const months = monthSteps.find((each) => length / (30 * dayMs) / each <= most + 1) ?? 12;
  return within(firstsOfMonths(from, to, months, timezone), from, to).map((at) => ofMonth(at, locale, timezone));
}

function within(times: readonly number[], from: number, to: number): number[] {
  return [...new Set(times)].filter((at) => at >= from && at <= to);
}

/** The moment at which the zone's clock shows `wall`, a time written as if it were UTC. */
function momentOf(wall: number, timezone: string): number {
  const guess = wall - offsetAt(wall, timezone);
  return wall - offsetAt(guess, timezone);
}

function timesOfDay(from: number, to: number, step: number, timezone: string): number[] {
  const times: number[] = [];
  const first = Math.floor((from + offsetAt(from, timezone)) / step) * step;
  for (let wall = first; wall <= to + offsetAt(to, timezone) + step; wall += step) times.push(momentOf(wall, timezone));
  return times;
}

function midnights(from: number, to: number, days: number, timezone: string): number[] {
  return timesOfDay(from, to, days * dayMs, timezone);
}

function firstsOfMonths(from: number, to: number, months: number, timezone: string): number[] {
  const times: number[] = [];
  const start = new Date(from + offsetAt(from, timezone));
  const first = Math.floor(start.getUTCMonth() / months) * months;
  for (let month = first; ; month += months) {
    const at = momentOf(Date.UTC(start.getUTCFullYear(), month, 1), timezone);
    if (at > to) return times;
    times.push(at);
  }
}

function ofTime(at: number, locale: Locale, timezone: string): Tick {
  const label = formatOf("time", locale, timezone, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(at);
  return label === "00:00" ? { ...ofDay(at, locale, timezone), isDay: true } : { at, label, isDay: false };
}

function ofDay(at: number, locale: Locale, timezone: string): Tick {
  return { at, label: formatOf("day", locale, timezone, { day: "numeric", month: "short" }).format(at), isDay: false };
}

function ofMonth(at: number, locale: Locale, timezone: string): Tick {
  const isJanuary = formatOf("number", "en", timezone, { month: "numeric" }).format(at) === "1";
  const label = isJanuary
    ? formatOf("year", "en", timezone, { year: "numeric" }).format(at)
    : formatOf("month", locale, timezone, { month: "short" }).format(at);
  return { at, label, isDay: isJanuary };
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Making one takes much longer than using it. */
function formatOf(
  name: string,
  locale: Locale,
  timezone: string,
  options: Intl.DateTimeFormatOptions,
): Intl.DateTimeFormat {
  const key = `${name} ${locale} ${timezone}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(locale === "en" ? "en-GB" : locale, { ...options, timeZone: timezone });
    formats.set(key, format);
  }
  return format;
}

/** The end of an axis that holds all up to `greatest`: 1, 2, 4 or 5 of a power of ten, so that its half reads well too. */
export function roundUp(greatest: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(greatest, 1)));
  return ([1, 2, 4, 5, 6, 8].find((digit) => digit * power >= greatest) ?? 10) * power;
}
