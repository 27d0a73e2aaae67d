import { z } from "zod";
import { depths } from "../../core/proof.ts";
import { durationSchema } from "../../lib/units.ts";
import { cronSchema, durationBetween, nameSchema, offSchema, spanSchema, timezoneSchema } from "./common.ts";
import { sourceSchema } from "./families.ts";
import type { Wrap } from "./missing.ts";

const count = z.int().positive().max(10_000).optional();

const policySchema = z.union(
  [
    z.literal("all"),
    z.strictObject({
      last: count.describe("The newest ones."),
      daily: count.describe("The newest of each of so many days."),
      weekly: count.describe("The newest of each of so many weeks (ISO, from Monday)."),
      monthly: count.describe("The newest of each of so many months."),
      yearly: count.describe("The newest of each of so many years."),
    }),
  ],
  { error: "config-problem-keep" },
);

const keepSchema = z
  .record(nameSchema, policySchema)
  .describe(
    "How many backups each storage keeps; `all`: every one. The storages named here are the default for `storages`. Default: the latest one in a local storage, 7 daily and 4 monthly ones elsewhere. Never removed: the last good one, and pinned ones.",
  );

const argv = z.array(z.string()).min(1);

const hooksSchema = z.strictObject({
  before: z.array(argv).default([]).describe("Programs that are run before the source is read: a list of argv arrays."),
  after: z
    .array(argv)
    .default([])
    .describe("Programs that are run afterwards, whatever became of the run; VAKHTA_STATUS tells it."),
  timeout: durationSchema().prefault("10m").describe("Time for each of them."),
});

const restoreSchema = z.strictObject({
  keep: durationBetween("1m", "90d")
    .prefault("24h")
    .describe(
      "So long what was live stays aside after a restore in place, and the backup made right before stays pinned: until then Undo works.",
    ),
  backup: z
    .enum(["required", "off"])
    .default("required")
    .describe("Whether what is live is backed up before it is replaced. off: only what is kept aside is a way back."),
  stop: z
    .array(argv)
    .default([])
    .describe("Programs that stop what uses the target, right before the swap: a list of argv arrays."),
  start: z
    .array(argv)
    .default([])
    .describe("Programs that start it again right after the swap, also after a failure or a kill."),
  timeout: durationSchema().prefault("10m").describe("Time for each of them."),
});

const verifySchema = (wrap: Wrap) =>
  z.strictObject({
    schedule: cronSchema
      .optional()
      .describe('When the newest backup is proven: "0 5 * * 0". Default: only when asked.'),
    depth: z
      .enum(depths)
      .default("restored")
      .describe("stored: bytes read back; readable: read whole; restored: test-restored and counted."),
    storage: nameSchema.optional().describe("Whose copy. Default: one that is not on the worker's own disk."),
    timeout: durationSchema().prefault("12h").describe("A verification is ended after this time."),
    scratch: wrap(z.string().min(1))
      .optional()
      .describe("URL of a server for test-restores. Default: a private one, started for it and removed afterwards."),
  });

const anomalySchema = z.union([
  offSchema,
  z.strictObject({
    below: z.number().min(0.01).max(0.99).default(0.5).describe("A backup smaller than this part of ..."),
    of: z.int().min(1).max(30).default(5).describe("... the median of so many before it is suspicious."),
  }),
]);

/** One of `backups:`. Durations in milliseconds. */
export const backupSchema = (wrap: Wrap) =>
  z.strictObject({
    name: nameSchema.describe("Name of the backup; it becomes part of the object keys."),
    source: wrap(sourceSchema).describe("What is backed up."),
    schedule: cronSchema.optional().describe('When it runs, as a cron expression of five fields: "0 3 * * *".'),
    timezone: timezoneSchema.optional().describe("Time zone of the schedule. Default: the top-level timezone."),
    jitter: durationBetween("1s", "12h")
      .optional()
      .describe("Scheduled runs begin up to so much later, each name at a time of its own. Default: none."),
    window: spanSchema
      .optional()
      .describe('Hours in which a scheduled run may begin, also one that is made up: "22:00-06:00". Default: any.'),
    storages: z
      .array(z.string())
      .min(1)
      .optional()
      .describe("Where copies go. Default: the storages of `keep`, else all."),
    host: z.string().min(1).optional().describe("Which worker makes it (its WORKER_HOST). Default: any."),
    catchUp: z.boolean().default(true).describe("Make up once for runs that were missed while everything was down."),
    chat: z.string().optional().describe("Name of the chat for the cards of scheduled runs. Default: the first chat."),
    topic: z.string().optional().describe("Name of the topic in that chat."),
    encrypt: z.boolean().optional().describe("Encrypt the copies. Default: true when `encryption` is set."),
    timeout: durationSchema().optional().describe("The run is ended after this time. Default: none."),
    keep: keepSchema.optional(),
    hooks: hooksSchema.prefault({}).describe("Programs to run around the backup."),
    restore: restoreSchema.prefault({}).describe("What a restore in place does around the swap."),
    verify: verifySchema(wrap).prefault({}).describe("How backups are proven."),
    maxAge: durationBetween("1m", "400d")
      .optional()
      .describe("No good backup newer than this is a critical incident, whatever the reason. Default: none."),
    anomaly: anomalySchema
      .prefault({})
      .describe(
        "A backup far smaller than those before it: a warning, and nothing is removed meanwhile. off: no such look.",
      ),
  });
