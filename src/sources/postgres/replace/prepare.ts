import { AppError } from "../../../core/errors.ts";
import type { ManifestPart } from "../../../core/manifest.ts";
import type { ReplacementIdentity } from "../../../core/replacement.ts";
import type { Text } from "../../../core/text.ts";
import type { ReplacementContext } from "../../replacement.ts";
import type { BackupReader, RestoreReport } from "../../types.ts";
import { conversing } from "../conversing.ts";
import type { Filled } from "../counts.ts";
import { databaseTimeoutMs, dropDatabases } from "../database.ts";
import { requireEmpty } from "../empty.ts";
import { quoteLiteral } from "../names.ts";
import { Report, warnOf } from "../restore.ts";
import { asBackedUp, compareWith, type Prepared, readDefinitions, restoreInto } from "../restore-database.ts";
import type { Site } from "../site.ts";
import { folderForStages, sweepUnpacked } from "../unpacked.ts";
import { changed, markStatement } from "./exchange.ts";
import type { Hold } from "./ground.ts";
import { lookAt, type Target } from "./look.ts";
import type { Mark, Names } from "./marks.ts";
import { createLike, makeHaste } from "./properties.ts";
import { type Seen, see, taken } from "./seen.ts";
import { countTables } from "./smoke.ts";

/** Milliseconds for dropping what a failed restore has made. */
const dropWithinMs = 60_000;

export interface Preparation {
  readonly id: string;
  readonly names: Names;
  readonly reader: BackupReader;
  readonly part: ManifestPart;
  readonly context: ReplacementContext;
  readonly target: Target;
}

/** Restores beside the live database and compares; marks what is exactly as the manifest says as prepared. */
export async function prepareBeside(hold: Hold, work: Preparation): Promise<RestoreReport> {
  const { names, id, context, reader, part, target } = work;
  const { site } = hold;
  await sweepUnpacked(target.machine.folder);
  const seen = await see(hold, names, id);
  requireIdentity(site, seen, context.identity, names.live);
  if (seen.before !== undefined || seen.undone !== undefined) throw over(names.live);
  await using folder = await folderForStages(target.machine, part, target);
  const reading = readDefinitions(site, { reader, part, signal: context.signal }, asBackedUp, folder?.path);
  reading.catch(() => undefined);
  const looking = lookAt(site, { manifest: reader.manifest, part, archive: reading }, target);
  // Neither is left alone: what it reads or writes ends with this.
  await Promise.allSettled([reading, looking]);
  const [archive, look] = await Promise.all([reading, looking]);
  // It is this replacement itself that holds the lock.
  const [obstacle] = look.obstacles.filter(({ key }) => key !== "replace-obstacle-busy");
  if (obstacle !== undefined) throw refused(names.live, obstacle);
  if (seen.made?.mark.state === "prepared") return await compare(site, names.made, archive, 0);
  await clear(hold, { names, journal: context.journal }, seen);
  const parallel = { jobs: look.jobs, folder: target.machine.folder };
  return await make(hold, work, { archive, seen, parallel });
}

interface Making {
  readonly archive: Prepared;
  readonly seen: Seen;
  readonly parallel: { readonly jobs: number; readonly folder: string };
}

async function make(hold: Hold, work: Preparation, { archive, seen, parallel }: Making): Promise<RestoreReport> {
  const { names, id, context } = work;
  const { site } = hold;
  const facts = { database: names.live, oid: seen.live.oid };
  await context.record({ step: "make", facts });
  const started = performance.now();
  try {
    await makeEmpty(site, names, parallel.jobs);
    const [oid = ""] = await hold.query(
      `SELECT oid::text FROM pg_catalog.pg_database WHERE datname = ${quoteLiteral(names.made)}`,
    );
    const { live } = seen;
    const mark: Mark = { vakhta: "replacement", id, state: "making", old: live.oid, made: oid, comment: live.comment };
    await hold.query(markStatement(names.made, mark));
    await context.record({ step: "fill", facts: { ...facts, made: oid } });
    let read = 0;
    const progress = (bytes: number): void => {
      read += bytes;
      context.progress?.(read);
    };
    const filled = await restoreInto(site, names.made, archive, asBackedUp, { progress, parallel, analyze: false });
    const restoreMs = performance.now() - started;
    await context.record({ step: "compare", facts: { ...facts, made: oid } });
    const report = await compare(site, names.made, archive, restoreMs, { analyze: true, filled });
    if (report.differencesTotal > 0) return report;
    const { tables } = await countTables(site, names.made);
    await context.record({ step: "prepared", facts: { ...facts, made: oid } });
    await hold.query(markStatement(names.made, { ...mark, state: "prepared", tables }));
    return report;
  } catch (error) {
    await takeBack(hold, work);
    throw isFull(error) ? full(error, names.live) : error;
  }
}

