import { z } from "zod";
import { AppError } from "../../core/errors.ts";
import { isMark } from "./replace/marks.ts";
import type { PostgresConfig } from "./schema.ts";
import { ask, type PsqlCommand, type PsqlSession, unhurried } from "./session.ts";

/** What test-restores make on a server begins with this; it is in no backup. */
export const scratchPrefix = "vakhta_verify_";

const databaseSchema = z.object({
  name: z.string(),
  bytes: z.int(),
  /** Connections are allowed. */
  open: z.boolean(),
  template: z.boolean(),
  comment: z.string().nullish(),
});

export type Database = z.output<typeof databaseSchema>;

const question = `
SELECT json_build_object('name', datname, 'open', datallowconn, 'template', datistemplate,
  'comment', shobj_description(oid, 'pg_database'), 'bytes', coalesce(CASE WHEN has_database_privilege(oid, 'CONNECT') THEN pg_database_size(oid) END, 0))
FROM pg_catalog.pg_database ORDER BY datname`;

/** Every database of a cluster. */
export async function listDatabases(psql: PsqlCommand, url: string, signal: AbortSignal): Promise<Database[]> {
  const lines = await ask(psql, url, question, signal);
  return lines.map((line) => databaseSchema.parse(JSON.parse(line)));
}

/** The encoding of a session's database, and its extensions with their versions. */
export async function askDatabase(
  session: Pick<PsqlSession, "query">,
): Promise<{ readonly encoding: string; readonly extensions: string }> {
  const lines = await session.query(`${unhurried};
SELECT to_json(pg_catalog.getdatabaseencoding());
SELECT to_json(extname || ' ' || extversion) FROM pg_catalog.pg_extension ORDER BY extname`);
  const [encoding = "", ...extensions] = lines.map((line) => String(JSON.parse(line)));
  return { encoding, extensions: extensions.join(", ") };
}

/** Which of a cluster's databases a backup takes. */
export interface Choice {
  readonly chosen: readonly Database[];
  /** Those of `all` that allow no connections. */
  readonly closed: readonly string[];
}

/** Throws `source-refused` for a named one that is not there or allows no connections. */
export function chooseDatabases(
  config: Pick<PostgresConfig, "databases" | "exclude">,
  all: readonly Database[],
): Choice {
  const { databases = "all", exclude = [] } = config;
  if (databases === "all") {
    const wanted = all.filter(
      (each) =>
        !each.template && !exclude.includes(each.name) && !each.name.startsWith(scratchPrefix) && !isMark(each.comment),
    );
    return {
      chosen: wanted.filter(({ open }) => open),
      closed: wanted.filter(({ open }) => !open).map(({ name }) => name),
    };
  }
  const chosen = databases.map((database) => {
    const found = all.find(({ name, open }) => name === database && open);
    if (found !== undefined) return found;
    throw new AppError("source-refused", `there is no database ${database} that allows connections`, {
      context: { step: "psql" },
      text: { key: "error-source-database", args: { database } },
    });
  });
  return { chosen, closed: [] };
}

/** True for the refusal of a server that has no database of that name. */
export function isMissingDatabase(error: unknown): boolean {
  if (!(error instanceof AppError) || error.code !== "source-refused") return false;
  return /FATAL:\s+database ".*" does not exist/s.test(String(error.context.stderr ?? ""));
}
