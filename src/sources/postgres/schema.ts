import { z } from "zod";
import { durationSchema } from "../../lib/units.ts";
import { parseUrl } from "./url.ts";

export const postgresSchema = z
  .strictObject({
    kind: z.literal("postgres"),
    url: z
      .string()
      .superRefine((url, context) => {
        const parsed = parseUrl(url);
        if ("problem" in parsed) context.addIssue({ code: "custom", message: parsed.problem });
      })
      .describe("Connection URL of the database, postgresql://user:password@host:5432/database?sslmode=require"),
    counts: z
      .enum(["exact", "off"])
      .default("exact")
      .describe(
        "`exact` counts the rows of every table in the dump's own snapshot, so that a restore can be compared.",
      ),
    via: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe(
        "Runs the PostgreSQL tools inside a container or pod: [docker, exec, -i, db] or [kubectl, exec, -i, db-0, --]",
      ),
    globals: z
      .boolean()
      .default(true)
      .describe("Back up roles and tablespaces of the cluster too (pg_dumpall --globals-only)."),
    level: z.int().min(1).max(19).default(3).describe("zstd compression level, 1 (fast) to 19 (small)."),
    lockWait: durationSchema()
      .prefault("60s")
      .describe(
        "How long the dump may wait for a table that is locked, for example by ALTER TABLE, before the run fails.",
      ),
    bin: z
      .string()
      .startsWith("/", { error: "config-problem-absolute-path" })
      .optional()
      .describe(
        "Folder with pg_dump, pg_dumpall and psql; default: chosen by the server's version from /usr/lib/postgresql.",
      ),
  })
  .describe("A PostgreSQL database, with pg_dump.");

export type PostgresConfig = z.output<typeof postgresSchema>;
