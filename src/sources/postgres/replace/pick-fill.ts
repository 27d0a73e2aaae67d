import type { Readable } from "node:stream";
import { z } from "zod";
import { AppError } from "../../../core/errors.ts";
import { readBeginning, streamDrained } from "../archive.ts";
import { type Definition, parseDefinitions } from "../definitions.ts";
import { restoreError } from "../errors.ts";
import { identifierPattern, quoteIdentifier, quoteLiteral, unquote } from "../names.ts";
import { makeSchemas, type Prepared } from "../restore-database.ts";
import { beginningOf } from "../same-archive.ts";
import { ask, withEncoding } from "../session.ts";
import type { Site } from "../site.ts";
import type { Picked } from "./pick-choice.ts";
import { wantedTables } from "./pick-move.ts";

/** Milliseconds for indexes and constraints, which take as long as there are rows. */
const indexTimeoutMs = 24 * 60 * 60_000;

const tableSchema = z.object({ schema: z.string(), name: z.string() });
const setSchema = z.object({ tables: z.array(tableSchema), sequences: z.array(tableSchema) });

/**
 * Makes every object of an archive without rows, indexes and constraints: what is picked needs some of them. Resolves with
 * the archive for what is read of it later, which has to begin as what these were made of.
 */
export async function makeStructure(site: Site, database: string, archive: Prepared): Promise<Prepared> {
  await makeSchemas(site, database, archive.definitions);
  const to = `--dbname=${withEncoding(site.url(database), archive.encoding)}`;
  const args = ["--section=pre-data", "--exit-on-error", "--no-password", to];
  const { beginning, later } = beginningOf(archive);
  await readBeginning(beginning, site.tools.command("pg_restore", args));
  return later;
}

/**
 * Fills the tables that are picked and finishes them: indexes, constraints, triggers, policies. Resolves with the foreign
 * keys to tables that are not picked, which are left out: their rows are not there.
 */
export async function fillPicked(
  site: Site,
  database: string,
  archive: Prepared,
  picked: Picked,
  progress: (bytes: number) => void,
): Promise<string[]> {
  // Before the rows: only what is read whole is compared with the manifest, and has to begin as this did.
  const { beginning, later } = beginningOf(archive);
  const text = await readBeginning(beginning, site.tools.command("pg_restore", ["--section=post-data", "--file=-"]));
  if (text.includes("\uFFFD")) throw unreadable();
  const { tables, sequences } = await askSet(site, database, picked);
  const schemas = [...new Set([...tables, ...sequences].map(({ schema }) => schema))];
  const names = picked.table === undefined ? [] : [...tables, ...sequences].map(({ name }) => name);
  const args = ["--section=data", "--exit-on-error", "--no-password"];
  args.push(...schemas.map((schema) => `--schema=${schema}`), ...names.map((name) => `--table=${name}`));
  args.push(`--dbname=${withEncoding(site.url(database), archive.encoding)}`);
  const use = async (output: Readable): Promise<void> => void output.resume();
  await streamDrained(later, site.tools.command("pg_restore", args), { progress, use });
  const wanted = new Set(tables.map((each) => JSON.stringify([each.schema, each.name])));
  return await finish(site, database, { definitions: parseDefinitions(text), schemas: new Set(schemas), wanted });
}

async function askSet(site: Site, database: string, picked: Picked): Promise<z.output<typeof setSchema>> {
  const name = "json_build_object('schema', n.nspname, 'name', c.relname)";
  const inNamespace = "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace";
  // Sequences of columns, those that a default uses, and, of a schema, all that are in it.
  const also = picked.table === undefined ? `OR n.nspname = ${quoteLiteral(picked.schema)}` : "";
  const question = `${wantedTables(picked)}
SELECT json_build_object('tables', (SELECT coalesce(json_agg(${name}), '[]') FROM ${inNamespace} WHERE c.oid IN (SELECT oid FROM wanted)),
  'sequences', (SELECT coalesce(json_agg(${name}), '[]') FROM ${inNamespace} WHERE c.relkind = 'S' AND (c.oid IN (
    SELECT objid FROM pg_catalog.pg_depend WHERE classid = 'pg_catalog.pg_class'::regclass AND refobjid IN (SELECT oid FROM wanted) AND deptype IN ('a', 'i')
    UNION SELECT d.refobjid FROM pg_catalog.pg_attrdef f JOIN pg_catalog.pg_depend d ON d.objid = f.oid AND d.classid = 'pg_catalog.pg_attrdef'::regclass
      AND d.refclassid = 'pg_catalog.pg_class'::regclass WHERE f.adrelid IN (SELECT oid FROM wanted)) ${also})))`;
  const [line = ""] = await ask(site.psql, site.url(database), question, site.signal);
  return setSchema.parse(JSON.parse(line));
}

