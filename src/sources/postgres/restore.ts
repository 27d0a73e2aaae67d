import { AppError, toAppError } from "../../core/errors.ts";
import type { Manifest, ManifestPart } from "../../core/manifest.ts";
import type { Text } from "../../core/text.ts";
import {
  type BackupReader,
  mostDifferences,
  type RestoreReport,
  type RestoreTarget,
  type TargetLook,
} from "../types.ts";
import { readPlain } from "./archive.ts";
import { Differences } from "./compare.ts";
import { type Connection, connect } from "./connection.ts";
import { createDatabase, dropDatabases, giveProperties, giveRights } from "./database.ts";
import { isMissingDatabase, listDatabases } from "./databases.ts";
import { requireEmpty } from "./empty.ts";
import { type Globals, makeMissing, parseGlobals } from "./globals.ts";
import { compareWith, type Manner, type Prepared, prepare, restoreInto } from "./restore-database.ts";
import type { PostgresConfig } from "./schema.ts";
import { openSite, type Site } from "./site.ts";

/** Where databases are made from when the one that is asked for is not there. */
const maintenance = ["postgres", "template1"];

const dropWithinMs = 60_000;

/** One database that is restored. */
interface Order {
  readonly part: ManifestPart;
  /** What it is called there. */
  readonly database: string;
  readonly exists: boolean;
}

/**
 * Restores one database into an empty or missing one, or several into a server on which each is empty or missing: roles
 * first, then each archive as a stream, then statistics; then everything is compared. Rejects with `conflict`, before
 * anything is touched, for what is not empty, and as the tools do; every database that was made for it is dropped then,
 * so that it can be repeated.
 */
export async function restore(
  reader: BackupReader,
  target: RestoreTarget,
  config?: PostgresConfig,
): Promise<RestoreReport> {
  const { signal } = target;
  const { site, orders, single } = await begin(reader.manifest, target, config);
  const manner: Manner = { owners: target.owners ?? true, scratch: false };
  const started = performance.now();
  const prepared: (readonly [Order, Prepared])[] = [];
  for (const order of orders) prepared.push([order, await prepare(site, { reader, part: order.part, signal }, manner)]);
  const globals = manner.owners ? await readGlobals(reader, signal) : undefined;
  if (globals !== undefined) await makeMissing(site, globals, { tablespaces: true });
  const progress = progressOf(target);
  const made: string[] = [];
  try {
    for (const [order, archive] of prepared) await restoreOne(site, order, archive, manner, { progress, made });
  } catch (error) {
    await dropMade(site, made);
    throw error;
  }
  const restoreMs = performance.now() - started;
  const report = new Report();
  for (const [{ database }, archive] of prepared) {
    const compare = (differences: Differences) => compareWith(site, database, archive, manner, differences);
    await report.add(single ? undefined : database, compare);
  }
  return report.result(restoreMs);
}

/** Whether the target is empty, and which programs there are for it. Touches nothing; rejects as `restore` does. */
export async function lookAtTarget(
  manifest: Manifest,
  target: RestoreTarget,
  config?: PostgresConfig,
): Promise<TargetLook> {
  const { site } = await begin(manifest, target, config);
  return { facts: { PostgreSQL: site.server.version, pg_restore: site.tools.version } };
}

interface Beginning {
  readonly site: Site;
  readonly orders: readonly Order[];
  /** One database, into the one that the URL names. */
  readonly single: boolean;
}

async function begin(
  manifest: Manifest,
  { to, signal, logger, only }: RestoreTarget,
  config: PostgresConfig | undefined,
): Promise<Beginning> {
  const parts = artifacts(manifest, only);
  const single = only !== undefined || !isSeveral(manifest);
  const { options, ...connection } = connect(to);
  const found = await reach({ ...connection, options: { ...options, bin: config?.bin } }, manifest, {
    signal,
    logger,
    single,
  });
  const { site, missing } = found;
  const orders = await plan(site, parts, single ? (missing ?? site.server.database) : undefined, missing !== undefined);
  for (const { database, exists } of orders) if (exists) await requireEmpty(site, database);
  return { site, orders, single };
}

async function restoreOne(
  site: Site,
  { database, exists, part }: Order,
  archive: Prepared,
  manner: Manner,
  { progress, made }: { readonly progress: (bytes: number) => void; readonly made: string[] },
): Promise<void> {
  // The properties of a database are restored with its name; of one with another name a person decides.
  const owners = manner.owners && database === part.database;
  const { definitions } = archive;
  if (!exists) {
    await createDatabase(site, database, definitions, { tablespaces: true });
    made.push(database);
    if (owners) await giveRights(site, database, definitions);
  }
  await restoreInto(site, database, archive, manner, { progress });
  if (!exists && owners) await giveProperties(site, database, definitions, manner);
}

