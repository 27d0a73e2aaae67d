import { Cron } from "croner";
import { isAhead } from "./ahead.ts";
import { type DailySpan, minuteOfDay } from "./route.ts";
import { digestNumber } from "./signal.ts";

/** Something that happens by the clock. */
export interface ScheduleEntry {
  /** Identifies it across restarts and changes of the pattern: "backup:app". */
  readonly key: string;
  /** Five-field cron expression. */
  readonly pattern: string;
  /** IANA time zone in which the pattern is meant. */
  readonly timezone: string;
  /** Whether one missed run is made up. */
  readonly catchUp: boolean;
  /** It begins up to so many milliseconds after its time: always the same for the same key and time. */
  readonly jitter?: number | undefined;
  /** Hours of the day, in its time zone, in which it may begin. */
  readonly window?: DailySpan | undefined;
}

/** Something that is to be started now. */
export interface Due {
  readonly key: string;
  /** When it should have started by its pattern. */
  readonly at: Date;
  /** True when it is late by more than `lateAfterMs`: everything was down at its time, or it had to wait for its hours. */
  readonly late: boolean;
  /** How many earlier times were missed beside this one. */
  readonly missed: number;
  /** It is not late by any fault: its time lay outside of its hours, and these have just begun. */
  readonly waited?: true;
  /** Why it is not started, where it is not: it was missed (and `catchUp` says no), or its hours are over. */
  readonly why?: "late" | "window";
}

/** Later than this a run counts as missed and made up; the tick comes every 15 s. */
export const lateAfterMs = 120_000;

/** How far back missed times are counted. */
const maxCounted = 1000;

/**
 * What is due at `now`, and what is to be remembered as handled. A key seen for the first time starts counting at
 * `now`: a new schedule owes nothing. However many times were missed, one run makes up for them. A clock that was set
 * back makes nothing run twice: only times after the last handled one count. What a wrong clock has handled far ahead
 * counts as little as nothing: it goes on from `now`. Outside of its hours nothing begins: it waits for them, or is
 * dropped where nothing is made up. `dropped`: what is not started.
 */
export function due(
  entries: readonly ScheduleEntry[],
  lastDue: ReadonlyMap<string, Date>,
  now: Date,
): { due: Due[]; dropped: Due[]; handled: Map<string, Date> } {
  const result: Due[] = [];
  const dropped: Due[] = [];
  const handled = new Map<string, Date>();
  for (const entry of entries) {
    const known = lastDue.get(entry.key);
    if (!known) {
      handled.set(entry.key, now);
      continue;
    }
    const isWrong = isAhead(known, now);
    const last = isWrong ? justBefore(entry, now) : known;
    if (isWrong) handled.set(entry.key, last);
    const newest = newestDue(entry, last, now);
    if (!newest) continue;
    handled.set(entry.key, newest.at);
    if (newest.why === undefined) result.push(newest);
    else dropped.push(newest);
  }
  return { due: result, dropped, handled };
}

/** Times after this may have come just now, and be put off still. Two clocks in turn then miss none either. */
function justBefore({ jitter = 0 }: ScheduleEntry, now: Date): Date {
  return new Date(now.getTime() - lateAfterMs - jitter);
}

/** The newest time that has come and is not handled, which stands for all before it; undefined: nothing is to be done. */
function newestDue(entry: ScheduleEntry, last: Date, now: Date): Due | undefined {
  const times = timesBetween(entry, last, now);
  // Only the newest one can still be put off: no time is put off as far as the next one.
  if (times.length > 0 && beginOf(entry, times.at(-1) ?? now) > now) times.pop();
  const at = times.at(-1);
  if (!at) return undefined;
  const begin = beginOf(entry, at);
  const late = now.getTime() - begin.getTime() > lateAfterMs;
  const isInHours = isWithin(entry, late ? now : begin);
  const hasWaited = late && now.getTime() - nextOpening(entry, begin).getTime() <= lateAfterMs;
  const before = times.slice(0, -1);
  // Where it may wait, times outside of its hours are not missed: they stand for the next opening together.
  const missed = entry.window && entry.catchUp ? before.filter((time) => isWithin(entry, time)) : before;
  const item = { key: entry.key, at, late, missed: missed.length, ...(hasWaited ? { waited: true as const } : {}) };
  if (entry.catchUp) return isInHours ? item : undefined;
  if (!isInHours) return { ...item, why: "window" };
  return late ? { ...item, why: "late" } : item;
}

/** The next time of a pattern after `now`. */
export function nextTime(pattern: string, timezone: string, now: Date): Date | undefined {
  return new Cron(pattern, { timezone }).nextRun(now) ?? undefined;
}

/** The newest `count` times of a pattern that have come by `at`, newest first. */
export function lastTimes(
  { pattern, timezone }: Pick<ScheduleEntry, "pattern" | "timezone">,
  count: number,
  at: Date,
): Date[] {
  const times = new Cron(pattern, { timezone }).previousRuns(count + 1, new Date(at.getTime() + 1000));
  return times.filter((time) => time <= at).slice(0, count);
}

