import { createHash } from "node:crypto";

/** A name as SQL takes it, whatever is in it. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as SQL takes it; also one with backslashes, whatever `standard_conforming_strings` says. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll("\\", "\\\\")}'`;
  return text.includes("\\") ? `E${quoted}` : quoted;
}

/** A value in a libpq connection string, `dbname='...'`. */
export function quoteConnectionValue(value: string): string {
  return `'${value.replaceAll(/[\\']/g, "\\$&")}'`;
}

const identifier = String.raw`"(?:[^"]|"")*"|[^\s".;,()]+`;

/** A regular expression's source for one identifier as PostgreSQL's tools write it. */
export const identifierPattern = `(?:${identifier})`;

/** The name that an identifier stands for. */
export function unquote(quoted: string): string {
  return quoted.startsWith('"') ? quoted.slice(1, -1).replaceAll('""', '"') : quoted;
}

const qualified = new RegExp(`^(${identifier})\\.(${identifier})$`, "s");

/**
 * One spelling for "schema.table": which names need quotes differs between the versions of a server, since their
 * reserved words do.
 */
export function sameSpelling(name: string): string {
  const match = qualified.exec(name);
  return match === null
    ? name
    : `${quoteIdentifier(unquote(match[1] ?? ""))}.${quoteIdentifier(unquote(match[2] ?? ""))}`;
}

/** The longest part of a database's name that a file is called by. */
const longest = 40;

/**
 * The file of one of several databases: safe in every storage, and a different one for every name. What had to be
 * altered is told apart by a hash behind a dot, which no unaltered name has.
 */
export function partFile(database: string): string {
  const safe = database
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, "-")
    .slice(0, longest);
  if (safe === database) return `artifact-${database}.dump.zst`;
  const hash = createHash("sha256").update(database).digest("hex").slice(0, 12);
  return `artifact-${safe.replaceAll(/^-+|-+$/g, "") || "database"}.${hash}.dump.zst`;
}
