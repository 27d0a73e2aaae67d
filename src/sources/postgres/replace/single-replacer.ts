import { z } from "zod";
import { AppError } from "../../../core/errors.ts";
import type { Manifest } from "../../../core/manifest.ts";
import type { Changes, Recovered, ReplacementLook, SwapReport, UndoReport } from "../../../core/replacement.ts";
import type { ReplacementContext, ReplacementOrder, Replacer } from "../../replacement.ts";
import type { BackupReader, RestoreReport } from "../../types.ts";
import { streamArchive } from "../archive.ts";
import { quoteLiteral } from "../names.ts";
import { Report, warnOf } from "../restore.ts";
import { asBackedUp, prepare } from "../restore-database.ts";
import type { PostgresConfig } from "../schema.ts";
import { ask } from "../session.ts";
import type { Site } from "../site.ts";
import type { Machine } from "../unpacked.ts";
import { changesSince } from "./changes.ts";
import { askJson, endLeftovers, type Hold, openLive, takeHold } from "./ground.ts";
import { lookAt, type Target } from "./look.ts";
import type { Names } from "./marks.ts";
import { partOf } from "./part.ts";
import { full, isFull, refused, requireIdentity } from "./prepare.ts";
import { type Seen, see } from "./seen.ts";
import { replaceInOne } from "./single.ts";
import { commentStatement, replacedBy } from "./single-sql.ts";

const waitMs = 2000;
const recoverWaitMs = 30_000;
const analyzeTimeoutMs = 6 * 60 * 60_000;

/**
 * Replaces what is in a database by what is in a backup of it, in one transaction: for whoever may not make another database
 * beside it. Nobody can read or write it meanwhile, and the way back is the backup that was made right before.
 */
export class SingleTransactionReplacer implements Replacer {
  readonly #config: PostgresConfig;
  readonly #order: ReplacementOrder;
  readonly #machine: Machine;

  constructor(config: PostgresConfig, order: ReplacementOrder, machine: Machine) {
    this.#config = config;
    this.#order = order;
    this.#machine = machine;
  }

  async look(
    manifest: Manifest,
    { reader, signal }: { readonly reader?: BackupReader; readonly signal: AbortSignal },
  ): Promise<ReplacementLook> {
    const { site, names } = await this.#open(signal, manifest);
    return await this.#look(site, names, { manifest, reader });
  }