/** When a schedule begins something the next time, after `now`: its jitter and its hours included. */
export function nextBegin(entry: ScheduleEntry, now: Date): Date | undefined {
  const cron = new Cron(entry.pattern, { timezone: entry.timezone });
  // The one whose time has come may still be put off.
  let at: Date | null | undefined = cron.previousRuns(1, new Date(now.getTime() + 1000))[0];
  if (!at || at > now || beginOf(entry, at) <= now) at = cron.nextRun(now);
  for (let tries = 0; at && tries < maxCounted; tries++) {
    const begin = beginOf(entry, at);
    if (isWithin(entry, begin)) return begin;
    if (entry.catchUp) return nextOpening(entry, begin);
    at = cron.nextRun(at);
  }
  return undefined;
}

/** How many times before `now` are looked through for one within its hours. */
const mostBefore = 300;

/**
 * The newest time of a schedule whose run should have begun by `now`, its jitter and its hours included; undefined: none.
 */
export function lastBegun(entry: ScheduleEntry, now: Date): Date | undefined {
  const cron = new Cron(entry.pattern, { timezone: entry.timezone });
  const hasBegun = (at: Date): boolean => {
    const begin = beginOf(entry, at);
    return entry.catchUp ? nextOpening(entry, begin) <= now : begin <= now && isWithin(entry, begin);
  };
  const before = new Date(now.getTime() + 1000);
  // Mostly it is the first: the others cost time.
  const found = cron.previousRuns(1, before).find(hasBegun);
  return found ?? cron.previousRuns(entry.window ? mostBefore : 3, before).find(hasBegun);
}

/**
 * When a time of the pattern begins: put off by its jitter, which is as good as random and always the same. Never by
 * more than half of the time to the next one, so that they stay in their order, nor out of its hours.
 */
export function beginOf(entry: ScheduleEntry, at: Date): Date {
  const { key, jitter = 0, pattern, timezone, window } = entry;
  if (jitter === 0) return at;
  const next = new Cron(pattern, { timezone }).nextRun(at);
  let limit = Math.min(jitter, next ? (next.getTime() - at.getTime()) / 2 : jitter);
  if (window && isWithin(entry, at)) limit = Math.min(limit, msToClosing(window, at, timezone) - 1);
  return new Date(at.getTime() + Math.floor((digestNumber(`${key} ${at.toISOString()}`) * limit) / 1000) * 1000);
}

/** Whether something may begin at this time. */
export function isWithin({ window, timezone }: Pick<ScheduleEntry, "window" | "timezone">, at: Date): boolean {
  if (!window) return true;
  const minute = minuteOfDay(at, timezone);
  const { from, to } = window;
  return from <= to ? minute >= from && minute < to : minute >= from || minute < to;
}

/** When the hours begin, for a time outside of them; the time itself when it is within. To the minute. */
export function nextOpening(entry: Pick<ScheduleEntry, "window" | "timezone">, at: Date): Date {
  const { window, timezone } = entry;
  if (!window || isWithin(entry, at)) return at;
  // Where the clocks go forward over it, the hours begin with the first minute behind the gap that is one of them.
  const minutes = (window.from - minuteOfDay(at, timezone) + dayMinutes) % dayMinutes;
  const guess = startOfMinute(at).getTime() + minutes * minuteMs;
  for (let candidate = guess - clockChangeMs; candidate <= guess + clockChangeMs; candidate += minuteMs) {
    if (candidate > at.getTime() && isWithin(entry, new Date(candidate))) return new Date(candidate);
  }
  // Hours that this day does not have, since the clocks went forward over all of them.
  return nextOpening(entry, new Date(guess + clockChangeMs));
}

const minuteMs = 60_000;
const dayMinutes = 24 * 60;
/** No clock is put forward or back by more; milliseconds. */
const clockChangeMs = 2 * 3_600_000;

/** Milliseconds until the hours end, as the clock on the wall counts them. */
function msToClosing({ to }: DailySpan, at: Date, timezone: string): number {
  const minutes = (to - minuteOfDay(at, timezone) + dayMinutes) % dayMinutes;
  return startOfMinute(at).getTime() + minutes * minuteMs - at.getTime();
}

function startOfMinute(at: Date): Date {
  return new Date(Math.floor(at.getTime() / minuteMs) * minuteMs);
}

/** Times in (from, to], oldest first; of very many only the newest ones, so that the last one is always exact. */
function timesBetween(entry: ScheduleEntry, from: Date, to: Date): Date[] {
  const cron = new Cron(entry.pattern, { timezone: entry.timezone });
  const times: Date[] = [];
  let at = cron.nextRun(from);
  while (at && at <= to) {
    times.push(at);
    if (times.length >= maxCounted) return [...times.slice(0, -1), newest(cron, at, to)];
    at = cron.nextRun(at);
  }
  return times;
}

/** The newest time of a pattern that is not after `to`, given one that is not. */
function newest(cron: Cron, known: Date, to: Date): Date {
  return cron.previousRuns(2, new Date(to.getTime() + 1000)).find((at) => at <= to) ?? known;
}
