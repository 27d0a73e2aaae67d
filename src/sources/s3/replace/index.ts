import { AppError, toAppError } from "../../../core/errors.ts";
import type { Manifest } from "../../../core/manifest.ts";
import type {
  Changes,
  Recovered,
  ReplacementJournal,
  ReplacementLook,
  ReplacementStep,
  SwapReport,
  UndoReport,
} from "../../../core/replacement.ts";
import type { ReplacementContext, ReplacementOrder, Replacer } from "../../replacement.ts";
import type { BackupReader, RestoreReport } from "../../types.ts";
import { Index } from "../indexes.ts";
import type { S3SourceConfig } from "../schema.ts";
import { apply, check } from "./apply.ts";
import { countFormer } from "./bring-back.ts";
import { changesSince } from "./changes.ts";
import { busy, requireIdentity, requireVersions } from "./ground.ts";
import { lookAt } from "./look.ts";
import { Marks, requireVersion } from "./marks.ts";
import { readWanted, sameBucket } from "./prepare.ts";
import { excludedOf, liveTarget, parsePatterns, placeOf, type Target } from "./target.ts";
import { takeBack } from "./undo.ts";

/** How often a bucket is gone over that others write to at the same time. */
const mostPasses = 3;
const report = { refusedMs: 0, sessionsEnded: 0 } as const;

interface Site extends Disposable {
  readonly target: Target;
  readonly marks: Marks;
  /** For a person. */
  readonly place: string;
  /** Patterns of what is left alone, counted from the prefix. */
  readonly exclude: readonly string[];
}

/**
 * Replaces the objects of a bucket by those of a backup, one by one: the bucket keeps what was there as older versions. Where
 * it stands is told by the bucket itself, see `Marks`.
 */
class S3Replacer implements Replacer {
  readonly #config: S3SourceConfig;
  readonly #order: ReplacementOrder;

  constructor(config: S3SourceConfig, order: ReplacementOrder) {
    this.#config = config;
    this.#order = order;
  }

