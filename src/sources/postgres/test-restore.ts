import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Text } from "../../core/text.ts";
import type { BackupReader, RestoreReport, Scratch } from "../types.ts";
import { readBeginning } from "./archive.ts";
import { connect } from "./connection.ts";
import { createDatabase, dropDatabases, giveProperties, giveRights } from "./database.ts";
import type { Definition } from "./definitions.ts";
import { askKnown, makeMissing } from "./globals.ts";
import { startPrivateServer } from "./private-server.ts";
import { artifacts, isSeveral, Report, readGlobals, warnOf } from "./restore.ts";
import { compareWith, type Manner, type Prepared, prepare, restoreInto } from "./restore-database.ts";
import { beginningOf } from "./same-archive.ts";
import type { PostgresConfig } from "./schema.ts";
import { markScratch, scratchName, sweepScratchDatabases } from "./scratch-databases.ts";
import { ask } from "./session.ts";
import { majorOf, openSite, type Site } from "./site.ts";

/** Milliseconds for removing what was made, whatever became of the rest. */
const cleanUpMs = 120_000;

const namedRoles = 5;

/**
 * Restores every database of a backup, one after another, into databases of its own on the scratch server or on a
 * private one, compares them, and drops them again, also when it fails. On a scratch server no role is ever made.
 */
export async function testRestore(
  reader: BackupReader,
  scratch: Scratch,
  config?: PostgresConfig,
): Promise<RestoreReport> {
  const { manifest } = reader;
  const { folder, signal, logger } = scratch;
  const options = { signal, logger };
  if (scratch.server !== undefined) {
    const { options: tools, ...rest } = connect(scratch.server);
    const site = await openSite({ ...rest, options: { ...tools, bin: config?.bin } }, manifest, options);
    await sweepScratchDatabases(site).catch(warnOf(logger, "leftovers on the scratch server could not be looked for"));
    signal.throwIfAborted();
    const roles = (await readGlobals(reader, signal))?.roles;
    return await run(reader, scratch, site, await lackingOn(site, roles));
  }
  await using server = await startPrivateServer({ folder, major: majorOf(manifest.source.server), signal });
  const site = await openSite(server.connection, manifest, options);
  const started = performance.now();
  const globals = await readGlobals(reader, signal);
  if (globals !== undefined) await makeMissing(site, globals, { tablespaces: false });
  const before = performance.now() - started;
  const report = await run(reader, scratch, site, globals === undefined ? noRoles : undefined);
  return { ...report, restoreMs: Math.round(report.restoreMs + before) };
}

const noRoles: Text = { key: "remark-restore-no-roles" };

/** Why owners and privileges can not be restored as they were. */
async function lackingOn(site: Site, roles: readonly string[] | undefined): Promise<Text | undefined> {
  if (roles === undefined) return noRoles;
  const known = (await askKnown(site)).roles;
  const missing = roles.filter((role) => !known.has(role));
  if (missing.length > 0) {
    const list = `${missing.slice(0, namedRoles).join(", ")}${missing.length > namedRoles ? ", ..." : ""}`;
    return { key: "remark-restore-owners", args: { roles: list } };
  }
  const query = "SELECT to_json(rolsuper) FROM pg_catalog.pg_roles WHERE rolname = current_user";
  const [superuser] = await ask(site.psql, site.url(), query, site.signal);
  return superuser === "true" ? undefined : { key: "remark-restore-no-superuser" };
}

async function run(
  reader: BackupReader,
  { id, signal, folder, logger }: Scratch,
  site: Site,
  lacking: Text | undefined,
): Promise<RestoreReport> {
  const manner: Manner = { owners: lacking === undefined, scratch: true };
  const report = new Report();
  if (lacking !== undefined) report.remarks.push(lacking);
  const several = isSeveral(reader.manifest);
  let restoreMs = 0;
  for (const [index, part] of artifacts(reader.manifest).entries()) {
    const database = scratchName(id, several ? index + 1 : undefined);
    const drop = (within: AbortSignal) => dropDatabases(site, [database], within);
    // Of an earlier attempt at the same.
    await drop(signal);
    let failed = true;
    let list: string | undefined;
    try {
      const started = performance.now();
      const read = await prepare(site, { reader, part, signal }, manner);
      let prepared = manner.owners ? read : withoutRoles(read);
      if (prepared !== read) {
        const { beginning, later } = beginningOf(prepared);
        list = await listWithoutRoles(site, beginning, folder);
        prepared = later;
      }
      await makeAndFill(site, database, prepared, manner, { list, report });
      restoreMs += performance.now() - started;
      const name = several ? part.database : undefined;
      await report.add(name, (differences) => compareWith(site, database, prepared, manner, differences));
      failed = false;
    } finally {
      // Not what went wrong before, but no silent leftover either.
      const dropping = drop(AbortSignal.timeout(cleanUpMs));
      if (list !== undefined) await rm(list, { force: true });
      await (failed ? dropping.catch(warnOf(logger, `${database} could not be dropped`)) : dropping);
    }
  }
  return report.result(restoreMs);
}

async function makeAndFill(
  site: Site,
  database: string,
  prepared: Prepared,
  manner: Manner,
  { list, report }: { readonly list: string | undefined; readonly report: Report },
): Promise<void> {
  const { definitions } = prepared;
  await createDatabase(site, database, definitions, {
    tablespaces: false,
    onFallback: (locale) => report.remarks.push({ key: "remark-restore-locale", args: { locale } }),
  });
  await markScratch(site, database);
  if (manner.owners) await giveRights(site, database, definitions);
  await restoreInto(site, database, prepared, manner, list === undefined ? {} : { list });
  if (manner.owners) await giveProperties(site, database, definitions, manner);
}

/** What names roles although owners and privileges are left out. */
const withRoles = /^(POLICY|USER MAPPING)$/;

/** The same without what needs roles that are not there; the very same where nothing does. */
function withoutRoles(prepared: Prepared): Prepared {
  const needs = ({ type, sql }: Definition) =>
    type === "USER MAPPING" || (type === "POLICY" && / TO (?!PUBLIC\b)/.test(sql));
  if (!prepared.definitions.some(needs)) return prepared;
  return { ...prepared, definitions: prepared.definitions.filter(({ type }) => !withRoles.test(type)) };
}

/** A file for pg_restore with everything but that. */
async function listWithoutRoles(site: Site, prepared: Prepared, folder: string): Promise<string> {
  const contents = await readBeginning(prepared, site.tools.command("pg_restore", ["--list"]));
  const kept = contents.split("\n").filter((line) => !/^\d+; \d+ \d+ (?:POLICY|USER MAPPING) /.test(line));
  const list = join(folder, "contents.list");
  await writeFile(list, kept.join("\n"), { mode: 0o600 });
  return list;
}
