import { join } from "node:path";
import { z } from "zod";
import { AppError } from "../../core/errors.ts";
import { run } from "../../lib/process.ts";
import { analyze, analyzing } from "./analyze.ts";
import { type Archive, readBeginning, streamArchive } from "./archive.ts";
import type { Beginning } from "./beginning.ts";
import { compareDefinitions, compareRows, type Differences } from "./compare.ts";
import { needsOrder, needsRows, parseContents } from "./contents.ts";
import { type Filled, noneFilled } from "./counts.ts";
import { anyDefinition, type Definition, isOfDatabase, parseDefinitions } from "./definitions.ts";
import { restoreError } from "./errors.ts";
import { fillInStages } from "./fill.ts";
import { identifierPattern, quoteIdentifier, unquote } from "./names.ts";
import { beginningOf } from "./same-archive.ts";
import { ask, withEncoding } from "./session.ts";
import { sideBySide } from "./side-by-side.ts";
import { isSameVersion, type Site } from "./site.ts";
import { unpack } from "./unpacked.ts";

/** Milliseconds for restoring from a file, which nobody waits for longer: the longest that a timer takes is 24 days. */
const restoreTimeoutMs = 20 * 86_400_000;

/** How an archive is restored: which of its parts are left out. */
export interface Manner {
  /** Owners and privileges are those of the backup; else everything belongs to whoever restores. */
  readonly owners: boolean;
  /** A scratch place: nothing that reaches out of the database, such as subscriptions and tablespaces. */
  readonly scratch: boolean;
}

/** On the server that it is of, or one like it. */
export const asBackedUp: Manner = { owners: true, scratch: false };

/** What both pg_restore and pg_dump are told, so that what they say can be compared. */
export function flagsOf({ owners, scratch }: Manner): string[] {
  return [
    ...(owners ? [] : ["--no-owner", "--no-privileges"]),
    ...(scratch ? ["--no-subscriptions", "--no-publications", "--no-tablespaces"] : []),
  ];
}

/** An archive whose definitions have been read; what is read of it later has to begin as it did then. */
export interface Prepared extends Archive {
  readonly definitions: readonly Definition[];
  /** It has to be restored by one connection, in its order. */
  readonly inOrder: boolean;
  /** Of its texts. */
  readonly encoding: string;
  readonly beginning?: Beginning;
}

/** Reads the definitions, and looks that the server has every extension among them: before anything is touched. */
export async function prepare(site: Site, archive: Archive, manner: Manner, folder?: string): Promise<Prepared> {
  const prepared = await readDefinitions(site, archive, manner, folder);
  await requireExtensions(site, prepared);
  return prepared;
}

/** Reads the definitions, those of the database itself among them. `folder`: where the beginning is kept. */
export async function readDefinitions(
  site: Site,
  archive: Archive,
  manner: Manner,
  folder?: string,
): Promise<Prepared> {
  // With the definition of the database itself, which pg_restore can not write for a name of several lines.
  const create = /[\r\n]/.test(archive.part.database ?? "") ? [] : ["--create"];
  const args = ["--schema-only", ...create, "--verbose", "--file=-", ...flagsOf(manner)];
  const path = folder && join(folder, "beginning");
  // What is made of the beginning was never compared with the manifest: that happens when the rows come.
  const { beginning, later } = beginningOf(archive);
  const text = await readBeginning(beginning, site.tools.command("pg_restore", args), path ? { keep: path } : {});
  const encoding = /^SET client_encoding = '([^']+)';$/m.exec(text)?.[1] ?? "UTF8";
  const entries = parseContents(text);
  const inOrder = needsOrder(entries) || needsRows(entries);
  const prepared = { ...later, definitions: parseDefinitions(text), encoding, inOrder };
  return folder && path ? { ...prepared, beginning: { folder, path, entries } } : prepared;
}

async function requireExtensions(site: Site, { definitions }: Prepared): Promise<void> {
  const extensions = definitions.filter(({ type }) => type === "EXTENSION").map(({ name }) => name);
  const query = "SELECT to_json(name) FROM pg_catalog.pg_available_extensions";
  const available = new Set(
    (await ask(site.psql, site.url(), query, site.signal)).map((line) => String(JSON.parse(line))),
  );
  const missing = extensions.filter((name) => !available.has(name));
  if (missing.length === 0) return;
  const list = missing.join(", ");
  const { major } = site.server;
  throw new AppError(
    "conflict",
    `the server lacks extensions that the backup needs: ${list}; install them for PostgreSQL ${major}`,
    {
      context: { step: "preflight" },
      text: { key: "error-restore-extensions", args: { list, major: String(major) } },
    },
  );
}

/**
 * Restores into an empty database and has its statistics collected: in stages where the beginning of the archive was kept.
 * `list`: a file for pg_restore's --use-list.
 */
