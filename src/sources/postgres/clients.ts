import { z } from "zod";
import { AppError } from "../../core/errors.ts";
import type { SourceClients } from "../types.ts";
import { ask, type PsqlCommand } from "./session.ts";

/** So many groups are told. */
const mostGroups = 20;

// Who may not see others' sessions sees whose they are, and not of what kind: the server's own have no user or no database.
// Read as JSON, since older servers have fewer columns.
const question = `
WITH clients AS (
  SELECT a.usename AS "user", left(a.application_name, 60) AS application, a.datname AS database
  FROM pg_catalog.pg_stat_activity a
  WHERE a.usename IS NOT NULL AND a.pid <> pg_backend_pid()
  AND coalesce(to_jsonb(a) ->> 'backend_type' IN ('client backend', 'walsender'), a.datname IS NOT NULL))
SELECT json_build_object('total', (SELECT count(*) FROM clients), 'groups', coalesce((
  SELECT json_agg(json_build_object('user', "user", 'application', application, 'database', database, 'count', count))
  FROM (SELECT "user", coalesce(application, '') AS application, coalesce(database, 'replication') AS database, count(*)
    FROM clients GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT ${mostGroups}) g), '[]'))`;

const clientsSchema = z.object({
  total: z.int(),
  groups: z.array(z.object({ user: z.string(), application: z.string(), database: z.string(), count: z.int() })),
});

/** Who is connected to a server. Fails as a session does; `timeoutMs`: at most. */
export async function askClients(
  psql: PsqlCommand,
  url: string,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<SourceClients> {
  const [line = "null"] = await ask(psql, url, question, signal, timeoutMs);
  const told = clientsSchema.safeParse(JSON.parse(line));
  if (told.success) return told.data;
  throw new AppError("source-failed", "what the server says of its sessions could not be read", {
    context: { step: "psql" },
    text: { key: "error-source-description" },
  });
}
