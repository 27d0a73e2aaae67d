import { z } from "zod";

/** Stands in for the registries of sources/ and storages/. */
export const sourceSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("postgres"),
    url: z.string(),
    counts: z.enum(["exact", "off"]).default("exact"),
    via: z.array(z.string()).optional(),
  }),
]);

export const storageSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("local"), path: z.string(), host: z.string().optional() }),
  z.strictObject({
    kind: z.literal("s3"),
    endpoint: z.string().optional(),
    region: z.string().default("us-east-1"),
    bucket: z.string(),
    prefix: z.string().default(""),
    accessKeyId: z.string(),
    secretAccessKey: z.string(),
    forcePathStyle: z.boolean().default(false),
  }),
]);
