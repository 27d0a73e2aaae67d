import { z } from "zod";
import { durationSchema } from "../../lib/units.ts";
import { parseUrl } from "./url.ts";

const name = z.string().min(1).max(63);
const patterns = z.array(z.string().min(1)).min(1).optional();

/** Names to take and to leave, as pg_dump understands patterns. */
const selection = (what: string) =>
  z
    .strictObject({
      include: patterns.describe(`Only these ${what}: patterns as in psql. One that matches nothing fails the run.`),
      exclude: patterns.describe(`Not these ${what}.`),
    })
    .optional()
    .describe(`Which ${what} to take and which to leave. Default: all.`);

const postgresObject = z.strictObject({
  kind: z.literal("postgres"),
  url: z
    .string()
    .superRefine((url, context) => {
      const parsed = parseUrl(url);
      if ("problem" in parsed) context.addIssue({ code: "custom", message: parsed.problem });
    })
    .describe(
      "Connection URL of the database, postgresql://user:password@host:5432/database?sslmode=require. Without a password libpq's own places are asked: ~/.pgpass, PGPASSFILE, a client certificate.",
    ),
  passwordFile: z
    .string()
    .startsWith("/", { error: "config-problem-absolute-path" })
    .optional()
    .describe("File with the password of the URL's user, and nothing else. It is read anew for every run."),
  databases: z
    .union([z.literal("all"), z.array(name).min(1)])
    .optional()
    .describe("Several databases in one backup: their names, or `all`. The URL's own is then only connected to."),
  exclude: z.array(name).optional().describe("With `databases: all`: not these. Templates never are in it."),
  schemas: selection("schemas"),
  tables: selection("tables, views and sequences"),
  tableData: z
    .strictObject({ exclude: patterns.describe("Of these tables only the definition.") })
    .optional()
    .describe("Tables without their rows."),
  largeObjects: z.boolean().default(true).describe("Large objects (pg_largeobject) too."),
  counts: z
    .enum(["exact", "off"])
    .default("exact")
    .describe("`exact` counts the rows of every table in the dump's own snapshot, so that a restore can be compared."),
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
});

export const postgresSchema = postgresObject
  .superRefine((config, context) => {
    const problem = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: "custom", path, message });
    const { databases, exclude, passwordFile, url } = config;
    if (exclude !== undefined && databases !== "all") problem(["exclude"], "config-problem-postgres-exclude");
    if (Array.isArray(databases) && new Set(databases).size < databases.length)
      problem(["databases"], "config-problem-postgres-twice");
    if (config.tables?.include !== undefined && config.schemas !== undefined)
      problem(["schemas"], "config-problem-postgres-schemas");
    const parsed = parseUrl(url);
    if (passwordFile !== undefined && "password" in parsed && parsed.password !== undefined)
      problem(["passwordFile"], "config-problem-postgres-password");
  })
  .describe("A PostgreSQL database, several of them, or a whole cluster, with pg_dump.");

export type PostgresConfig = z.output<typeof postgresSchema>;
