import { z } from "zod";
import { s3Server } from "../../lib/clients/s3-schema.ts";
import { durationSchema, sizeSchema } from "../../lib/units.ts";
import { archiveClasses } from "./classes.ts";
import { fewestParts, mostParts } from "./parts.ts";

const mebibyte = 1024 * 1024;
const hour = 3_600_000;
const day = 24 * hour;

const className = z.string().regex(/^[A-Z0-9_-]{1,64}$/i, { error: "config-problem-storage-class" });

const lockSchema = z.strictObject({
  mode: z
    .enum(["governance", "compliance"])
    .describe("governance: persons with a special right can lift it; compliance: nobody can until it ends."),
  for: durationSchema()
    .pipe(
      z
        .number()
        .min(hour, { error: "config-problem-lock-time" })
        .max(36_500 * day),
    )
    .describe("How long after its upload an object can not be destroyed: 30d."),
});

export const s3Schema = z
  .strictObject({
    kind: z.literal("s3"),
    endpoint: s3Server.endpoint,
    region: s3Server.region,
    bucket: z.string().min(1).describe("Bucket for the backups; it has to exist."),
    prefix: z
      .string()
      .regex(/^(?:[^/\s][^\s]*)?$/, { error: "config-problem-s3-prefix" })
      .default("")
      .transform((prefix) => (prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`))
      .describe("Folder in the bucket, so that it can be shared."),
    accessKeyId: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Key that may list the bucket and put, get and delete objects. Default, for it and its secret: what AWS tools would use (AWS_ACCESS_KEY_ID, a profile, the role of the machine or pod).",
      ),
    secretAccessKey: s3Server.secretAccessKey,
    sessionToken: s3Server.sessionToken,
    forcePathStyle: s3Server.forcePathStyle,
    partSize: sizeSchema()
      .pipe(
        z
          .int()
          .min(5 * mebibyte, { error: "config-problem-part-size" })
          .max(5120 * mebibyte, { error: "config-problem-part-size" }),
      )
      .optional()
      .describe(
        "Size of the parts of a multipart upload; default 5MiB, more for databases of over 43GiB. Memory use is up to three parts, with `concurrency` one more than that.",
      ),
    maxParts: z
      .int()
      .min(fewestParts)
      .max(mostParts)
      .optional()
      .describe("How many parts the server takes for one object; default 10,000 as S3 has it, some take 1,000."),
    concurrency: z
      .int()
      .min(1)
      .max(16)
      .optional()
      .describe(
        "Parts of one object that are on their way at once; default 2, or 1 where parts are larger than 21MiB.",
      ),
    bandwidth: sizeSchema()
      .pipe(z.int().min(64 * 1024, { error: "config-problem-bandwidth" }))
      .optional()
      .describe("Bytes per second for all uploads of a process into this storage together: 20MB. Default: no limit."),
    storageClass: className
      .refine((name) => !archiveClasses.has(name), { error: "config-problem-archive-class" })
      .optional()
      .describe("Storage class of new backups, as the server calls it: STANDARD_IA. Default: the server's."),
    storageClasses: z
      .partialRecord(z.enum(["last", "daily", "weekly", "monthly", "yearly"]), className)
      .optional()
      .describe(
        "Class of backups that are only kept for a tier of `keep`: { monthly: GLACIER_IR, yearly: DEEP_ARCHIVE }. They are moved when backups are removed.",
      ),
    serverSideEncryption: z
      .enum(["AES256", "aws:kms"])
      .optional()
      .describe("Encryption by the server, beside Vakhta's own: AES256 or aws:kms. Default: the bucket's."),
    kmsKeyId: z.string().min(1).optional().describe("Key for aws:kms. Default: the account's own for S3."),
    objectLock: lockSchema
      .optional()
      .describe("Uploads can not be destroyed for a time; the bucket has to be made with object lock."),
  })
  .superRefine(({ accessKeyId, secretAccessKey, sessionToken, serverSideEncryption, kmsKeyId }, context) => {
    const complain = (path: string, message: string): void => {
      context.addIssue({ code: "custom", path: [path], message });
    };
    if (accessKeyId === undefined && (secretAccessKey ?? sessionToken) !== undefined)
      complain("accessKeyId", "config-problem-s3-keys");
    else if (accessKeyId !== undefined && secretAccessKey === undefined)
      complain("secretAccessKey", "config-problem-s3-keys");
    if (kmsKeyId !== undefined && serverSideEncryption !== "aws:kms") complain("kmsKeyId", "config-problem-kms");
  })
  .describe("A bucket of an S3 server.");

export type S3Config = z.output<typeof s3Schema>;
