import { AppError } from "../../../core/errors.ts";
import type { Manifest, ManifestPart } from "../../../core/manifest.ts";
import type { ReplacementLook } from "../../../core/replacement.ts";
import type { Text } from "../../../core/text.ts";
import type { Beside, BesideOrder, ReplacementContext } from "../../replacement.ts";
import type { BackupReader, RestoreReport } from "../../types.ts";
import { dropDatabases } from "../database.ts";
import { quoteLiteral } from "../names.ts";
import { Report, warnOf } from "../restore.ts";
import { asBackedUp, type Prepared, prepare } from "../restore-database.ts";
import type { PostgresConfig } from "../schema.ts";
import { PsqlSession, psqlArgs, unhurried, withUtf8 } from "../session.ts";
import { type Machine, sweepUnpacked } from "../unpacked.ts";
import { markStatement } from "./exchange.ts";
import { endLeftovers, type Hold, openLive, takeHold } from "./ground.ts";
import type { Mark, Names } from "./marks.ts";
import { partOf } from "./part.ts";
import { choose, type Picked, relationsOf, schemasOf } from "./pick-choice.ts";
import { fillPicked, makeStructure, refreshViews } from "./pick-fill.ts";
import { load, marker, type Shape, verify } from "./pick-load.ts";
import { findSchema, lookPick } from "./pick-look.ts";
import { type Moved, moveInto } from "./pick-move.ts";
import { clear, full, isFull, refused, requireIdentity } from "./prepare.ts";
import { createLike } from "./properties.ts";
import { see } from "./seen.ts";

const waitMs = 2000;
const recoverWaitMs = 30_000;
const dropWithinMs = 60_000;
const namedThings = 5;

/** What is worked with during one call. */
interface Work {
  readonly hold: Hold;
  readonly names: Names;
  readonly context: ReplacementContext;
}

/**
 * Restores a table or a schema into a new schema of the live database. It is put together in a database of its own, which
 * is dropped again, and comes into the live one in one transaction: what is live is not touched.
 */
export class SchemaBeside implements Beside {
  readonly #config: PostgresConfig;
  readonly #order: BesideOrder & { readonly pick: string };
  readonly #machine: Machine;

  constructor(config: PostgresConfig, order: BesideOrder & { readonly pick: string }, machine: Machine) {
    this.#config = config;
    this.#order = order;
    this.#machine = machine;
  }

