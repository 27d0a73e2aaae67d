import { z } from "zod";
import { sizeSchema } from "../../lib/units.ts";

const mebibyte = 1024 * 1024;

export const s3Schema = z
  .strictObject({
    kind: z.literal("s3"),
    endpoint: z
      .url({ protocol: /^https?$/, error: "config-problem-url" })
      .optional()
      .describe("URL of the S3 server, https://s3.example.org; leave it out for AWS."),
    region: z.string().min(1).default("us-east-1").describe("Region of the bucket; many servers take any."),
    bucket: z.string().min(1).describe("Bucket for the backups; it has to exist."),
    prefix: z
      .string()
      .regex(/^(?:[^/\s][^\s]*)?$/, { error: "config-problem-s3-prefix" })
      .default("")
      .transform((prefix) => (prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`))
      .describe("Folder in the bucket, so that it can be shared."),
    accessKeyId: z.string().min(1).describe("Key that may list the bucket and put, get and delete objects."),
    secretAccessKey: z.string().min(1).describe("The key's secret; let it come from the environment."),
    forcePathStyle: z
      .boolean()
      .default(false)
      .describe("https://server/bucket instead of https://bucket.server: what most servers other than AWS need."),
    partSize: sizeSchema()
      .pipe(
        z
          .int()
          .min(5 * mebibyte, { error: "config-problem-part-size" })
          .max(5120 * mebibyte, { error: "config-problem-part-size" }),
      )
      .optional()
      .describe(
        "Size of the parts of a multipart upload; default 5MiB, more for databases of over 43GiB. Memory use is up to three parts.",
      ),
  })
  .describe("A bucket of an S3 server.");

export type S3Config = z.output<typeof s3Schema>;
