import { Cron } from "croner";
import { z } from "zod";
import { parseDailySpan } from "../../core/route.ts";
import { durationSchema, parseDuration } from "../../lib/units.ts";
import type { MessageArgs } from "../../messages/index.ts";

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

/** The message of an issue: a sentence with arguments. `describe.ts` reads it. */
const sentence = (key: string, args: MessageArgs): string => JSON.stringify({ key, args });

/** A duration between two others, both included and written as they are told: "1m". Milliseconds in the result. */
export const durationBetween = (minimum: string, maximum: string) =>
  durationSchema().pipe(
    z
      .number()
      .min(parseDuration(minimum) ?? Number.NaN, { error: sentence("config-problem-duration-min", { minimum }) })
      .max(parseDuration(maximum) ?? Number.NaN, { error: sentence("config-problem-duration-max", { maximum }) }),
  );

/** `off` is a text in YAML 1.2, and what everybody writes. */
export const offSchema = z.literal([false, "off"]).transform((): false => false);

/** Hours of every day: "22:00-08:00". */
export const spanSchema = z.string().transform((text, context) => {
  const span = parseDailySpan(text);
  if (span) return span;
  context.addIssue("config-problem-span");
  return z.NEVER;
});
