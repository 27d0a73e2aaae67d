import { z } from "zod";
import { alertFields, groupFields } from "../groups.ts";

/** Alertmanager's message, version "4". `alerts` of a Go program may be null. */
export const messageSchema = z.object({
  ...groupFields,
  alerts: z.array(z.object(alertFields)).nullable(),
});

/** `hooks.alertmanager`: nothing to set. */
export const alertmanagerSchema = z.strictObject({});
