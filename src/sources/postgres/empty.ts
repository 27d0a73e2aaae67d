import { AppError } from "../../core/errors.ts";
import { ask } from "./session.ts";
import type { Site } from "./site.ts";

const named = 3;

/** Everything that a person or a program has made in a database; not extensions, which a restore can live with. */
export const thingsQuestion = `
WITH own AS (SELECT oid, nspname FROM pg_catalog.pg_namespace
  WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'),
part AS (SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'),
thing AS (
  SELECT 1 AS rank, format('table %I.%I', nspname, relname) AS name FROM pg_catalog.pg_class c JOIN own ON own.oid = relnamespace
    WHERE relkind IN ('r', 'p', 'f') AND NOT EXISTS (SELECT FROM part WHERE classid = 'pg_catalog.pg_class'::regclass AND objid = c.oid)
  UNION ALL SELECT 2, format(CASE relkind WHEN 'S' THEN 'sequence' WHEN 'm' THEN 'materialized view' ELSE 'view' END || ' %I.%I', nspname, relname)
    FROM pg_catalog.pg_class c JOIN own ON own.oid = relnamespace
    WHERE relkind IN ('v', 'm', 'S') AND NOT EXISTS (SELECT FROM part WHERE classid = 'pg_catalog.pg_class'::regclass AND objid = c.oid)
  UNION ALL SELECT 3, format('function %I.%I', nspname, proname) FROM pg_catalog.pg_proc p JOIN own ON own.oid = pronamespace
    WHERE NOT EXISTS (SELECT FROM part WHERE classid = 'pg_catalog.pg_proc'::regclass AND objid = p.oid)
  UNION ALL SELECT 4, format('type %I.%I', nspname, typname) FROM pg_catalog.pg_type t JOIN own ON own.oid = typnamespace
    WHERE typtype IN ('d', 'e', 'r', 'c') AND (typrelid = 0 OR EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = typrelid AND relkind = 'c'))
      AND NOT EXISTS (SELECT FROM part WHERE classid = 'pg_catalog.pg_type'::regclass AND objid = t.oid)
  UNION ALL SELECT 5, format('schema %I', nspname) FROM own
    WHERE nspname <> 'public' AND NOT EXISTS (SELECT FROM part WHERE classid = 'pg_catalog.pg_namespace'::regclass AND objid = own.oid)
  UNION ALL SELECT 6, format('large object %s', oid) FROM pg_catalog.pg_largeobject_metadata)
SELECT to_json(name) FROM (SELECT * FROM thing ORDER BY rank, name LIMIT ${named + 1}) AS first`;

/** Rejects with `conflict`, naming what is there, when a database has anything of its own. */
export async function requireEmpty(site: Site, database: string): Promise<void> {
  const things = (await ask(site.psql, site.url(database), thingsQuestion, site.signal)).map((line) =>
    String(JSON.parse(line)),
  );
  if (things.length === 0) return;
  const list = `${things.slice(0, named).join(", ")}${things.length > named ? ", ..." : ""}`;
  throw new AppError("conflict", `database ${database} is not empty: it has ${list}`, {
    context: { step: "preflight", database },
    text: { key: "error-restore-not-empty", args: { database, list } },
  });
}
