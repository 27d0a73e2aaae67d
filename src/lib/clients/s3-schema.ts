import { z } from "zod";

/** How an S3 server is reached, as every part of the configuration with a bucket has it. */
export const s3Server = {
  endpoint: z
    .url({ protocol: /^https?$/, error: "config-problem-url" })
    .optional()
    .describe("URL of the S3 server, https://s3.example.org; leave it out for AWS."),
  region: z.string().min(1).default("us-east-1").describe("Region of the bucket; many servers take any."),
  secretAccessKey: z.string().min(1).optional().describe("The key's secret; let it come from the environment."),
  sessionToken: z.string().min(1).optional().describe("Belongs to temporary keys."),
  forcePathStyle: z
    .boolean()
    .default(false)
    .describe("https://server/bucket instead of https://bucket.server: what most servers other than AWS need."),
};
