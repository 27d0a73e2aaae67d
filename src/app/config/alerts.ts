import { z } from "zod";
import { parseTimeOfDay, patternOf } from "../../core/route.ts";
import { severities } from "../../core/signal.ts";
import { durationSchema } from "../../lib/units.ts";
import { cronSchema, durationBetween, nameSchema, offSchema, spanSchema, timezoneSchema, urlSchema } from "./common.ts";
import type { Wrap } from "./missing.ts";

const chat = nameSchema.optional().describe("Name of the chat. Default: the first chat.");
const topic = nameSchema.optional().describe("Name of the topic in that chat.");

const isPattern = (text: string): boolean => {
  try {
    patternOf(text);
    return true;
  } catch {
    return false;
  }
};

const wanted = z.string().min(1).refine(isPattern, { error: "config-problem-pattern" });

const routeSchema = z.strictObject({
  match: z
    .record(z.string().min(1), z.union([wanted, z.array(wanted).min(1)], { error: "config-problem-match" }))
    .default({})
    .describe(
      "Labels that have to be there, `severity` and `source` among them: a value, a list of values, or /a regular expression/. Empty: everything.",
    ),
  chat,
  topic,
  repeat: durationBetween("1m", "30d")
    .optional()
    .describe(
      "What still fires and nobody has acknowledged rings again after this time, also when somebody has deleted its card. Default: never.",
    ),
  silent: z
    .union([z.boolean(), spanSchema], { error: "config-problem-span" })
    .optional()
    .describe('Without a sound: always (true), or at these hours of the configured timezone: "22:00-08:00".'),
});

/** `alerts:`. Durations in milliseconds. */
export const alertsSchema = z.strictObject({
  staleAfter: durationBetween("1m", "90d")
    .prefault("24h")
    .describe("What its source has not repeated for so long says so on its card."),
  reopenWithin: durationBetween("1s", "7d")
    .prefault("30m")
    .describe("What fires again within this time after its end is the same incident, on the same card."),
  flapping: z
    .strictObject({
      changes: z.int().min(3).max(50).default(6).describe("So many beginnings and ends ..."),
      within: durationBetween("10s", "1d")
        .prefault("20m")
        .describe("... within this time are flapping: the card stays quiet."),
    })
    .prefault({})
    .describe("When something comes and goes."),
  storm: z
    .strictObject({
      incidents: z.int().min(1).max(1000).default(20).describe("More new incidents than this in one chat ..."),
      within: durationBetween("1s", "1h").prefault("1m").describe("... within this time share one card."),
    })
    .prefault({})
    .describe("When too much begins at once."),
  resolved: z
    .strictObject({
      replyAfter: z
        .union([offSchema, durationSchema()], { error: "config-problem-duration-or-off" })
        .prefault("10m")
        .describe(
          "The end of what is on a card older than this is said in a reply as well, so that the phone rings. off: never.",
        ),
    })
    .prefault({})
    .describe("How the end of an incident is told."),
  keep: durationBetween("1h", "3650d").prefault("90d").describe("How long ended incidents are remembered."),
  routes: z.array(routeSchema).default([]).describe("Which chat and topic: the first route that matches."),
});

/** `daily:`. `at` as it is written: "09:00". */
export const dailySchema = z.union([
  offSchema,
  z.strictObject({
    at: z
      .string()
      .refine((text) => parseTimeOfDay(text) !== undefined, { error: "config-problem-time" })
      .default("09:00")
      .describe("Time of the day in the configured timezone."),
    chat,
    topic,
  }),
]);

const heartbeatKey = z.string().regex(/^[A-Za-z0-9_-]{8,128}$/, { error: "config-problem-heartbeat-key" });

/** One of `heartbeats:`. Durations in milliseconds. */
export const heartbeatSchema = (wrap: Wrap) =>
  z.strictObject({
    name: nameSchema.describe("Name of what sends it."),
    key: wrap(heartbeatKey).describe("Whoever knows it can send the sign of life: /ping/<key>."),
    every: durationBetween("10s", "366d")
      .optional()
      .describe("A sign of life is expected so often. Either this or `cron`."),
    cron: cronSchema.optional().describe("A sign of life is expected at these times; five fields."),
    timezone: timezoneSchema.optional().describe("Time zone of `cron`. Default: the top-level timezone."),
    grace: durationBetween("1s", "30d")
      .prefault("5m")
      .describe("So long it may be late; and so long a run may take that has said that it begins."),
    severity: z.enum(severities).default("critical").describe("How urgent it is when it does not come."),
    labels: z
      .record(z.string().min(1), z.string())
      .default({})
      .describe("For routes and silences; `server` says which server it speaks for."),
  });

/** `heartbeat:`. Durations in milliseconds. */
export const ownHeartbeatSchema = (wrap: Wrap) =>
  z.strictObject({
    url: wrap(urlSchema(["https:", "http:"], "config-problem-url")).describe(
      "Fetched as long as the watch is well: the bot, a worker, Redis and Telegram.",
    ),
    every: durationBetween("10s", "1d").prefault("1m").describe("How often."),
  });
