import { z } from "zod";

/** Of a server's entry, for `provider: local`. */
export const localServerSchema = z.strictObject({
  host: z
    .string()
    .min(1)
    .optional()
    .describe("Host of the worker that reports it, as its WORKER_HOST. May be left out where there is one worker."),
});

export type LocalServer = z.output<typeof localServerSchema>;
