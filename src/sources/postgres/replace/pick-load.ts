import { z } from "zod";
import type { ManifestPart } from "../../../core/manifest.ts";
import { startPipeline } from "../../../lib/process.ts";
import type { Differences } from "../compare.ts";
import { restoreError } from "../errors.ts";
import { quoteIdentifier, quoteLiteral, sameSpelling } from "../names.ts";
import { Report } from "../restore.ts";
import { ask, PsqlSession, psqlArgs, withUtf8 } from "../session.ts";
import type { Site } from "../site.ts";
import { durable } from "./ground.ts";
import type { Names } from "./marks.ts";
import { type Picked, spell } from "./pick-choice.ts";
import { commentOn } from "./pick-fill.ts";
import type { Moved } from "./pick-move.ts";

/** Milliseconds for the statistics of what was loaded. */
const analyzeTimeoutMs = 6 * 60 * 60_000;

/** What is restored, and into which schema. */
export interface Shape {
  readonly picked: Picked;
  readonly to: string;
  readonly part: ManifestPart;
}

/** Stands in the comment of a schema that an order has made. */
export function marker(id: string): string {
  return `(restore ${id})`;
}

/**
 * Brings the schema out of the database in which it was put together into the live one, in one transaction that ends well
 * only after pg_dump did. Whatever fails before that leaves nothing there.
 */
export async function load(
  site: Site,
  names: Names,
  what: Shape & { readonly moved: Moved["tables"]; readonly comment: string },
): Promise<Report> {
  const { to, comment } = what;
  await ask(site.psql, site.url(names.made), commentOn(to, comment), site.signal);
  const report = new Report();
  const command = site.tools.command("psql", [...psqlArgs, "-d", withUtf8(site.url(names.live))], "psql");
  const session = new PsqlSession(command, site.signal);
  const dump = startPipeline(
    [
      site.tools.command("pg_dump", [
        `--schema=${quoteIdentifier(to)}`,
        "--strict-names",
        "--no-password",
        `--dbname=${site.url(names.made)}`,
      ]),
    ],
    { signal: site.signal },
  );
  try {
    await session.query(`SET default_transaction_read_only = off; ${durable}; BEGIN`);
    await session.feed(dump.stdout);
    await dump.done;
    await session.query("SET client_encoding = 'UTF8'; SET LOCAL row_security = off");
    await report.add(undefined, (differences) => verify(session, what, what.moved, differences));
    await session.query("COMMIT");
    const tables = what.moved.map(({ name }) => spell({ schema: to, name }));
    if (tables.length > 0)
      await ask(site.psql, site.url(names.live), `ANALYZE ${tables.join(", ")}`, site.signal, analyzeTimeoutMs);
    return report;
  } catch (error) {
    throw restoreError(error);
  } finally {
    dump.stdout.destroy();
    await session.close();
    await dump.done.catch(() => undefined);
  }
}

const foundSchema = z.object({ name: z.string(), rows: z.int() });

/**
 * Compares the rows of the new schema with those that the manifest has of what was picked. `moved`: where each table comes
 * from; else all of them come from the schema that was picked.
 */
export async function verify(
  session: Pick<PsqlSession, "query">,
  { picked, to, part }: Shape,
  moved: Moved["tables"] | undefined,
  differences: Differences,
): Promise<Record<string, number>> {
  const lines = await session.query(`SELECT to_json(c.relname) FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname = ${quoteLiteral(to)}`);
  const names = lines.map((line) => String(JSON.parse(line)));
  const queries = names.map(
    (name) =>
      `SELECT json_build_object('name', ${quoteLiteral(name)}::text, 'rows', count(*)) FROM ONLY ${spell({ schema: to, name })}`,
  );
  const counted = queries.length === 0 ? [] : await session.query(queries.join(";\n"));
  const found = new Map(
    counted.map((line) => foundSchema.parse(JSON.parse(line))).map(({ name, rows }) => [name, rows]),
  );
  if (part.tables === undefined) return { rows: 0, tables: 0 };
  const origin = new Map(moved?.map(({ schema, name }) => [name, schema]));
  const expected = new Map(Object.entries(part.tables).map(([name, rows]) => [sameSpelling(name), rows]));
  let rows = 0;
  for (const [name, there] of found) {
    const wanted = expected.get(spell({ schema: origin.get(name) ?? picked.schema, name })) ?? 0;
    rows += there;
    if (wanted !== there) differences.add(spell({ schema: to, name }), `${wanted} rows`, `${there} rows`);
  }
  for (const { schema, name, kind } of moved ?? [])
    if (kind === "r" && !found.has(name)) differences.add(spell({ schema, name }), "defined", "missing");
  return { rows, tables: found.size };
}