export async function restoreInto(
  site: Site,
  database: string,
  prepared: Prepared,
  manner: Manner,
  options: {
    readonly list?: string;
    readonly progress?: ((bytes: number) => void) | undefined;
    /** On so many connections, from a file that is unpacked in this folder; default: one, as a stream. */
    readonly parallel?: { readonly jobs: number; readonly folder: string } | undefined;
    /** Default: true. Else whoever compares has the statistics collected at the same time. */
    readonly analyze?: boolean;
  } = {},
): Promise<Filled> {
  await makeSchemas(site, database, prepared.definitions);
  const { list, progress, parallel } = options;
  let filled = noneFilled;
  const args = ["--exit-on-error", "--no-password", ...flagsOf(manner)];
  if (list !== undefined) args.push(`--use-list=${list}`);
  args.push(`--dbname=${withEncoding(site.url(database), prepared.encoding)}`);
  if (parallel !== undefined && parallel.jobs > 1) {
    await using file = await unpack(prepared, parallel.folder, progress);
    const jobs = prepared.inOrder ? 1 : parallel.jobs;
    const command = site.tools.command("pg_restore", [...args, `--jobs=${jobs}`, file.path]);
    await run(command, { signal: site.signal, timeoutMs: restoreTimeoutMs }).catch((error: unknown) => {
      throw restoreError(error);
    });
  } else if (prepared.beginning) {
    filled = await fillInStages(site, database, { archive: prepared, beginning: prepared.beginning, args, progress });
  } else {
    if (await fitsTransaction(site, prepared)) args.push("--single-transaction");
    await streamArchive(prepared, site.tools.command("pg_restore", args), { progress });
  }
  if (options.analyze ?? true) await analyze(site, database, filled);
  return filled;
}

/**
 * Compares what was restored with the manifest and with the archive's definitions. `filled`: what was counted before.
 * `analyze`: its statistics are collected meanwhile.
 */
export async function compareWith(
  site: Site,
  database: string,
  { reader, part, definitions, encoding }: Prepared,
  manner: Manner,
  differences: Differences,
  { analyze: isAnalyzed = false, filled = noneFilled }: { readonly analyze?: boolean; readonly filled?: Filled } = {},
): Promise<Record<string, number>> {
  const made = schemasWithoutDefinition(definitions).map((name) => schemaDefinition(name));
  const how = { flags: flagsOf(manner), encoding, sameVersions: isSameVersion(site, reader.manifest) };
  const counted = { rows: 0, tables: 0, largeObjects: 0 };
  let objects = 0;
  const inRows = differences.another();
  const inDefinitions = differences.another();
  await sideBySide(site, [
    async (own) => {
      Object.assign(counted, await compareRows(own, database, part, inRows, filled));
    },
    ...(isAnalyzed ? analyzing(database, filled) : []),
    async (own) => {
      objects = await compareDefinitions(own, database, [...definitions, ...made], how, inDefinitions);
    },
  ]);
  differences.append(inRows);
  differences.append(inDefinitions);
  const { rows, tables, largeObjects } = counted;
  return { rows, tables, ...(largeObjects === 0 ? {} : { largeObjects }), objects };
}

const systemSchema = /^(-|public|pg_catalog|information_schema|pg_toast)$/;

const ofExtension = new RegExp(`^CREATE EXTENSION .* WITH SCHEMA (${identifierPattern});$`, "ms");

/** A dump of chosen tables has not their schemas, and one without some schemas still has the extensions in these. */
export function schemasWithoutDefinition(definitions: readonly Definition[]): string[] {
  const defined = new Set(definitions.filter(({ type }) => type === "SCHEMA").map(({ name }) => name));
  const used = new Set(definitions.filter((each) => !isOfDatabase(each)).map(({ schema }) => schema));
  for (const { type, sql } of definitions) {
    const [, schema] = (type === "EXTENSION" && ofExtension.exec(sql)) || [];
    if (schema !== undefined) used.add(unquote(schema));
  }
  return [...used].filter((name) => !defined.has(name) && !systemSchema.test(name));
}

/** Such a schema belongs to whoever restores: who it belonged to is not in the archive. */
function schemaDefinition(name: string): Definition {
  return { type: "SCHEMA", schema: "-", name, owner: "", sql: anyDefinition };
}

/** Makes the schemas that a dump of chosen tables uses and does not define. */
export async function makeSchemas(site: Site, database: string, definitions: readonly Definition[]): Promise<void> {
  const names = schemasWithoutDefinition(definitions);
  if (names.length === 0) return;
  const sql = names.map((name) => `CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(name)}`).join(";\n");
  await ask(site.psql, site.url(database), sql, site.signal).catch((error: unknown) => {
    throw restoreError(error);
  });
}

/** Locks that one table takes in the transaction that makes it, with its indexes and sequences, generously. */
const locksPerObject = 2;

/**
 * Whether everything can be restored in one transaction, so that a failure leaves nothing behind: every object takes a
 * lock until its end, and the server has room for so many only.
 */
async function fitsTransaction(site: Site, { part, definitions }: Prepared): Promise<boolean> {
  const query = `SELECT current_setting('max_locks_per_transaction')::int
  * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int)`;
  const [room] = await ask(site.psql, site.url(), query, site.signal);
  if (part.tables === undefined) return false;
  return (definitions.length + (part.entries ?? 0)) * locksPerObject < z.coerce.number().parse(room) / 2;
}
