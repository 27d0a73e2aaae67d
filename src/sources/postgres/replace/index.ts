import { AppError } from "../../../core/errors.ts";
import type { Manifest, ManifestPart } from "../../../core/manifest.ts";
import type {
  Changes,
  Recovered,
  ReplacementLook,
  ReplacementStep,
  SwapReport,
  UndoReport,
} from "../../../core/replacement.ts";
import type { ReplacementContext, ReplacementOrder, Replacer } from "../../replacement.ts";
import type { BackupReader, RestoreReport } from "../../types.ts";
import { conversing } from "../conversing.ts";
import { databaseTimeoutMs, dropDatabases } from "../database.ts";
import { warnOf } from "../restore.ts";
import type { PostgresConfig } from "../schema.ts";
import { ask } from "../session.ts";
import type { Site } from "../site.ts";
import { type Machine, sweepUnpacked, thisMachine } from "../unpacked.ts";
import { changesSince } from "./changes.ts";
import { exchange } from "./exchange.ts";
import { endLeftovers, type Hold, openLive, takeHold } from "./ground.ts";
import { lookAt, type Target } from "./look.ts";
import type { Names } from "./marks.ts";
import { askLive, obstaclesTo } from "./obstacles.ts";
import { partOf } from "./part.ts";
import { prepareBeside, refused, requireIdentity } from "./prepare.ts";
import { carryOver, propertiesOf } from "./properties.ts";
import { closing, confirm, settle } from "./recover.ts";
import { type Aside, type Seen, see } from "./seen.ts";
import { SingleTransactionReplacer } from "./single-replacer.ts";
import { smokeTest } from "./smoke.ts";

/** Milliseconds for which another replacement of the same database is waited for. */
const waitMs = 2000;
/** After a kill the server may still be at work for the killed one. */
const recoverWaitMs = 30_000;
/** Milliseconds for coming to rest after an exchange that has failed halfway. */
const settleWithinMs = 30_000;

/** Replaces a database by a backup of it: by names and comments of databases, which nobody's kill can tear apart. */
class PostgresReplacer implements Replacer {
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
    const part = this.#part(manifest);
    const { site, names } = await this.#open(signal, manifest.source);
    return await lookAt(site, { manifest, part, reader }, this.#target(names));
  }

  async prepare(reader: BackupReader, context: ReplacementContext): Promise<RestoreReport> {
    const { id } = this.#order;
    const part = this.#part(reader.manifest);
    const { site, names } = await this.#open(context.signal, reader.manifest.source);
    await using hold = await takeHold(site, names.live, waitMs);
    if (context.journal !== undefined) await endLeftovers(hold, id);
    return await prepareBeside(hold, { id, names, reader, part, context, target: this.#target(names) });
  }

  async swap(context: ReplacementContext): Promise<SwapReport> {
    const { site, names } = await this.#open(context.signal);
    await using hold = await takeHold(site, names.live, waitMs);
    const seen = await this.#see(hold, names);
    requireIdentity(site, seen, context.identity, names.live);
    const { made } = seen;
    if (made?.mark.state !== "prepared" || made.mark.old !== seen.live.oid) throw notPrepared(names.live);
    await this.#carryOver(site, names);
    const { mark, oid } = made;
    const facts = { database: names.live, oid: mark.old, made: mark.made };
    await this.#record(context, "swap", facts);
    // As it is now: it may have been altered since.
    const { comment } = seen.live;
    const report = await this.#exchange(hold, {
      out: { name: names.live, oid: seen.live.oid, becomes: names.before },
      in: { name: names.made, oid, mark },
      during: "swapping",
      aside: { mark: { ...mark, state: "before", comment }, open: false },
      comment,
    });
    const { before } = await this.#see(hold, names);
    const failure = before && (await confirm(hold, { names }, before));
    if (failure !== undefined) {
      const within = AbortSignal.timeout(settleWithinMs);
      const warn = warnOf(site.logger, `database ${names.made} is left behind by the restore that failed`);
      await dropDatabases(site, [names.made], within).catch(warn);
      throw putBack(failure, names.live);
    }
    await this.#record(context, "swapped", facts);
    return report;
  }

