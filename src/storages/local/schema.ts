import { z } from "zod";
import { parseSize } from "../../lib/units.ts";

/** A size, or a part of the disk. */
const minFreeSchema = z.string({ error: "config-problem-min-free" }).transform((text, context) => {
  const bytes = parseSize(text);
  if (bytes !== undefined) return { bytes };
  const [, percent] = /^(\d{1,2}(?:\.\d+)?)\s?%$/.exec(text.trim()) ?? [];
  if (percent !== undefined) return { percent: Number(percent) };
  context.addIssue("config-problem-min-free");
  return z.NEVER;
});

export const localSchema = z
  .strictObject({
    kind: z.literal("local"),
    path: z
      .string()
      .startsWith("/", { error: "config-problem-absolute-path" })
      .describe(
        "Folder for the backups on the worker's disk; it is made when it is missing, readable by its owner only.",
      ),
    host: z
      .string()
      .min(1)
      .optional()
      .describe("Host name of the worker whose disk it is (WORKER_HOST); not needed with a single worker."),
    minFree: minFreeSchema
      .optional()
      .describe(
        "Stays free on the disk: a copy that would take it is ended. A size or a part of the disk. Default: 5%, at most 1GiB.",
      ),
  })
  .describe("A folder on the worker's own disk.");

export type LocalConfig = z.output<typeof localSchema>;
