import { AppError } from "../../core/errors.ts";
import { type Definition, isOfDatabase } from "./definitions.ts";
import { restoreError } from "./errors.ts";
import { splitStatements } from "./globals.ts";
import { identifierPattern, quoteIdentifier, quoteLiteral } from "./names.ts";
import { ask } from "./session.ts";
import type { Site } from "./site.ts";

/** Milliseconds for making or dropping a database, which copies or removes files. */
const timeoutMs = 10 * 60_000;

const creation = new RegExp(`^CREATE DATABASE ${identifierPattern} WITH TEMPLATE = template0(?<options>.*)$`, "s");
const named = new RegExp(`\\bDATABASE ${identifierPattern}`, "s");

/**
 * Makes an empty database as the archive's was: encoding, locale and, with `owners`, its owner, rights and settings.
 * `fallback`: where the server has no such locale, it gets C and `onFallback` is told; else that is an error.
 */
export async function createDatabase(
  site: Site,
  database: string,
  archive: readonly Definition[],
  options: { readonly owners: boolean; readonly tablespaces: boolean; readonly onFallback?: (locale: string) => void },
): Promise<void> {
  const statements = archive.filter(isOfDatabase).flatMap(({ sql }) => splitStatements(sql));
  const described = statements.map((statement) => creation.exec(statement)?.groups?.options).find(Boolean) ?? "";
  const how = options.tablespaces ? described : described.replace(new RegExp(` TABLESPACE = ${identifierPattern}`), "");
  const create = (rest: string) =>
    ask(
      site.psql,
      site.url(),
      `CREATE DATABASE ${quoteIdentifier(database)} TEMPLATE = template0${rest}`,
      site.signal,
      timeoutMs,
    );
  try {
    await create(how);
  } catch (error) {
    if (options.onFallback === undefined || !isLocaleProblem(error)) throw restoreError(error);
    options.onFallback(/LOCALE = ('[^']*')|LC_COLLATE = ('[^']*')/.exec(how)?.slice(1).find(Boolean) ?? how.trim());
    const encoding = / ENCODING = '[^']*'/.exec(how)?.[0] ?? "";
    await create(`${encoding} LOCALE = 'C'`).catch((again: unknown) => {
      throw restoreError(again);
    });
  }
  if (!options.owners) return;
  // A function as the replacement: a $ in a name means nothing there.
  const rest = statements
    .filter((statement) => /^(ALTER|COMMENT|GRANT|REVOKE|SECURITY)\b/.test(statement))
    .map((statement) => statement.replace(named, () => `DATABASE ${quoteIdentifier(database)}`));
  if (rest.length > 0)
    await ask(site.psql, site.url(), rest.join(";\n"), site.signal, timeoutMs).catch((error: unknown) => {
      throw restoreError(error);
    });
}

function isLocaleProblem(error: unknown): boolean {
  return error instanceof AppError && /locale|collation|provider/i.test(String(error.context.stderr ?? ""));
}

/** Drops databases whoever is connected, those of them that there are; gives their number. */
export async function dropDatabases(
  site: Pick<Site, "psql" | "url" | "server">,
  databases: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  if (databases.length === 0) return 0;
  const list = databases.map(quoteLiteral).join(", ");
  const query = `SELECT to_json(datname) FROM pg_catalog.pg_database WHERE datname IN (${list})`;
  const there = (await ask(site.psql, site.url(), query, signal)).map((line) => String(JSON.parse(line)));
  for (const database of there) {
    // Before PostgreSQL 13 a connected session can only be ended first.
    const end = `SELECT pg_terminate_backend(pid)::text FROM pg_catalog.pg_stat_activity WHERE datname = ${quoteLiteral(database)} AND pid <> pg_backend_pid();\n`;
    const forced = site.server.major >= 13;
    const drop = `DROP DATABASE IF EXISTS ${quoteIdentifier(database)}${forced ? " WITH (FORCE)" : ""}`;
    await ask(site.psql, site.url(), `${forced ? "" : end}${drop}`, signal, timeoutMs);
  }
  return there.length;
}