/** Takes back what a failed restore has made: all of it, since it is only repeated where none of it is. */
async function dropMade(site: Site, made: readonly string[]): Promise<void> {
  for (const database of made) {
    const warn = warnOf(site.logger, `database ${database} is left behind by the restore that failed`);
    await dropDatabases(site, [database], AbortSignal.timeout(dropWithinMs)).catch(warn);
  }
}

/** Whether a backup is of a server's databases and not of one alone. */
export function isSeveral({ source }: Manifest): boolean {
  return source.databases !== undefined;
}

/** The dumps of a backup, or the one of this database. Throws `not-found`. */
export function artifacts({ id, parts }: Manifest, only?: string): ManifestPart[] {
  const found = parts.filter(({ role, database }) => role === "artifact" && (only === undefined || database === only));
  if (found.length > 0) return found;
  const message = `backup ${id} has no database ${only ?? ""}`;
  throw new AppError("not-found", message, {
    text: { key: "error-restore-no-database", args: { id, database: only ?? "" } },
  });
}

/** The roles and tablespaces of a backup, if they are in it. Read to the end before anything of it is used. */
export async function readGlobals(reader: BackupReader, signal: AbortSignal): Promise<Globals | undefined> {
  const part = reader.manifest.parts.find(({ role }) => role === "globals");
  return part && parseGlobals(await readPlain({ reader, part, signal }));
}

/** What is compared of all databases, added up. */
export class Report {
  readonly #compared: Record<string, number> = {};
  readonly #found: Differences[] = [];
  readonly remarks: Text[] = [];

  async add(
    database: string | undefined,
    compare: (differences: Differences) => Promise<Record<string, number>>,
  ): Promise<void> {
    const differences = new Differences(database === undefined ? "" : `${database}: `);
    this.#found.push(differences);
    for (const [what, count] of Object.entries(await compare(differences)))
      this.#compared[what] = (this.#compared[what] ?? 0) + count;
    if (database !== undefined) this.#compared.databases = (this.#compared.databases ?? 0) + 1;
  }

  result(restoreMs: number): RestoreReport {
    return {
      restoreMs: Math.round(restoreMs),
      compared: this.#compared,
      differences: this.#found.flatMap(({ named }) => named).slice(0, mostDifferences),
      differencesTotal: this.#found.reduce((sum, { total }) => sum + total, 0),
      ...(this.remarks.length === 0 ? {} : { remarks: this.remarks }),
    };
  }
}

/** The server; `missing`: its database of that name, which is not there yet. */
async function reach(
  connection: Connection,
  manifest: Manifest,
  options: Pick<RestoreTarget, "signal" | "logger"> & { readonly single: boolean },
): Promise<{ readonly site: Site; readonly missing?: string }> {
  try {
    return { site: await openSite(connection, manifest, options) };
  } catch (error) {
    const { database: missing } = connection;
    if (!options.single || missing === undefined || !isMissingDatabase(error)) throw error;
    for (const database of maintenance) {
      const site = await openSite(connection, manifest, { ...options, database }).catch((again: unknown) => {
        if (isMissingDatabase(again)) return undefined;
        throw again;
      });
      if (site !== undefined) return { site, missing };
    }
    throw error;
  }
}

async function plan(
  site: Site,
  parts: readonly ManifestPart[],
  into: string | undefined,
  isMissing: boolean,
): Promise<Order[]> {
  if (into !== undefined) return parts.slice(0, 1).map((part) => ({ part, database: into, exists: !isMissing }));
  const there = new Map(
    (await listDatabases(site.psql, site.url(), site.signal)).map((database) => [database.name, database]),
  );
  return parts.map((part) => {
    const database = part.database;
    if (database === undefined)
      throw new AppError("manifest", `part ${part.file} does not say of which database it is`);
    return { part, database, exists: there.has(database) };
  });
}

/** Adds the bytes of all parts up. */
function progressOf(target: RestoreTarget): (bytes: number) => void {
  let total = 0;
  return (bytes) => {
    total += bytes;
    target.progress?.(total);
  };
}

/** For errors while something is removed after a failure: the failure is what is told. */
export function warnOf(logger: RestoreTarget["logger"], what: string): (error: unknown) => void {
  return (error) => logger.warn({ err: toAppError(error) }, what);
}
