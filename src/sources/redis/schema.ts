import { z } from "zod";
import { parseRedisUrl } from "./url.ts";

const path = z.string().startsWith("/", { error: "config-problem-absolute-path" }).optional();

const tlsSchema = z.strictObject({
  ca: path.describe("File with the certificates that are trusted. Default: the system's."),
  cert: path.describe("File with this client's certificate, where the server wants one."),
  key: path.describe("File with its private key."),
  serverName: z.string().min(1).optional().describe("Name in the server's certificate, where it is not the host's."),
  insecure: z.boolean().default(false).describe("Accept any certificate: only for a private network."),
});

export const redisSchema = z
  .strictObject({
    kind: z.literal("redis"),
    url: z
      .string()
      .superRefine((url, context) => {
        const parsed = parseRedisUrl(url);
        if ("problem" in parsed) context.addIssue({ code: "custom", message: parsed.problem });
      })
      .describe(
        "redis://user:password@host:6379, rediss:// for TLS, unix:///path/to/redis.sock; all databases are read.",
      ),
    tls: tlsSchema.optional().describe("For rediss://. Files are those of the machine or container of redis-cli."),
    via: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe(
        "Runs redis-cli inside a container or pod: [docker, exec, -i, redis] or [kubectl, exec, -i, redis-0, --]",
      ),
    clusterNode: z
      .boolean()
      .default(false)
      .describe("The server is one node of a cluster, and its part of the keys is all that is wanted of it."),
    level: z.int().min(1).max(19).default(3).describe("zstd compression level, 1 (fast) to 19 (small)."),
    bin: path.describe("Folder with redis-cli and redis-check-rdb; default: those in PATH."),
  })
  .refine(({ url, tls }) => tls === undefined || url.startsWith("rediss:"), {
    path: ["tls"],
    error: "config-problem-redis-tls",
  })
  .describe("A Redis or Valkey, as a snapshot over the replication protocol.");

export type RedisConfig = z.output<typeof redisSchema>;
