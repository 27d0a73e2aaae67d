import { z } from "zod";
import { optionalText, pairsSchema, timeSchema } from "../read.ts";

const statuses = ["firing", "resolved", "info"] as const;

/** An event of the generic shape. */
export const eventSchema = z.object({
  fingerprint: z
    .union([z.string(), z.number()])
    .nullish()
    .transform((value) => (value === undefined || value === null ? undefined : String(value))),
  status: z.enum(statuses),
  severity: optionalText,
  title: z.string().refine((text) => text.trim() !== "", { error: "expected a text" }),
  text: optionalText,
  labels: pairsSchema,
  annotations: pairsSchema,
  startsAt: timeSchema,
  endsAt: timeSchema,
  url: optionalText,
});

/** One template, or several of which the first counts whose fields are all there. */
const templates = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)], { error: "config-problem-texts" });
export type Templates = z.output<typeof templates>;

/** Sources that are something else already. */
const taken = new Set(["alertmanager", "grafana", "events", "heartbeat", "watch"]);

/** One of `hooks.events.formats`: how the JSON of somebody else is read. */
export const formatSchema = z.strictObject({
  each: z
    .string()
    .min(1)
    .optional()
    .describe("Where the list of events is within the body. Default: the body is a list, or one event."),
  title: templates.describe("What has happened. {a.b} stands for the field b of a; of a list the first that fits."),
  text: templates.optional().describe("More about it."),
  fingerprint: templates.optional().describe("The same for the beginning and the end of something."),
  status: templates.default("info").describe("firing, resolved or info, or a word that `statuses` translates."),
  statuses: z
    .record(z.string(), z.enum([...statuses, "skip"]))
    .default({})
    .describe('What the words of `status` mean; "*": all others. skip: it is accepted and nothing is told.'),
  severity: templates.optional().describe("critical, warning or info, or a usual name of these. Default: warning."),
  labels: z.record(z.string().min(1), templates).default({}).describe("For routes and silences."),
  url: templates.optional().describe("Where there is more to see."),
  startsAt: templates.optional().describe("When it began or happened; ISO 8601."),
  signature: z
    .strictObject({
      header: z
        .string()
        .regex(/^[A-Za-z0-9-]+$/, { error: "config-problem-header" })
        .describe("The header with the HMAC-SHA256 of the body in hexadecimal."),
      secret: z.string().min(16).describe("What it is signed with: such a message needs no token."),
    })
    .optional()
    .describe("For senders that sign and can send no token."),
});
export type FormatConfig = z.output<typeof formatSchema>;

const formatName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, { error: "config-problem-name" })
  .refine((name) => !taken.has(name), { error: "config-problem-source-taken" });

/** `hooks.events`. */
export const eventsSchema = z.strictObject({
  formats: z
    .record(formatName, formatSchema)
    .default({})
    .describe("Other shapes of events, by the name at the end of their address: /hooks/events/<name>."),
});
