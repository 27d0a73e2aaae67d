import type { Moment } from "../core/text.ts";

const minuteMs = 60_000;

/**
 * A point in time in a text that is kept: shown in the configured zone, in the reader's language. Of a minute, as it is
 * shown: what differs by seconds is no other text.
 */
export function stamp(at: Date, timezone: string): Moment {
  const minute = new Date(Math.floor(at.getTime() / minuteMs) * minuteMs);
  return { moment: minute.toISOString(), timezone };
}

/** "2026-11-20 03:00": what a clock on the wall shows, for names and for what a person is to write. */
export function wallTime(at: Date, timezone: string): string {
  const format = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short", timeZone: timezone });
  return format.format(at);
}
