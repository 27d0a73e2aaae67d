import { z } from "zod";

/** `hooks:` of the configuration. */
export const hooksSchema = z.strictObject({
  grafana: z.strictObject({ secret: z.string().min(16).optional() }).optional(),
});
