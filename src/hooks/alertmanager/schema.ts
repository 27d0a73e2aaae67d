import { z } from "zod";
import { alertFields, groupFields } from "../groups.ts";

/** Alertmanager's message, version "4". */
export const messageSchema = z.object(groupFields);

/** One of its alerts. */
export const alertSchema = z.object(alertFields);

/** `hooks.alertmanager`: nothing to set. */
export const alertmanagerSchema = z.strictObject({});
