import { Cron } from "croner";
import { z } from "zod";

/** Names become parts of object keys, of Redis keys and of buttons. */
export const nameSchema = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, { error: "config-problem-name" });

/** An IANA time zone. */
export const timezoneSchema = z.string().refine(isTimezone, { error: "config-problem-timezone" });

function isTimezone(name: string): boolean {
  try {
    // Bare offsets such as "+03:00" know no daylight saving and are no zones of the database.
    return (
      /^[A-Za-z]/.test(name) && new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== ""
    );
  } catch {
    return false;
  }
}

/** True when the expression is one and has a next time at all ("0 0 31 2 *" has none). */
function isCron(expression: string): boolean {
  try {
    return new Cron(expression, { paused: true, mode: "5-part" }).nextRun() !== null;
  } catch {
    return false;
  }
}

/** A cron expression of five fields that has a next time. */
export const cronSchema = z.string().refine(isCron, { error: "config-problem-cron" });

/** A URL with one of these protocols ("https:"). */
export const urlSchema = (protocols: readonly string[], error: string) =>
  z.string().refine((text) => protocols.includes(URL.parse(text)?.protocol ?? ""), { error });
