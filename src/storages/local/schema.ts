import { z } from "zod";

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
  })
  .describe("A folder on the worker's own disk.");

export type LocalConfig = z.output<typeof localSchema>;
