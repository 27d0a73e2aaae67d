import { z } from "zod";
import type { PsqlSession } from "./session.ts";

/**
 * The tables whose rows pg_dump writes: ordinary ones and the leaves of partitioned ones. Not foreign tables and
 * materialized views (their rows are not in the dump), temporary and system tables, nor tables of extensions:
 * CREATE EXTENSION makes and partly fills those anew.
 */
export const tableList = `
SELECT json_build_array(format('%I.%I', n.nspname, c.relname), c.oid::bigint)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.relpages DESC`;

const tableSchema = z.tuple([z.string(), z.int()]);
const rowSchema = z.tuple([z.int(), z.int()]);

/** What a database holds, counted exactly. */
export interface Counted {
  /** Rows per table ("schema.table", quoted where needed). */
  readonly tables: Readonly<Record<string, number>>;
  readonly largeObjects: number;
}

/** What a database holds, and how large it is. */
export interface Measured extends Counted {
  /** Bytes per table on the server's disk, without its indexes. */
  readonly tableBytes: Readonly<Record<string, number>>;
}

/** What was looked at of tables as soon as their rows were there, by "schema.table", quoted where needed. */
export interface Filled {
  /** Their rows. */
  readonly counted: ReadonlyMap<string, number>;
  /** Those whose statistics were collected. */
  readonly analyzed: ReadonlySet<string>;
}

export const noneFilled: Filled = { counted: new Map(), analyzed: new Set() };

/** A snapshot that stays as it was for as long as its session lives. */
export interface Snapshot {
  /** For `pg_dump --snapshot`. */
  readonly id: string;
  /** What there is, as this snapshot sees it, and how large these tables are now. */
  count(): Promise<Measured>;
}

/** Which tables are counted, by their oids; told once the snapshot is there. */
export type TableChoice = (snapshot: string) => Promise<ReadonlySet<number>>;

/**
 * Begins a transaction, exports its snapshot and locks the tables against being rewritten: a TRUNCATE or a rewriting
 * ALTER TABLE empties a table even for older snapshots. They are locked before pg_dump starts: after it, this session
 * could queue behind a change that itself waits for the dump. `lockWaitMs` bounds the wait.
 */
export async function takeSnapshot(
  session: Pick<PsqlSession, "query">,
  lockWaitMs: number,
  choose?: TableChoice,
): Promise<Snapshot> {
  // What only newer servers know: to notice during a long count that the client is gone (since PostgreSQL 14), and the
  // limit of a whole transaction (17), which a database or a role may have and pg_dump lifts for itself as well.
  await session.query(`
SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = ${lockWaitMs}; SET row_security = off;
SELECT CASE WHEN current_setting('server_version_num')::int >= 140000
  THEN set_config('client_connection_check_interval', '5s', false) END;
SELECT CASE WHEN current_setting('server_version_num')::int >= 170000
  THEN set_config('transaction_timeout', '0', false) END`);
  const [id = "", ...tables] = await session.query(`
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT pg_export_snapshot();
${tableList}`);
  const chosen = await choose?.(id);
  const counted = tables
    .map((line) => tableSchema.parse(JSON.parse(line)))
    .filter(([, oid]) => chosen === undefined || chosen.has(oid));
  const names = counted.map(([name]) => name);
  if (names.length > 0)
    await session.query(`LOCK TABLE ${names.map((name) => `ONLY ${name}`).join(", ")} IN ACCESS SHARE MODE`);
  const count = async (): Promise<Measured> => {
    const tableBytes = await sizesOf(session, new Map(counted.map(([name, oid]) => [oid, name])));
    return { ...(await countRows(session, names)), tableBytes };
  };
  return { id, count };
}

/** Bytes of tables on the server's disk, by name; no indexes, which may be locked by who makes them anew. */
async function sizesOf(
  session: Pick<PsqlSession, "query">,
  tables: ReadonlyMap<number, string>,
): Promise<Record<string, number>> {
  const oids = `'{${[...tables.keys()].join(",")}}'::oid[]`;
  const lines = await session.query(
    `SELECT json_build_array(oid::bigint, coalesce(pg_catalog.pg_relation_size(oid), 0)
      + coalesce(pg_catalog.pg_relation_size(nullif(reltoastrelid, 0)), 0))
    FROM pg_catalog.pg_class WHERE oid = ANY (${oids})`,
  );
  const sizes = lines.map((line) => rowSchema.parse(JSON.parse(line)));
  return Object.fromEntries(sizes.map(([oid, bytes]) => [tables.get(oid) ?? "", bytes] as const).sort(byName));
}

function byName([a]: readonly [string, number], [b]: readonly [string, number]): number {
  return a < b ? -1 : 1;
}

/** Counts the rows of these tables, and the large objects. */
export async function countRows(session: Pick<PsqlSession, "query">, names: readonly string[]): Promise<Counted> {
  // Numbered instead of named: no name has to be quoted twice.
  const queries = names.map((name, index) => `SELECT json_build_array(${index}, count(*)) FROM ONLY ${name}`);
  queries.push(`SELECT json_build_array(-1, count(*)) FROM pg_catalog.pg_largeobject_metadata`);
  const counts: [string, number][] = [];
  let largeObjects = 0;
  for (const line of await session.query(queries.join(";\n"))) {
    const [index, count] = rowSchema.parse(JSON.parse(line));
    if (index === -1) largeObjects = count;
    else counts.push([names[index] ?? "", count]);
  }
  return { tables: Object.fromEntries(counts.sort(byName)), largeObjects };
}