/** The database that is to be filled, and its haste. */
async function makeEmpty(ground: Site, { live, made }: Names, jobs: number): Promise<void> {
  await using site = conversing(ground, databaseTimeoutMs);
  await createLike(site, live, made);
  await makeHaste(site, made, jobs);
}

/** Compares by the manifest. `analyze`: the statistics of what was just `filled` are collected meanwhile. */
export async function compare(
  site: Site,
  database: string,
  archive: Prepared,
  restoreMs: number,
  options: { readonly analyze?: boolean; readonly filled?: Filled } = {},
): Promise<RestoreReport> {
  const report = new Report();
  await report.add(undefined, (differences) => compareWith(site, database, archive, asBackedUp, differences, options));
  return report.result(restoreMs);
}

/** Removes what a killed or failed attempt has left; rejects with `conflict` for what is not ours. */
export async function clear(
  { site }: Pick<Hold, "site">,
  { names, journal }: { readonly names: Names; readonly journal: ReplacementContext["journal"] },
  { made, unmarked }: Pick<Seen, "made" | "unmarked">,
): Promise<void> {
  if (unmarked !== undefined) {
    // Between its making and its mark nothing is filled in: what has anything in it is somebody else's.
    if (journal?.step !== "make") throw taken(names.made);
    await requireEmpty(site, names.made).catch((error: unknown) => {
      throw error instanceof AppError && error.code === "conflict" ? taken(names.made) : error;
    });
  }
  if (made !== undefined || unmarked !== undefined) await dropDatabases(site, [names.made], site.signal);
}

/** Under a right that is still held; else whoever recovers does it. Not under the signal, which may be why it failed. */
async function takeBack(hold: Hold, { names, id, context }: Preparation): Promise<void> {
  const site = { ...hold.site, signal: AbortSignal.timeout(dropWithinMs) };
  try {
    const seen = await see(hold, names, id);
    const journal = { step: "make", facts: {} } as const;
    await clear({ site }, { names, journal }, seen);
  } catch (error) {
    if (context.signal.aborted)
      site.logger.info({ database: names.made }, "what was made for a restore is left for its recovery");
    else warnOf(site.logger, `database ${names.made} is left behind by the restore that failed`)(error);
  }
}

/** Rejects with `conflict` where the live database or its server is not the one that was approved. */
export function requireIdentity(site: Site, { live }: Seen, identity: ReplacementIdentity, database: string): void {
  const { systemIdentifier } = site.server;
  const sameSystem =
    identity.system === undefined || systemIdentifier === undefined || identity.system === systemIdentifier;
  if (!sameSystem || live.oid !== identity.database) throw changed(database);
}

function over(database: string): AppError {
  return new AppError("conflict", `database ${database} was replaced already by this restore`, {
    context: { step: "preflight", database },
    text: { key: "error-replace-over", args: { database } },
  });
}

export function refused(database: string, text: Text): AppError {
  return new AppError("conflict", `database ${database} can not be replaced: ${text.key}`, {
    context: { step: "preflight", database },
    text,
  });
}

export function isFull(error: unknown): error is AppError {
  return (
    error instanceof AppError && /No space left on device|Disk quota exceeded/.test(String(error.context.stderr ?? ""))
  );
}

export function full(cause: AppError, database: string): AppError {
  return new AppError("storage-full", "the disk of the server is full: what was restored until then was removed", {
    context: { ...cause.context, database },
    text: { key: "error-replace-full", args: { database } },
    cause,
  });
}
