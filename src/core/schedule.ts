import { Cron } from "croner";

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
}

/** Something that is to be started now. */
export interface Due {
  readonly key: string;
  /** When it should have started. */
  readonly at: Date;
  /** True when it is late by more than `lateAfterMs`: everything was down at its time. */
  readonly late: boolean;
  /** How many earlier times were missed beside this one. */
  readonly missed: number;
}

/** Later than this a run counts as missed and made up; the tick comes every 15 s. */
export const lateAfterMs = 120_000;

/** How far back missed times are counted. */
const maxCounted = 1000;

/**
 * What is due at `now`, and what is to be remembered as handled. A key seen for the first time starts counting at
 * `now`: a new schedule owes nothing. However many times were missed, one run makes up for them. A clock that was set
 * back makes nothing run twice: only times after the last handled one count. `dropped`: what is late and not made up.
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
    const last = lastDue.get(entry.key);
    if (!last) {
      handled.set(entry.key, now);
      continue;
    }
    const times = timesBetween(entry, last, now);
    const at = times.at(-1);
    if (!at) continue;
    handled.set(entry.key, at);
    const late = now.getTime() - at.getTime() > lateAfterMs;
    const list = late && !entry.catchUp ? dropped : result;
    list.push({ key: entry.key, at, late, missed: times.length - 1 });
  }
  return { due: result, dropped, handled };
}

/** The next time of a schedule after `now`. */
export function nextTime(pattern: string, timezone: string, now: Date): Date | undefined {
  return new Cron(pattern, { timezone }).nextRun(now) ?? undefined;
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
