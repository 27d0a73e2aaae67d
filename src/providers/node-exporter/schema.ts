import { z } from "zod";
import { durationSchema } from "../../lib/units.ts";

const header = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** Headers that the connection needs for itself, or that belong to the other settings. */
const taken = /^(?:host|connection|content-length|transfer-encoding|upgrade|te|trailer|keep-alive|authorization)$/i;

/** Of a server's entry, for `provider: node-exporter`. */
export const nodeExporterServerSchema = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: "config-problem-url" })
    .refine((url) => !URL.parse(url)?.username && !URL.parse(url)?.password, {
      error: "config-problem-exporter-url",
    })
    .describe('Where node_exporter answers, with the path: "http://10.0.0.5:9100/metrics".'),
  auth: z
    .strictObject({
      username: z
        .string()
        .min(1)
        .regex(/^[^:]*$/)
        .optional()
        .describe("Name of the user that the exporter knows."),
      password: z.string().min(1).optional().describe("The user's password; let it come from the environment."),
      token: z
        .string()
        .regex(/^[\x21-\x7e]+$/)
        .optional()
        .describe("Instead of both: a bearer token; let it come from the environment."),
    })
    .superRefine(({ username, password, token }, context) => {
      const isUser = username !== undefined && password !== undefined;
      if (isUser ? token === undefined : token !== undefined && (username ?? password) === undefined) return;
      context.addIssue({ code: "custom", message: "config-problem-exporter-auth" });
    })
    .optional()
    .describe("For an exporter that wants to know who asks."),
  headers: z
    .record(
      z
        .string()
        .regex(header, { error: "config-problem-exporter-header" })
        .refine((name) => !taken.test(name), {
          error: "config-problem-exporter-header",
        }),
      z.string().regex(/^[\x20-\x7e]*$/, { error: "config-problem-exporter-header" }),
    )
    .default({})
    .describe("Further headers of the request."),
  timeout: durationSchema()
    .refine((ms) => ms <= 60_000, { error: "config-problem-exporter-timeout" })
    .prefault("10s")
    .describe("How long a whole answer may take, 60s at most."),
});

export type NodeExporterServer = z.output<typeof nodeExporterServerSchema>;

/** Scrapes that one process has under way at a time. */
export const concurrency = 50;