  async changes(signal: AbortSignal, manifest?: Manifest): Promise<Changes> {
    const { site, names } = await this.#open(signal);
    const query = (sql: string) => ask(site.psql, site.url(), sql, signal);
    const seen = await this.#see({ query }, names);
    const before = swapped(seen, names);
    return await changesSince(site, names.live, before.mark.xid ?? "0", manifest && this.#part(manifest));
  }

  async undo(context: ReplacementContext, manifest?: Manifest): Promise<UndoReport> {
    const { site, names } = await this.#open(context.signal);
    await using hold = await takeHold(site, names.live, waitMs);
    const seen = await this.#see(hold, names);
    const former = swapped(seen, names);
    // What was restored has brought its own subscriptions, which are not at work; a slot would be lost with it.
    await this.#requireFree(site, names, new Set(["replace-obstacle-slots", "replace-obstacle-prepared"]));
    const { mark, oid, name } = former;
    const facts = { database: names.live, oid: mark.old, made: mark.made };
    await this.#record(context, "undo", facts);
    const report = await this.#exchange(hold, {
      out: { name: names.live, oid: mark.made, becomes: names.undone },
      in: { name, oid, mark },
      during: "undoing",
      // Open until it is counted: exactly what was written, since nobody looks for it under this name.
      aside: { mark: { ...mark, state: "undone" }, open: true },
      comment: mark.comment,
    });
    await this.#confirmUndone(hold, names, former, seen.live.comment);
    const changes = await changesSince(site, names.undone, mark.xid ?? "0", manifest && this.#part(manifest)).catch(
      (error: unknown) => {
        warnOf(site.logger, `what was written in ${names.live} since the swap can not be counted`)(error);
        return undefined;
      },
    );
    await hold.query(closing(names.undone));
    await this.#record(context, "undone", facts);
    return { ...report, ...(changes && { changes }) };
  }

  async discard(context: ReplacementContext): Promise<void> {
    const { site, names } = await this.#open(context.signal);
    await using hold = await takeHold(site, names.live, recoverWaitMs);
    await endLeftovers(hold, this.#order.id);
    const { journal } = context;
    await settle(hold, { id: this.#order.id, names, journal });
    const { made, before, undone, live } = await this.#see(hold, names);
    const aside = [made, before, undone].filter((each) => each !== undefined);
    if (aside.length === 0) return;
    const oids = aside.map((each: Aside) => each.oid).join(",");
    await this.#record(context, "discard", { database: names.live, oid: live.oid, dropped: oids });
    await dropDatabases(
      site,
      aside.map((each: Aside) => each.name),
      context.signal,
    );
  }

  async recover(context: ReplacementContext): Promise<Recovered> {
    await sweepUnpacked(this.#machine.folder);
    const { site, names } = await this.#open(context.signal);
    await using hold = await takeHold(site, names.live, recoverWaitMs);
    await endLeftovers(hold, this.#order.id);
    return await settle(hold, { id: this.#order.id, names, journal: context.journal });
  }

  #target(names: Names): Target {
    return { names, machine: this.#machine, via: this.#config.via, method: "beside", pick: this.#order.pick };
  }

  #part(manifest: Manifest): ManifestPart {
    return partOf(manifest, this.#order.only);
  }

  #open(signal: AbortSignal, source?: Manifest["source"]): ReturnType<typeof openLive> {
    return openLive(this.#config, this.#order, signal, source);
  }

  /** Tries the old one; where it does not work any more puts back what was swapped in, and rejects with the reason. */
  async #confirmUndone(hold: Hold, names: Names, { mark }: Aside, comment: string | null): Promise<void> {
    try {
      await smokeTest(hold.site, names.live, undefined);
    } catch (error) {
      if (!(error instanceof AppError) || error.context.step !== "smoke-test") throw error;
      await this.#exchange(hold, {
        out: { name: names.live, oid: mark.old, becomes: names.before },
        in: { name: names.undone, oid: mark.made, mark: { ...mark, state: "undone" } },
        during: "undoing",
        aside: { mark, open: false },
        comment,
      });
      throw notUndone(error, names.live);
    }
  }

  /** Gives the one that is made what the live one has, unless that is not free. */
  async #carryOver(ground: Site, names: Names): Promise<void> {
    await using site = conversing(ground, databaseTimeoutMs);
    const asked = [propertiesOf(ground, names.live), this.#requireFreeIn(site, names)] as const;
    // The reason why it is not free counts more than what went wrong with its properties.
    const [, free] = await Promise.allSettled(asked);
    if (free.status === "rejected") throw free.reason;
    await carryOver(site, await asked[0], names.made);
  }

  /** What was bound to the live one since it was looked at is a reason too, and no reason to close it first. */
  async #requireFree(ground: Site, names: Names, keys: ReadonlySet<string>): Promise<void> {
    await using site = conversing(ground);
    await this.#requireFreeIn(site, names, keys);
  }

  async #requireFreeIn(site: Site, names: Names, keys?: ReadonlySet<string>): Promise<void> {
    const live = await askLive(site, names.live);
    const obstacles = live === undefined ? [] : await obstaclesTo(site, live, this.#target(names));
    // It is this replacement itself that holds the lock.
    const obstacle = obstacles.find(({ key }) => keys?.has(key) ?? key !== "replace-obstacle-busy");
    if (obstacle !== undefined) throw refused(names.live, obstacle);
  }

  #see(hold: Pick<Hold, "query">, names: Names): Promise<Seen> {
    return see(hold, names, this.#order.id);
  }

  async #record(
    context: ReplacementContext,
    step: ReplacementStep,
    facts: Readonly<Record<string, string>>,
  ): Promise<void> {
    await context.record({ step, facts });
    context.signal.throwIfAborted();
  }

  /** After a failure that nobody has foreseen the live one is opened again as soon as there is a server that can do it. */
  async #exchange(hold: Hold, what: Parameters<typeof exchange>[1]): Promise<SwapReport> {
    try {
      return await exchange(hold, what);
    } catch (error) {
      if (error instanceof AppError && error.context.step === "swap") throw error;
      const { logger } = this.#order;
      try {
        const { site, names } = await this.#open(AbortSignal.timeout(settleWithinMs));
        await using again = await takeHold(site, names.live, waitMs);
        await settle(again, { id: this.#order.id, names, journal: undefined });
      } catch (problem) {
        warnOf(logger, `${what.out.name} could not be looked at after its swap has failed`)(problem);
      }
      throw error;
    }
  }
}

function swapped({ before, live }: Seen, { live: database }: Names): Aside {
  if (before !== undefined && before.mark.made === live.oid) return before;
  throw new AppError("conflict", `nothing is kept aside of ${database}: there is nothing to go back to`, {
    context: { step: "preflight", database },
    text: { key: "error-replace-no-before", args: { database } },
  });
}

function notPrepared(database: string): AppError {
  return new AppError("conflict", `nothing is prepared, exactly as the backup says, to take the place of ${database}`, {
    context: { step: "preflight", database },
    text: { key: "error-replace-not-prepared", args: { database } },
  });
}

function putBack(cause: AppError, database: string): AppError {
  return new AppError("source-failed", `${cause.message}: the old one was put back`, {
    context: { ...cause.context },
    text: { key: "error-replace-put-back", args: { database } },
    cause,
  });
}

function notUndone(cause: AppError, database: string): AppError {
  return new AppError("source-failed", `${cause.message}: what had been swapped in is live again`, {
    context: { ...cause.context },
    text: { key: "error-replace-not-undone", args: { database } },
    cause,
  });
}

/** The replacer of one order. */
export function createReplacer(
  config: PostgresConfig,
  order: ReplacementOrder,
  machine: Machine = thisMachine,
): Replacer {
  return order.method === "single-transaction"
    ? new SingleTransactionReplacer(config, order, machine)
    : new PostgresReplacer(config, order, machine);
}
