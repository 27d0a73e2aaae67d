import { z } from "zod";
import { s3Server } from "../../lib/clients/s3-schema.ts";
import { durationSchema } from "../../lib/units.ts";

export const s3SourceSchema = z
  .strictObject({
    kind: z.literal("s3"),
    endpoint: s3Server.endpoint,
    region: s3Server.region,
    bucket: z.string().min(1).describe("Bucket that is backed up."),
    prefix: z
      .string()
      .default("")
      .transform((prefix) => (prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`))
      .describe("Folder in the bucket: only what lies below it. Default: the whole bucket."),
    accessKeyId: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Key that may list the bucket and get its objects, and nothing else. Default, for it and its secret: what AWS tools would use.",
      ),
    secretAccessKey: s3Server.secretAccessKey,
    sessionToken: s3Server.sessionToken,
    forcePathStyle: s3Server.forcePathStyle,
    restore: z
      .strictObject({
        accessKeyId: z
          .string()
          .min(1)
          .describe("Key that may also put and delete objects of the bucket, and list and get their versions."),
        secretAccessKey: z.string().min(1).describe("The key's secret; let it come from the environment."),
        sessionToken: s3Server.sessionToken,
      })
      .optional()
      .describe("Keys for restoring into this bucket, so that the others can not write. Default: the same."),
    exclude: z
      .array(z.string().min(1).max(1024))
      .max(1000)
      .default([])
      .describe(
        'Keys that are left out, counted from the prefix: `*` is any text, with slashes too, `?` one character: "cache/*".',
      ),
    concurrency: z.int().min(1).max(64).default(8).describe("Objects that are read at once; small ones only."),
    fullEvery: durationSchema()
      .prefault("30d")
      .describe("When the last backup that read everything is older than this, everything is read again."),
    allowEmpty: z.boolean().default(false).describe("A bucket without a single object is a backup too."),
    level: z.int().min(1).max(19).default(3).describe("zstd compression level, 1 (fast) to 19 (small)."),
  })
  .superRefine(({ accessKeyId, secretAccessKey, sessionToken }, context) => {
    const complain = (path: string): void => {
      context.addIssue({ code: "custom", path: [path], message: "config-problem-s3-keys" });
    };
    if (accessKeyId === undefined && (secretAccessKey ?? sessionToken) !== undefined) complain("accessKeyId");
    else if (accessKeyId !== undefined && secretAccessKey === undefined) complain("secretAccessKey");
  })
  .describe("The objects of a bucket: only new and changed ones are read again.");

export type S3SourceConfig = z.output<typeof s3SourceSchema>;
