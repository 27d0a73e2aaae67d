import { AppError } from "../../../core/errors.ts";
import type { Text } from "../../../core/text.ts";
import type { Definition } from "../definitions.ts";
import { quoteIdentifier, sameSpelling, unquote } from "../names.ts";

/** A relation that can be named; of several spellings its names without quotes. */
export interface Relation {
  readonly schema: string;
  readonly name: string;
  /** As in definitions: TABLE, VIEW, MATERIALIZED VIEW, FOREIGN TABLE, SEQUENCE. */
  readonly type: string;
}

/** What is picked: a schema, or one table of it. */
export interface Picked {
  readonly schema: string;
  readonly table?: string;
}

const nearest = 5;

const relations = new Set(["TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "SEQUENCE"]);

/** The relations of an archive. */
export function relationsOf(definitions: readonly Definition[]): Relation[] {
  return definitions.filter(({ type, schema }) => relations.has(type) && schema !== "-");
}

/** The schemas of an archive: also those of which it has only what is in them. */
export function schemasOf(definitions: readonly Definition[]): string[] {
  const names = definitions.flatMap(({ type, schema, name }) => (type === "SCHEMA" ? name : schema));
  return [...new Set(names)].filter((name) => name !== "-" && name !== "" && !name.startsWith("pg_"));
}

/** Tables as a manifest names them: `app."Odd name"`. */
export function relationsOfManifest(tables: Readonly<Record<string, number>>): Relation[] {
  return Object.keys(tables).flatMap((key) => {
    const match = /^"((?:[^"]|"")*)"\."((?:[^"]|"")*)"$/s.exec(sameSpelling(key));
    const [, schema, name] = match ?? [];
    if (schema === undefined || name === undefined) return [];
    return [{ schema: unquote(`"${schema}"`), name: unquote(`"${name}"`), type: "TABLE" }];
  });
}

/** How a relation is written so that only it can be meant. */
export function spell({ schema, name }: Pick<Relation, "schema" | "name">): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

/**
 * What a person means by `app`, `app.orders`, `"my app"."Orders"`: names as they are, with or without quotes. Rejects
 * with `not-found` for what is not in the backup, naming what is near, and with `conflict` for what has no rows in it.
 */
export function choose(pick: string, all: readonly Relation[], schemas: readonly string[]): Picked {
  const asSchema = schemas.filter((schema) => schema === pick || quoteIdentifier(schema) === pick);
  const asTable = all.filter(
    (each) => `${each.schema}.${each.name}` === pick || spell(each) === sameSpelling(pick) || spell(each) === pick,
  );
  const [table, ...others] = asTable;
  const exact = asTable.find((each) => spell(each) === sameSpelling(pick));
  const found = exact ?? table;
  if (asSchema.length + (exact === undefined ? asTable.length : 1) > 1) {
    const list = [
      ...asSchema.map(quoteIdentifier),
      ...[table, ...others].flatMap((each) => (each ? [spell(each)] : [])),
    ];
    throw failed("error-pick-ambiguous", `${pick} may mean ${list.join(" or ")}: write it with quotes`, {
      pick,
      list: list.join(", "),
    });
  }
  if (asSchema[0] !== undefined) return { schema: asSchema[0] };
  if (found === undefined) throw missing(pick, all, schemas);
  if (found.type !== "TABLE") {
    const message = `${pick} is no table: the backup has its definition and no rows of it`;
    throw failed("error-pick-kind", message, { pick });
  }
  return { schema: found.schema, table: found.name };
}

function missing(pick: string, all: readonly Relation[], schemas: readonly string[]): AppError {
  const names = [
    ...all.filter(({ type }) => type === "TABLE").map(({ schema, name }) => `${schema}.${name}`),
    ...schemas,
  ];
  const last = (name: string): string => name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  const wanted = pick.replaceAll('"', "");
  const near = names
    .map((name) => ({
      name,
      distance: Math.min(
        distanceOf(name.toLowerCase(), wanted.toLowerCase()),
        distanceOf(last(name), last(wanted)) + (last(name) === last(wanted) ? 0 : 1),
      ),
    }))
    .filter(({ distance }) => distance <= Math.max(2, Math.floor(wanted.length / 4)))
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, nearest)
    .map(({ name }) => name);
  if (near.length === 0) return failed("error-pick-none", `the backup has no schema and no table ${pick}`, { pick });
  const list = near.join(", ");
  const message = `the backup has no schema and no table ${pick}; near to it are ${list}`;
  return failed("error-pick-near", message, { pick, list });
}

/** Levenshtein's: letters to insert, remove or replace. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of a.split("").entries()) {
    const next = [i + 1];
    for (const [j, other] of b.split("").entries())
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)));
    row = next;
  }
  return row.at(-1) ?? 0;
}

function failed(key: string, message: string, args: Text["args"]): AppError {
  const isMissing = key === "error-pick-none" || key === "error-pick-near";
  return new AppError(isMissing ? "not-found" : "conflict", message, {
    context: { step: "preflight" },
    text: { key, ...(args && { args }) },
  });
}