/** Of another world than a schema: they would do something, or do not exist here. */
const elsewhere = /^(EVENT TRIGGER|PUBLICATION|SUBSCRIPTION|MATERIALIZED VIEW DATA)/;

const id = `(${identifierPattern})`;
const foreignKey = new RegExp(
  `^ALTER TABLE (?:ONLY )?${id}\\.${id}\\s+ADD CONSTRAINT ${id} FOREIGN KEY \\(.*?\\) REFERENCES ${id}\\.${id}\\(`,
  "ms",
);

async function finish(
  site: Site,
  database: string,
  archive: {
    readonly definitions: readonly Definition[];
    readonly schemas: ReadonlySet<string>;
    readonly wanted: ReadonlySet<string>;
  },
): Promise<string[]> {
  const { definitions, schemas, wanted } = archive;
  const leftOut: string[] = [];
  const first: string[] = [];
  const keys: string[] = [];
  const remarks: string[] = [];
  for (const { type, schema, name, sql } of definitions) {
    if (!schemas.has(schema) || elsewhere.test(type)) continue;
    if (type === "FK CONSTRAINT") {
      const [, fromSchema = "", from = "", , toSchema = "", to = ""] = foreignKey.exec(sql) ?? [];
      const isWanted = (of: string, table: string) => wanted.has(JSON.stringify([unquote(of), unquote(table)]));
      if (!isWanted(fromSchema, from)) continue;
      if (isWanted(toSchema, to)) keys.push(sql);
      else leftOut.push(`${fromSchema}.${from} -> ${toSchema}.${to}`);
      continue;
    }
    // Of a constraint that may have been left out.
    if (type === "COMMENT" && name.startsWith("CONSTRAINT "))
      remarks.push(
        `DO ${quoteLiteral(`BEGIN EXECUTE ${quoteLiteral(sql)}; EXCEPTION WHEN undefined_object THEN NULL; END`)}`,
      );
    else first.push(sql);
  }
  const sql = [...first, ...keys, ...remarks.map((each) => `${each};`)].join("\n");
  await ask(
    site.psql,
    site.url(database),
    `SET check_function_bodies = off;\n${sql}`,
    site.signal,
    indexTimeoutMs,
  ).catch((error: unknown) => {
    throw restoreError(error);
  });
  return leftOut;
}

/** Fills what is computed from the tables that are there: those views that were filled in the backup or not alike. */
export async function refreshViews(site: Site, database: string, schema: string): Promise<void> {
  const question = `SELECT to_json(format('%I.%I', n.nspname, c.relname)) FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'm' AND n.nspname = ${quoteLiteral(schema)} ORDER BY c.oid`;
  const views = (await ask(site.psql, site.url(database), question, site.signal)).map((line) =>
    String(JSON.parse(line)),
  );
  if (views.length === 0) return;
  const sql = views.map((view) => `REFRESH MATERIALIZED VIEW ${view}`).join(";\n");
  await ask(site.psql, site.url(database), sql, site.signal, indexTimeoutMs).catch((error: unknown) => {
    throw restoreError(error);
  });
}

/** The statement that says in a schema's comment where it comes from. */
export function commentOn(schema: string, text: string): string {
  return `COMMENT ON SCHEMA ${quoteIdentifier(schema)} IS ${quoteLiteral(text)}`;
}

/** A text with letters that are none in UTF-8. */
function unreadable(): AppError {
  const message = "a part of a backup can only be restored from a database whose names are in UTF-8";
  return new AppError("conflict", message, { context: { step: "preflight" }, text: { key: "error-pick-encoding" } });
}