  async look(
    manifest: Manifest,
    { reader, signal }: { readonly reader?: BackupReader; readonly signal: AbortSignal },
  ): Promise<ReplacementLook> {
    const part = partOf(manifest, this.#order.only);
    const { site, names } = await openLive(this.#config, this.#order, signal, manifest.source);
    return await lookPick(site, { manifest, part, reader }, { names, order: this.#order });
  }

  async make(reader: BackupReader, context: ReplacementContext): Promise<RestoreReport> {
    const { id, to, only } = this.#order;
    const { manifest } = reader;
    const part = partOf(manifest, only);
    const { site, names } = await openLive(this.#config, this.#order, context.signal, manifest.source);
    await using hold = await takeHold(site, names.live, waitMs);
    if (context.journal !== undefined) await endLeftovers(hold, id);
    const seen = await see(hold, names, id);
    requireIdentity(site, seen, context.identity, names.live);
    const work: Work = { hold, names, context };
    const archive = await prepare(site, { reader, part, signal: context.signal }, asBackedUp);
    const picked = choose(this.#order.pick, relationsOf(archive.definitions), schemasOf(archive.definitions));
    const shape: Shape = { picked, to, part };
    const there = await findSchema(site, names.live, to);
    if (there?.includes(marker(id)) === true) {
      await clear(hold, { names, journal: context.journal }, seen);
      return await this.#compareAgain(work, shape);
    }
    const look = await lookPick(site, { manifest, part, reader }, { names, order: this.#order });
    const [obstacle] = look.obstacles.filter(({ key }) => key !== "replace-obstacle-busy");
    if (obstacle !== undefined) throw refused(names.live, obstacle);
    await clear(hold, { names, journal: context.journal }, seen);
    await context.record({ step: "make", facts: { database: names.live, schema: to } });
    try {
      return await this.#make(work, { archive, shape, live: seen.live, manifest });
    } catch (error) {
      throw isFull(error) ? full(error, names.live) : bound(error);
    } finally {
      await this.#dropScratch(work);
    }
  }

  async discard(context: ReplacementContext): Promise<void> {
    await sweepUnpacked(this.#machine.folder);
    const { site, names } = await openLive(this.#config, this.#order, context.signal);
    await using hold = await takeHold(site, names.live, recoverWaitMs);
    await endLeftovers(hold, this.#order.id);
    const { made, unmarked } = await see(hold, names, this.#order.id);
    if (made === undefined && context.journal?.step !== "make") return;
    await clear(hold, { names, journal: context.journal }, { ...(made && { made }), ...(unmarked && { unmarked }) });
  }

  async #make(
    { hold, names, context }: Work,
    what: {
      readonly archive: Prepared;
      readonly shape: Shape;
      readonly live: { readonly oid: string; readonly comment: string | null };
      readonly manifest: Manifest;
    },
  ): Promise<RestoreReport> {
    const { site } = hold;
    const { archive, shape, live, manifest } = what;
    const { id, to, pick } = this.#order;
    const started = performance.now();
    await createLike(site, names.live, names.made);
    const [made = ""] = await hold.query(
      `SELECT oid::text FROM pg_catalog.pg_database WHERE datname = ${quoteLiteral(names.made)}`,
    );
    const mark: Mark = { vakhta: "replacement", id, state: "making", old: live.oid, made, comment: live.comment };
    await hold.query(markStatement(names.made, mark));
    const facts = { database: names.live, schema: to, made };
    await context.record({ step: "fill", facts });
    let read = 0;
    const progress = (bytes: number): void => {
      read += bytes;
      context.progress?.(read);
    };
    const later = await makeStructure(site, names.made, archive);
    const keys = await fillPicked(site, names.made, later, shape.picked, progress);
    const moved = await inSession(hold, names.made, (session) => moveInto(session, shape.picked, to));
    await refreshViews(site, names.made, to);
    await context.record({ step: "compare", facts });
    const comment = `${pick} of backup ${manifest.id} ${marker(id)}`;
    const report = await load(site, names, { ...shape, moved: moved.tables, comment });
    const restoreMs = performance.now() - started;
    report.remarks.push(...remarksOf(names.live, shape.picked, { keys, moved, part: shape.part }));
    await context.record({ step: "prepared", facts });
    return report.result(restoreMs);
  }

  /** Of what came in before a kill. */
  async #compareAgain({ hold, names, context }: Work, shape: Shape): Promise<RestoreReport> {
    const report = new Report();
    await report.add(undefined, (differences) =>
      inSession(hold, names.live, (session) => verify(session, shape, undefined, differences)),
    );
    await context.record({ step: "prepared", facts: { database: names.live, schema: shape.to } });
    return report.result(0);
  }

  async #dropScratch({ hold, names, context }: Work): Promise<void> {
    const { logger } = this.#order;
    try {
      await dropDatabases(hold.site, [names.made], AbortSignal.timeout(dropWithinMs));
    } catch (error) {
      if (context.signal.aborted) logger.info({ database: names.made }, "left for the recovery of its restore");
      else warnOf(logger, `database ${names.made} is left behind by a restore`)(error);
    }
  }
}

async function inSession<T>({ site }: Hold, database: string, work: (session: PsqlSession) => Promise<T>): Promise<T> {
  const command = site.tools.command("psql", [...psqlArgs, "-d", withUtf8(site.url(database))], "psql");
  const session = new PsqlSession(command, site.signal);
  try {
    await session.query(`${unhurried}; SET row_security = off`);
    return await work(session);
  } finally {
    await session.close();
  }
}

/** What did not come along, or is otherwise than it was. */
function remarksOf(
  database: string,
  picked: Picked,
  { keys, moved, part }: { readonly keys: readonly string[]; readonly moved: Moved; readonly part: ManifestPart },
): Text[] {
  const remarks: Text[] = [];
  const add = (key: string, names: readonly string[]): void => {
    if (names.length === 0) return;
    const more = names.length > namedThings ? ", ..." : "";
    remarks.push({ key, args: { database, list: `${names.slice(0, namedThings).join(", ")}${more}` } });
  };
  add("remark-pick-keys", keys);
  add("remark-pick-removed", moved.removed);
  add("remark-pick-detached", moved.detached);
  if (moved.code > 0) remarks.push({ key: "remark-pick-code", args: { database, schema: picked.schema } });
  if ((part.entries ?? 0) > 0) remarks.push({ key: "remark-pick-large-objects", args: { database } });
  return remarks;
}

/** A column of a type that can not come along. */
function bound(error: unknown): unknown {
  const [, reason] = /vakhta: (.*)/.exec(error instanceof AppError ? String(error.context.stderr ?? "") : "") ?? [];
  if (reason === undefined) return error;
  return new AppError("conflict", `it can not be restored alone: ${reason}`, {
    context: { step: "move" },
    text: { key: "error-pick-bound", args: { reason } },
    cause: error,
  });
}
