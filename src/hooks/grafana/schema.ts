import { z } from "zod";
import { alertFields, groupFields } from "../groups.ts";
import { optionalText } from "../read.ts";

/** The message of Grafana's unified alerting: Alertmanager's and more. */
export const messageSchema = z.object({ ...groupFields, title: optionalText, message: optionalText });

/** One of its alerts. */
export const alertSchema = z.object({
  ...alertFields,
  silenceURL: optionalText,
  dashboardURL: optionalText,
  panelURL: optionalText,
  imageURL: optionalText,
  values: z.record(z.string(), z.unknown()).nullish(),
  valueString: optionalText,
});

/** `hooks.grafana`. */
export const grafanaSchema = z.strictObject({
  secret: z
    .string()
    .min(16)
    .optional()
    .describe("The contact point's HMAC secret: a message that it signs needs no token."),
  timestampHeader: z
    .string()
    .regex(/^[A-Za-z0-9-]+$/, { error: "config-problem-header" })
    .optional()
    .describe(
      "The contact point's timestamp header: messages without it are then refused. Default: X-Grafana-Alerting-Timestamp, when it is there.",
    ),
});
