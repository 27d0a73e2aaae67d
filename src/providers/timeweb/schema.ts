import { z } from "zod";
import { durationSchema } from "../../lib/units.ts";

/** An account, as the configuration names it under `providers:`. */
export const timewebAccountSchema = z.strictObject({
  token: z.string().min(1).describe("API token of the account; let it come from the environment."),
  apiUrl: z
    .url({ protocol: /^https?$/, error: "config-problem-url" })
    .default("https://api.timeweb.cloud")
    .describe("Where the API is."),
  rate: z
    .number()
    .min(0.1)
    .max(100)
    .default(2)
    .describe(
      "Requests a second, of all processes together. Each poll takes one for every server and one more for every 100 of them: 2 is enough for about 550 servers every 5 minutes, 4 for 1,100; the API gives 20 at most, and has cut off clients in silence for bursts of 15 and more.",
    ),
  burst: z.number().int().min(1).max(100).default(3).describe("Requests at once after a rest."),
  timeout: durationSchema().prefault("10s").describe("For one answer of the API."),
  warn: z
    .strictObject({
      hoursLeft: durationSchema()
        .prefault("72h")
        .describe("A warning when the balance does not last so long; it becomes critical below a day."),
      bucket: z
        .number()
        .min(1)
        .max(100)
        .default(90)
        .describe("Percent of a bucket's size from which on a warning is given; it becomes critical at 97."),
    })
    .prefault({})
    .describe("When the account itself is worth a warning."),
});
export type TimewebAccount = z.output<typeof timewebAccountSchema>;

/** A server's entry under `servers:`, beside its name, labels and `provider`. */
export const timewebServerSchema = z.strictObject({
  id: z.number().int().positive().describe("Number of the server, as in the panel's address: .../my/servers/<id>."),
});
export type TimewebServerConfig = z.output<typeof timewebServerSchema>;

/** Looks at a time: with slow answers of 10 s each, a thousand still fit into an interval. */
export const concurrency = 64;

/** The page with the screen; its address is that of the panel as it stands and is documented nowhere. */
export function consoleUrl({ config }: { readonly config: unknown }): string {
  return `https://timeweb.cloud/my/servers/${(config as TimewebServerConfig).id}/console`;
}