  async look(
    manifest: Manifest,
    { reader, signal }: { readonly reader?: BackupReader; readonly signal: AbortSignal },
  ): Promise<ReplacementLook> {
    using site = this.#openFor({ manifest });
    const { pick } = this.#order;
    return await lookAt({ ...site, config: this.#config, pick, manifest, reader, signal });
  }

  async prepare(reader: BackupReader, context: ReplacementContext): Promise<RestoreReport> {
    using site = this.#openFor(reader);
    const { target, marks, place } = site;
    const { signal } = context;
    await this.#enter(site, context);
    sameBucket(reader.manifest, this.#config, place);
    if ((await marks.read(signal)).swapFrom !== undefined) throw over(place);
    await this.#record(context, "compare", { place });
    await marks.tryOut(signal);
    const { pick } = this.#order;
    const { result, facts } = await readWanted({ target, reader, context, pick, place });
    if (result.differencesTotal === 0) await this.#record(context, "prepared", { place, ...facts });
    return result;
  }

  async swap(context: ReplacementContext): Promise<SwapReport> {
    const reader = readerOf(context);
    using site = this.#openFor(reader);
    await this.#enter(site, context);
    const { step = "compare", facts = {} } = context.journal ?? {};
    if (step !== "prepared" && step !== "swap") throw notPrepared(site.place);
    await this.#record(context, "swap", facts);
    return await this.#swapIn(site, reader, context, facts);
  }

  async changes(signal: AbortSignal): Promise<Changes> {
    using site = await this.#openAgain(signal);
    const { swapTo } = await site.marks.read(signal);
    if (swapTo === undefined) throw noWayBack(site.place);
    return await changesSince(site.target, swapTo, signal);
  }

  async undo(context: ReplacementContext): Promise<UndoReport> {
    using site = await this.#openAgain(context.signal);
    const { target, marks, place } = site;
    const { signal } = context;
    await this.#enter(site, context);
    const { state, swapFrom, swapTo } = await marks.read(signal);
    if (swapFrom === undefined || state === "swapping") throw noWayBack(place);
    const successor = await marks.successor(swapFrom, signal);
    if (successor !== undefined) throw succeeded(place);
    const facts = context.journal?.facts ?? {};
    await this.#record(context, "undo", facts);
    const changes = swapTo && (await changesSince(target, swapTo, signal));
    await takeBack(site, { since: swapFrom, former: Number(facts["former"] ?? 0), context });
    await this.#record(context, "undone", facts);
    return { ...report, ...(changes && { changes }) };
  }

  async discard(context: ReplacementContext): Promise<void> {
    using site = await this.#openAgain(context.signal);
    const { state, swapFrom } = await site.marks.read(context.signal);
    // What was replaced lies in versions, which are the bucket's own matter; only what was begun is not left halfway.
    if ((state !== "swapping" && state !== "undoing") || swapFrom === undefined) return;
    await this.#enter(site, context);
    await takeBack(site, { since: swapFrom, former: 0, context });
  }

  async recover(context: ReplacementContext): Promise<Recovered> {
    using site = await this.#openAgain(context.signal);
    const { marks } = site;
    const { signal, reader, journal } = context;
    const { state, swapFrom, swapTo } = await marks.read(signal);
    if (state === "swapped") return (await this.#confirm(site, context, swapTo)) ? "swapped" : "rolled-back";
    if (state === "undone") return journal?.step === "undo" || journal?.step === "undone" ? "undone" : "rolled-back";
    if (state === "clean") return journal?.step === "prepared" || journal?.step === "swap" ? "prepared" : "nothing";
    await this.#enter(site, context);
    if (swapFrom === undefined) {
      await marks.withdraw(signal);
      return "rolled-back";
    }
    if (state === "swapping" && reader !== undefined) {
      await this.#swapIn(site, reader, context, journal?.facts ?? {});
      return "swapped";
    }
    await takeBack(site, { since: swapFrom, former: Number(journal?.facts["former"] ?? 0), context });
    if (journal?.step === "undo") await this.#record(context, "undone", journal.facts);
    return journal?.step === "undo" ? "undone" : "rolled-back";
  }

  #open(exclude: readonly string[]): Site {
    const { pick = "", id } = this.#order;
    const target = liveTarget(this.#config, pick, exclude);
    return {
      target,
      exclude,
      marks: new Marks(target.bucket, this.#config.prefix, id),
      place: placeOf(this.#config, target.prefix),
      [Symbol.dispose]: () => target.bucket.requests.close(),
    };
  }

  /** Of a backup: what it does not have for having been excluded is left alone too. */
  #openFor({ manifest }: Pick<BackupReader, "manifest">): Site {
    return this.#open(excludedOf(this.#config, manifest));
  }

  /** Of a swap that was begun: what it has left alone, whatever the configuration says now. */
  async #openAgain(signal: AbortSignal): Promise<Site> {
    using site = this.#open(this.#config.exclude);
    const note = await site.marks.note(signal);
    return this.#open(note === undefined ? this.#config.exclude : parsePatterns(note));
  }

  /** What has to be so before anything is written. */
  async #enter({ target, marks }: Site, { identity, signal }: ReplacementContext): Promise<void> {
    requireIdentity(this.#config, identity);
    await requireVersions(target.bucket, signal);
    const other = await marks.other(signal);
    if (other !== undefined) throw busy(other);
  }

  /** Until the bucket is as the backup, and what others write meanwhile is dealt with; else everything comes back. */
  async #swapIn(
    site: Site,
    reader: BackupReader,
    context: ReplacementContext,
    facts: ReplacementJournal["facts"],
  ): Promise<SwapReport> {
    const { target, marks, place } = site;
    const { signal } = context;
    const { bucket } = target;
    const note = JSON.stringify(site.exclude);
    const hasBegun = (await marks.read(signal)).state === "swapping";
    await marks.begin("swap", signal, note);
    const earlier = hasBegun ? undefined : await marks.earlier(signal);
    if (earlier !== undefined) {
      await marks.withdraw(signal);
      throw busy(earlier);
    }
    try {
      await using index = await Index.load(reader, signal);
      for (let pass = 1; ; pass += 1) {
        const { swapFrom } = await marks.read(signal);
        const onWritten = (_: string, versionId: string | undefined): void => void requireVersion(bucket, versionId);
        await apply({ target, reader, index, context }, { readSince: swapFrom, onWritten });
        await marks.end("swap", signal);
        const { swapTo: until } = await marks.read(signal);
        const left = await check({ target, index, context }, { readSince: swapFrom, ...(until && { until }) });
        if (left.headers > 0)
          this.#order.logger.warn({ place, ...left }, "the server keeps other headers than it was given");
        if (left.contents === 0) break;
        if (pass === mostPasses) throw notQuiet(place, left.contents, left.example ?? "-");
        await marks.begin("swap", signal, note);
      }
    } catch (error) {
      if (signal.aborted) throw error;
      throw await this.#putBack(site, context, error);
    }
    const { swapFrom } = await marks.read(signal);
    const former = swapFrom === undefined ? 0 : await countFormer(target, swapFrom, signal);
    await this.#record(context, "swapped", { ...facts, former: String(former) });
    return report;
  }

  /** After a kill between the last object and its record: whether what is there is what was meant. */
  async #confirm(site: Site, context: ReplacementContext, swapTo: Date | undefined): Promise<boolean> {
    const { reader, journal, signal } = context;
    if (journal?.step !== "swap" || reader === undefined) return true;
    const { swapFrom } = await site.marks.read(signal);
    await using index = await Index.load(reader, signal);
    const { target } = site;
    const left = await check({ target, index, context }, { readSince: swapFrom, ...(swapTo && { until: swapTo }) });
    if (left.contents > 0) await this.#swapIn(site, reader, context, journal.facts);
    else {
      const former = swapFrom === undefined ? 0 : await countFormer(target, swapFrom, signal);
      await this.#record(context, "swapped", { ...journal.facts, former: String(former) });
    }
    return true;
  }

  /** The error of a swap that has failed, after what was there before was brought back. */
  async #putBack(site: Site, context: ReplacementContext, cause: unknown): Promise<unknown> {
    const { place, marks } = site;
    const { code, message, context: details } = toAppError(cause);
    try {
      const { swapFrom } = await marks.read(context.signal);
      if (swapFrom !== undefined) await takeBack(site, { since: swapFrom, former: 0, context });
      return new AppError(code, `${message}: what was there before was brought back`, {
        context: { ...details, step: "swap" },
        text: { key: "error-replace-s3-put-back", args: { place, reason: message } },
        cause,
      });
    } catch (error) {
      this.#order.logger.warn({ place, error: toAppError(error).message }, "a bucket is half replaced");
      return new AppError(code, `${message}: ${place} is half replaced, and could not be brought back yet`, {
        permanent: false,
        context: { ...details, step: "swap" },
        text: { key: "error-replace-s3-half", args: { place, reason: message } },
        cause,
      });
    }
  }

  async #record(context: ReplacementContext, step: ReplacementStep, facts: ReplacementJournal["facts"]): Promise<void> {
    await context.record({ step, facts });
    context.signal.throwIfAborted();
  }
}