  /** Reads the archive whole: what can not be read to its end is found before anything is locked. */
  async prepare(reader: BackupReader, context: ReplacementContext): Promise<RestoreReport> {
    const { manifest } = reader;
    const part = partOf(manifest, this.#order.only);
    const { site, names } = await this.#open(context.signal, manifest);
    await using hold = await takeHold(site, names.live, waitMs);
    if (context.journal !== undefined) await endLeftovers(hold, this.#order.id);
    await this.#requireIdentity(hold, names, context);
    const look = await this.#look(site, names, { manifest, reader });
    const [obstacle] = look.obstacles.filter(({ key }) => key !== "replace-obstacle-busy");
    if (obstacle !== undefined) throw refused(names.live, obstacle);
    const started = performance.now();
    const archive = await prepare(site, { reader, part, signal: context.signal }, asBackedUp);
    let read = 0;
    const progress = (bytes: number): void => {
      read += bytes;
      context.progress?.(read);
    };
    await streamArchive(archive, site.tools.command("pg_restore", ["--file=/dev/null"]), { progress });
    await context.record({ step: "prepared", facts: { database: names.live } });
    const report = new Report();
    report.remarks.push({ key: "replace-remark-single", args: { database: names.live } });
    return report.result(performance.now() - started);
  }

  async swap(context: ReplacementContext): Promise<SwapReport> {
    const { reader } = context;
    if (reader === undefined) throw new AppError("internal", "a swap in one transaction reads the backup again");
    return await this.#replace(reader, context, { step: "swap", done: "swapped" });
  }

  async changes(signal: AbortSignal, manifest?: Manifest): Promise<Changes> {
    const { site, names } = await this.#open(signal);
    const xid = await this.#said(site, names);
    if (xid === undefined) throw noWayBack(names.live);
    return await changesSince(site, names.live, xid, manifest && partOf(manifest, this.#order.only));
  }

  async undo(context: ReplacementContext, manifest?: Manifest): Promise<UndoReport> {
    const { former, signal } = context;
    if (former === undefined) throw noWayBack(this.#order.only ?? "");
    const changes = await this.changes(signal, manifest).catch((error: unknown) => {
      signal.throwIfAborted();
      if (error instanceof AppError && error.code === "conflict") throw error;
      warnOf(this.#order.logger, "what was written since the swap can not be counted")(error);
      return undefined;
    });
    const report = await this.#replace(former, context, { step: "undo", done: "undone" });
    return { ...report, ...(changes && { changes }) };
  }

  /** Nothing lies aside: only what the database says of itself is taken away. */
  async discard(context: ReplacementContext): Promise<void> {
    const { site, names } = await this.#open(context.signal);
    await using hold = await takeHold(site, names.live, recoverWaitMs);
    await endLeftovers(hold, this.#order.id);
    if ((await this.#said(site, names)) === undefined) return;
    await context.record({ step: "discard", facts: { database: names.live } });
    const { live } = await see(hold, names, this.#order.id);
    await hold.query(commentStatement(names.live, live.comment, undefined));
  }

  async recover({ journal, signal }: ReplacementContext): Promise<Recovered> {
    const { site, names } = await this.#open(signal);
    await using hold = await takeHold(site, names.live, recoverWaitMs);
    await endLeftovers(hold, this.#order.id);
    const { step, facts = {} } = journal ?? {};
    if (step === "prepared") return "prepared";
    if (step === "swap") return (await isCommitted(hold, facts.xid)) ? "swapped" : "prepared";
    if (step === "undo") return (await isCommitted(hold, facts.xid)) ? "undone" : "swapped";
    if (step === "swapped" || step === "undone") return step;
    return (await this.#said(site, names)) === undefined ? "nothing" : "swapped";
  }

  async #replace(
    reader: BackupReader,
    context: ReplacementContext,
    how: { readonly step: "swap" | "undo"; readonly done: "swapped" | "undone" },
  ): Promise<SwapReport> {
    const { signal } = context;
    const part = partOf(reader.manifest, this.#order.only);
    const { site, names } = await this.#open(signal, reader.manifest);
    await using hold = await takeHold(site, names.live, waitMs);
    await endLeftovers(hold, this.#order.id);
    const { oid, comment } = await this.#requireIdentity(hold, names, context);
    const archive = await prepare(site, { reader, part, signal }, asBackedUp);
    const facts = { database: names.live, oid };
    let read = 0;
    let xid = "";
    const progress = (bytes: number): void => {
      read += bytes;
      context.progress?.(read);
    };
    const begun = async (transaction: string): Promise<void> => {
      xid = transaction;
      await context.record({ step: how.step, facts: { ...facts, xid } });
      signal.throwIfAborted();
    };
    const { id } = this.#order;
    const database = names.live;
    const last = (by: string): string =>
      commentStatement(database, comment, how.step === "swap" ? { id, xid: by } : undefined);
    let report: SwapReport;
    try {
      report = await replaceInOne(site, { database, archive, last, begun, progress });
    } catch (error) {
      throw isFull(error) ? full(error, names.live) : error;
    }
    await context.record({ step: how.done, facts: { ...facts, xid } });
    await ask(site.psql, site.url(names.live), "ANALYZE", signal, analyzeTimeoutMs).catch(
      warnOf(site.logger, `no statistics were collected for ${names.live}`),
    );
    return report;
  }

  async #requireIdentity(hold: Hold, names: Names, { identity }: ReplacementContext): Promise<Seen["live"]> {
    const seen = await see(hold, names, this.#order.id);
    requireIdentity(hold.site, seen, identity, names.live);
    return seen.live;
  }

  #look(
    site: Site,
    names: Names,
    { manifest, reader }: { readonly manifest: Manifest; readonly reader: BackupReader | undefined },
  ): Promise<ReplacementLook> {
    const { pick, only } = this.#order;
    const target: Target = {
      names,
      machine: this.#machine,
      via: this.#config.via,
      method: "single-transaction",
      pick,
    };
    return lookAt(site, { manifest, part: partOf(manifest, only), reader }, target);
  }

  #open(signal: AbortSignal, manifest?: Manifest): ReturnType<typeof openLive> {
    return openLive(this.#config, this.#order, signal, manifest?.source);
  }

  /** The number of the transaction that has replaced it, when that was this order's and nothing has replaced it since. */
  async #said(site: Site, { live }: Names): Promise<string | undefined> {
    const question = `SELECT to_json(coalesce(shobj_description(oid, 'pg_database'), ''))
FROM pg_catalog.pg_database WHERE datname = ${quoteLiteral(live)}`;
    const [comment] = await askJson(site, undefined, question, (value) => z.string().parse(value));
    const by = replacedBy(comment ?? null);
    return by?.id === this.#order.id ? by.xid : undefined;
  }
}

async function isCommitted(hold: Hold, xid: string | undefined): Promise<boolean> {
  if (xid === undefined || !/^\d+$/.test(xid)) return false;
  const [status] = await hold.query(`SELECT txid_status(${xid})`);
  return status === "committed";
}

function noWayBack(database: string): AppError {
  return new AppError("conflict", `nothing is kept of what ${database} was: there is nothing to go back to`, {
    context: { step: "preflight", database },
    text: { key: "error-replace-no-before", args: { database } },
  });
}
