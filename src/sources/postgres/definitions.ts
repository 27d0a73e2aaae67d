/** One object of a schema, as pg_dump and pg_restore write it. */
export interface Definition {
  readonly type: string;
  /** "-" where it is in none. */
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  /** Its statements. */
  readonly sql: string;
}

const header = /^-- Name: (.*); Type: ([A-Z ]+); Schema: (.*?); Owner: (.*?)(?:; Tablespace: .*)?$/;

/** Takes a schema apart, by the comments that head every object. */
export function parseDefinitions(text: string): Definition[] {
  const found: Definition[] = [];
  let head: Omit<Definition, "sql"> | undefined;
  let lines: string[] = [];
  const finish = (): void => {
    if (head !== undefined) found.push({ ...head, sql: lines.join("\n") });
    lines = [];
  };
  // Newer pg_dumps lock psql for as long as it reads a script: no statement, though it stands behind the last one.
  const [, key] = /^\\restrict (\S+)$/m.exec(text) ?? [];
  for (const line of text.split("\n")) {
    if (key !== undefined && line === `\\unrestrict ${key}`) continue;
    const match = header.exec(line);
    if (match === null) {
      lines.push(line);
      continue;
    }
    finish();
    const [, name = "", type = "", schema = "", owner = ""] = match;
    head = { name, type, schema, owner };
  }
  finish();
  return found;
}

/** What is about the database itself, or data: not part of what is compared. */
const apart = /^(DATABASE|DATABASE PROPERTIES|BLOBS?|BLOB METADATA|STATISTICS DATA|MATERIALIZED VIEW DATA)$/;

/** True for the definition of a database, or of something of it: its settings, rights, comment. */
export function isOfDatabase({ type, name }: Definition): boolean {
  return type === "DATABASE" || type === "DATABASE PROPERTIES" || (isRemark(type) && name.startsWith("DATABASE "));
}

function isRemark(type: string): boolean {
  return type === "ACL" || type === "COMMENT" || type === "SECURITY LABEL";
}

/** Stands for every definition: of something that is known to be there, but not how. */
export const anyDefinition = "*";

/** The definitions by what they define, in a form in which equal ones are the same. */
export function comparable(definitions: readonly Definition[]): Map<string, string> {
  const result = new Map<string, string>();
  for (const definition of definitions) {
    const { type, schema, name, sql } = definition;
    if (apart.test(type) || isOfDatabase(definition) || (isRemark(type) && name.startsWith("LARGE OBJECT"))) continue;
    const key = `${type} ${schema === "-" ? "" : `${schema}.`}${name}`;
    const before = result.get(key);
    const normal = normalise(sql, type);
    result.set(key, before === undefined ? normal : [before, normal].sort().join(" "));
  }
  return result;
}

/**
 * Without comments, settings and marks of psql. Without casts and brackets too: a server writes an expression down
 * differently after it has read it again (`ANY ((ARRAY['a'::varchar])::text[])`), and an expression is not lost without
 * its statement failing. Rights are a set: their order is the one in which they were given.
 */
function normalise(sql: string, type: string): string {
  const text = sql
    .split("\n")
    .filter((line) => line !== "" && !/^(--|\\|SET |SELECT pg_catalog\.set_config)/.test(line))
    .join(" ")
    .replaceAll(
      /::(?:"[^"]*"|[a-z_][\w$]*)(?:\.(?:"[^"]*"|[a-z_][\w$]*))?(?: varying| precision)?(?:\(\d+(?:,\s*\d+)?\))?(?: with(?:out)? time zone)?(?:\[\])*/g,
      "",
    )
    .replaceAll(/[()]/g, " ")
    .replaceAll(/\s+/g, " ")
    .replaceAll(/ ?([,;[\]]) ?/g, "$1")
    .trim();
  return type.endsWith("ACL") ? text.split(";").sort().join(";") : text;
}
