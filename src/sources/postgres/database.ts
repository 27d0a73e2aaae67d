import { z } from "zod";
import { AppError } from "../../core/errors.ts";
import { type Definition, isOfDatabase } from "./definitions.ts";
import { restoreError } from "./errors.ts";
import { splitStatements } from "./globals.ts";
import { identifierPattern, quoteIdentifier, quoteLiteral } from "./names.ts";
import { ask } from "./session.ts";
import { askSite, type Site } from "./site.ts";

/** Milliseconds for making or dropping a database, which copies or removes files. */
export const databaseTimeoutMs = 10 * 60_000;

const creation = new RegExp(`^CREATE DATABASE ${identifierPattern} WITH TEMPLATE = template0(?<options>.*)$`, "s");
const named = new RegExp(`\\bDATABASE ${identifierPattern}`, "s");
/** Who may do what in a database. */
const right = new RegExp(`^(?:GRANT|REVOKE)\\b|^ALTER DATABASE ${identifierPattern} OWNER TO `, "s");
/** What a session there begins with. */
const setting = new RegExp(
  `^ALTER (?:DATABASE ${identifierPattern}|ROLE ${identifierPattern} IN DATABASE ${identifierPattern}) SET `,
  "s",
);

/**
 * Makes an empty database as the archive's was: encoding and locale.
 * `fallback`: where the server has no such locale, it gets C and `onFallback` is told; else that is an error.
 */
export async function createDatabase(
  site: Site,
  database: string,
  archive: readonly Definition[],
  options: { readonly tablespaces: boolean; readonly onFallback?: (locale: string) => void },
): Promise<void> {
  const statements = statementsOf(archive);
  const described = statements.map((statement) => creation.exec(statement)?.groups?.options).find(Boolean) ?? "";
  const how = options.tablespaces ? described : described.replace(new RegExp(` TABLESPACE = ${identifierPattern}`), "");
  const create = (rest: string) =>
    ask(
      site.psql,
      site.url(),
      `CREATE DATABASE ${quoteIdentifier(database)} TEMPLATE = template0${rest}`,
      site.signal,
      databaseTimeoutMs,
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
}

/** Gives a database the owner and the rights of the archive's: before it is filled, since whoever fills it may need them. */
export async function giveRights(site: Site, database: string, archive: readonly Definition[]): Promise<void> {
  await alter(site, database, statementsOf(archive).filter(isRight));
}

/**
 * Gives a database what is left of the archive's: settings, also those of roles in it, comment and limits. Only once it
 * is filled, since a setting may stand in the way of that (`default_transaction_read_only`). `scratch`: settings alone.
 */
export async function giveProperties(
  site: Site,
  database: string,
  archive: readonly Definition[],
  { scratch }: { readonly scratch: boolean },
): Promise<void> {
  const rest = statementsOf(archive).filter(
    (statement) =>
      setting.test(statement) || (!scratch && !isRight(statement) && /^(ALTER|COMMENT|SECURITY)\b/.test(statement)),
  );
  await alter(site, database, rest);
}

function statementsOf(archive: readonly Definition[]): string[] {
  return archive.filter(isOfDatabase).flatMap(({ sql }) => splitStatements(sql));
}

function isRight(statement: string): boolean {
  return right.test(statement);
}

/** Runs statements about the archive's database about this one. */
async function alter(site: Site, database: string, statements: readonly string[]): Promise<void> {
  if (statements.length === 0) return;
  // A function as the replacement: a $ in a name means nothing there.
  const sql = statements.map((statement) => statement.replace(named, () => `DATABASE ${quoteIdentifier(database)}`));
  await askSite(site, sql.join(";\n"), undefined, databaseTimeoutMs).catch((error: unknown) => {
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
  await dropSubscriptions(site, list, signal);
  for (const database of there) {
    // Before PostgreSQL 13 a connected session can only be ended first.
    const end = `SELECT pg_terminate_backend(pid)::text FROM pg_catalog.pg_stat_activity WHERE datname = ${quoteLiteral(database)} AND pid <> pg_backend_pid();\n`;
    const forced = site.server.major >= 13;
    const drop = `DROP DATABASE IF EXISTS ${quoteIdentifier(database)}${forced ? " WITH (FORCE)" : ""}`;
    await ask(site.psql, site.url(), `${forced ? "" : end}${drop}`, signal, databaseTimeoutMs);
  }
  return there.length;
}

const subscriptionSchema = z.object({ database: z.string(), open: z.boolean(), name: z.string() });

/**
 * A database with subscriptions, as a restore makes them again, can not be dropped. Their slots stay: they are those of the
 * database that was backed up, which may be at work with them.
 */
async function dropSubscriptions(site: Pick<Site, "psql" | "url">, list: string, signal: AbortSignal): Promise<void> {
  const query = `SELECT json_build_object('database', datname, 'open', datallowconn, 'name', subname)
FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid WHERE datname IN (${list})`;
  const found = (await ask(site.psql, site.url(), query, signal)).map((line) =>
    subscriptionSchema.parse(JSON.parse(line)),
  );
  for (const { database, open, name } of found) {
    const of = `SUBSCRIPTION ${quoteIdentifier(name)}`;
    if (!open) {
      const opening = `ALTER DATABASE ${quoteIdentifier(database)} ALLOW_CONNECTIONS true`;
      await ask(site.psql, site.url(), opening, signal);
    }
    const drop = `ALTER ${of} DISABLE; ALTER ${of} SET (slot_name = NONE); DROP ${of}`;
    await ask(site.psql, site.url(database), `SET default_transaction_read_only = off; ${drop}`, signal);
  }
}
