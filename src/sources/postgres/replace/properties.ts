import { z } from "zod";
import { run } from "../../../lib/process.ts";
import { databaseTimeoutMs, giveProperties, giveRights } from "../database.ts";
import { type Definition, isOfDatabase, parseDefinitions } from "../definitions.ts";
import { restoreError } from "../errors.ts";
import { quoteIdentifier, quoteLiteral } from "../names.ts";
import { askSite, type Site } from "../site.ts";
import { askJson } from "./ground.ts";

const text = z.string().nullish();
const rowSchema = z.object({
  encoding: z.string(),
  tablespace: z.string(),
  owner: z.string(),
  datcollate: z.string(),
  datctype: z.string(),
  /** `c`, `i` or `b`; not before PostgreSQL 15. */
  datlocprovider: text,
  /** Until PostgreSQL 16, and what it is called since. */
  daticulocale: text,
  datlocale: text,
  daticurules: text,
});

/** Makes an empty database with encoding, locale, tablespace and owner of another one, and lets nobody else into it. */
export async function createLike(site: Site, live: string, name: string): Promise<void> {
  const question = `SELECT to_jsonb(d) || jsonb_build_object('encoding', pg_encoding_to_char(d.encoding),
  'owner', pg_get_userbyid(d.datdba), 'tablespace', t.spcname)
FROM pg_catalog.pg_database d JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = ${quoteLiteral(live)}`;
  const [row] = await askJson(site, undefined, question, (value) => rowSchema.parse(value));
  if (row === undefined) return;
  const sql = `CREATE DATABASE ${quoteIdentifier(name)} TEMPLATE = template0 ${creationOptions(row)};
REVOKE ALL ON DATABASE ${quoteIdentifier(name)} FROM PUBLIC`;
  await askSite(site, sql, undefined, databaseTimeoutMs).catch((error: unknown) => {
    throw restoreError(error);
  });
}

function creationOptions(row: z.output<typeof rowSchema>): string {
  const { encoding, datcollate, datctype, datlocprovider, tablespace, owner, daticurules: rules } = row;
  const locale = quoteLiteral(row.datlocale ?? row.daticulocale ?? "");
  const icu = `LOCALE_PROVIDER = icu ICU_LOCALE = ${locale}${rules ? ` ICU_RULES = ${quoteLiteral(rules)}` : ""}`;
  const provider = { i: icu, b: `LOCALE_PROVIDER = builtin BUILTIN_LOCALE = ${locale}` }[datlocprovider ?? ""] ?? "";
  // Naming the default one takes a right to it that whoever makes a database in it does not need.
  const place = tablespace === "pg_default" ? "" : `TABLESPACE = ${quoteIdentifier(tablespace)}`;
  return [
    `ENCODING = ${quoteLiteral(encoding)}`,
    `LC_COLLATE = ${quoteLiteral(datcollate)} LC_CTYPE = ${quoteLiteral(datctype)}`,
    provider,
    place,
    `OWNER = ${quoteIdentifier(owner)}`,
  ].join(" ");
}

/**
 * Settings for sessions that fill a database that nobody else uses; `endHaste` or `carryOver` takes them back. Indexes are built in a
 * quarter of what the server has for its buffers, 1 GB at most, shared by `jobs` connections, and not by the two at most that
 * make what follows the rows of a stream. A commit waits for no disk:
 * before anything is swapped in, there is one that does, of a transaction after all of these.
 */
export async function makeHaste(site: Site, name: string, jobs = 1): Promise<void> {
  const database = quoteIdentifier(name);
  const kilobytes = (setting: string): string => `pg_size_bytes(current_setting('${setting}')) / 1024`;
  const question = `SELECT greatest(${kilobytes("maintenance_work_mem")},
  least(${kilobytes("shared_buffers")} / 4, 1048576) / ${jobs})`;
  const [memory] = await askJson(site, undefined, question, (value) => z.int().parse(value));
  const sql = `ALTER DATABASE ${database} SET synchronous_commit = off;
ALTER DATABASE ${database} SET maintenance_work_mem = ${memory}`;
  await askSite(site, sql).catch((error: unknown) => {
    throw restoreError(error);
  });
}

/** Takes them back. Whoever waits for this commit waits for all before it. */
export async function endHaste(site: Site, name: string): Promise<void> {
  const database = quoteIdentifier(name);
  const sql = `ALTER DATABASE ${database} RESET synchronous_commit; ALTER DATABASE ${database} RESET maintenance_work_mem`;
  await askSite(site, sql).catch((error: unknown) => {
    throw restoreError(error);
  });
}

/**
 * The settings, privileges and limits of a database as they are now: written down by pg_dump, which knows how each is
 * quoted. Comments are not among them.
 */
export async function propertiesOf(site: Site, live: string): Promise<Definition[]> {
  const args = ["--schema-only", "--create", "--exclude-schema=*", "--no-password", `--dbname=${site.url(live)}`];
  const limits = { signal: site.signal, timeoutMs: databaseTimeoutMs, maxOutput: 256 * 1024 * 1024 };
  const { stdout } = await run(site.tools.command("pg_dump", args), limits).catch((error: unknown) => {
    throw restoreError(error);
  });
  // Without its comment: the new one keeps its mark until it is swapped in, which gives it the comment as well.
  return parseDefinitions(stdout).filter((each) => isOfDatabase(each) && each.type !== "COMMENT");
}

/** Gives a database properties that were written down, and takes back what it has of others. */
export async function carryOver(site: Site, definitions: readonly Definition[], name: string): Promise<void> {
  await toDefaults(site, name);
  await giveRights(site, name, definitions);
  await giveProperties(site, name, definitions, { scratch: false });
}

/** What an earlier attempt has given it is taken back first: it may have been taken from the live one since. */
async function toDefaults(site: Site, name: string): Promise<void> {
  const database = quoteIdentifier(name);
  const question = `
SELECT to_jsonb(CASE WHEN r.rolname IS NULL THEN format('ALTER DATABASE %I RESET ALL', d.datname)
  ELSE format('ALTER ROLE %I IN DATABASE %I RESET ALL', r.rolname, d.datname) END)
FROM pg_catalog.pg_database d JOIN pg_catalog.pg_db_role_setting s ON s.setdatabase = d.oid
LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole WHERE d.datname = ${quoteLiteral(name)}
UNION ALL
SELECT DISTINCT to_jsonb(format('REVOKE ALL ON DATABASE %I FROM %I CASCADE', d.datname, r.rolname))
FROM pg_catalog.pg_database d CROSS JOIN LATERAL aclexplode(d.datacl) a JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
WHERE d.datname = ${quoteLiteral(name)} AND a.grantee <> d.datdba`;
  const takeBack = await askJson(site, undefined, question, (value) => z.string().parse(value));
  const defaults = `GRANT CONNECT, TEMPORARY ON DATABASE ${database} TO PUBLIC; ALTER DATABASE ${database} CONNECTION LIMIT -1`;
  await askSite(site, [...takeBack, defaults].join(";\n")).catch((error: unknown) => {
    throw restoreError(error);
  });
}