function readerOf({ reader }: ReplacementContext): BackupReader {
  if (reader !== undefined) return reader;
  throw new AppError("internal", "a swap by versions needs the backup to read from");
}

function over(place: string): AppError {
  return new AppError("conflict", `${place} was replaced already by this restore`, {
    context: { step: "preflight", place },
    text: { key: "error-replace-s3-over", args: { place } },
  });
}

function notPrepared(place: string): AppError {
  return new AppError("conflict", `nothing is prepared that could take the place of ${place}`, {
    context: { step: "preflight", place },
    text: { key: "error-replace-s3-not-prepared", args: { place } },
  });
}

function noWayBack(place: string): AppError {
  return new AppError("conflict", `${place} was not replaced by this restore: there is nothing to go back to`, {
    context: { step: "preflight", place },
    text: { key: "error-replace-s3-no-before", args: { place } },
  });
}

function succeeded(place: string): AppError {
  return new AppError("conflict", `${place} was replaced by another restore since: take that one back first`, {
    context: { step: "preflight", place },
    text: { key: "error-replace-s3-succeeded", args: { place } },
  });
}

function notQuiet(place: string, count: number, object: string): AppError {
  return new AppError("source-failed", `${place} does not become as the backup: ${count} objects are others`, {
    context: { step: "compare", place, object },
    text: { key: "error-replace-s3-not-quiet", args: { place, count, object } },
  });
}

/** The replacer of one order. */
export function createReplacer(config: S3SourceConfig, order: ReplacementOrder): Replacer {
  return new S3Replacer(config, order);
}
