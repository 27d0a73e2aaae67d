import { AppError, toAppError } from "../../core/errors.ts";
import { neededBytes } from "../../core/manifest.ts";
import type { Lease } from "../../core/ports.ts";
import type { Recovered, ReplacementJournal } from "../../core/replacement.ts";
import type { Restoration, RestorationPhase, Undo } from "../../core/restoration.ts";
import { isOver } from "../../core/restoration-life.ts";
import type { ReplacementContext } from "../../sources/replacement.ts";
import type { BackupReader, RestoreReport } from "../../sources/types.ts";
import { awaitLeaseFiles } from "../backup/lease-file.ts";
import { restoreTime } from "../restore/estimate.ts";
import { WorkWatch } from "../work-watch.ts";
import { openSound } from "./copies.ts";
import type { RestoreDeps } from "./deps.ts";
import { type Engine, engineOf } from "./engine.ts";
import { type RestoreEvent, restoreEntry } from "./entries.ts";
import { failRestore } from "./failing.ts";
import { backUpBefore } from "./former.ts";
import { backsUpBefore } from "./look.ts";
import { Programs } from "./programs.ts";
import type { RestoreSession } from "./session.ts";
import { holdBackups, waitingFor } from "./stillness.ts";

/** Milliseconds in which what was stopped is started again when the worker itself is told to stop. */
const hurriedMs = 10_000;
/** Milliseconds for finding out what a failure has left. */
const recoverMs = 120_000;

/** Carries out one approved restore from wherever a killed worker has left it. */
export class RestoreExecution {
  readonly #deps: RestoreDeps;
  readonly #session: RestoreSession;
  readonly #watch: WorkWatch<Restoration>;
  readonly #programs: Programs;
  readonly #engine: Engine;
  /** As it was when this attempt began. */
  readonly #restoration: Restoration;
  #journal: ReplacementJournal | undefined;
  #reader: BackupReader | undefined;
  #backups: Lease | undefined;
  /** Until everything was compared, too; milliseconds. */
  #restoredMs = 0;

  constructor(deps: RestoreDeps, begun: Restoration, session: RestoreSession) {
    const { restorationStates: store, clock, logger } = deps;
    this.#deps = deps;
    this.#restoration = begun;
    this.#journal = begun.journal;
    this.#session = session;
    this.#watch = new WorkWatch({ store, clock, logger, id: begun.id, fence: session.fence, noun: "restoration" });
    this.#programs = new Programs(deps, begun, session.fence);
    this.#engine = engineOf(deps, begun);
  }

  /** Resolves when it is done. Rejects with why not, which is on record; as it came when it is to be taken up again. */
  async run(): Promise<Restoration> {
    const { signal } = this.#session;
    try {
      const found = await this.#recover();
      if (found !== "swapped") await this.#toTheEnd();
      return await this.#finish();
    } catch (error) {
      await this.#watch.stop();
      if (signal.aborted) {
        if (this.#session.isHeld()) await this.#startInHurry();
        throw error;
      }
      const reason = this.#watch.signal.aborted ? toAppError(this.#watch.signal.reason) : toAppError(error);
      if (reason.code === "redis" || reason.code === "lease-lost") throw reason;
      const failed = await failRestore(this.#deps, {
        id: this.#restoration.id,
        latest: { ...this.#restoration, journal: this.#journal },
        engine: this.#engine,
        fence: this.#session.fence,
        reason,
        programs: this.#programs,
        context: (journal) => {
          const by = AbortSignal.any([signal, AbortSignal.timeout(recoverMs)]);
          const context = this.#context(journal, by);
          // What Redis has lost is not missed where things are only put back.
          return { ...context, record: async (next) => await context.record(next).catch(unlessForgotten) };
        },
        signal,
      });
      // It was swapped all the same.
      if (failed === "swapped") return await this.#finish();
      throw reason;
    } finally {
      await this.#watch.stop();
      await this.#backups?.release();
    }
  }

  /** From here on no backup reads what is being replaced. */
  async #hold(signal: AbortSignal): Promise<void> {
    this.#backups = await holdBackups(this.#deps, this.#restoration, signal, async (holder) => {
      await this.#watch.step("normal", (current) => waitingFor(current, holder));
    });
  }

  /** What an earlier attempt has left: a target where it has not been swapped yet is made ready for another try. */
  async #recover(): Promise<Recovered> {
    const { attempt, journal } = this.#restoration;
    const { signal } = this.#session;
    if (attempt <= 1) return "nothing";
    const found =
      this.#engine.place === "in-place"
        ? await this.#engine.replacer.recover({ ...this.#context(journal, signal), ...(await this.#readerAgain()) })
        : "nothing";
    await this.#watch.write("normal", (current) => ({ ...current, recovered: found }));
    // Whatever uses it does not wait until it is restored once more.
    if (found !== "swapped") await this.#programs.start("restore", signal);
    return found;
  }

  /** For the one method that writes while it swaps. */
  async #readerAgain(): Promise<{ readonly reader?: BackupReader }> {
    if (this.#restoration.preflight?.method !== "versions" || this.#restoration.phase !== "swap") return {};
    const opened = await openSound(this.#deps, this.#restoration, { check: () => false, signal: this.#session.signal });
    return { reader: opened.reader };
  }

  async #toTheEnd(): Promise<void> {
    // Until the swap it can be cancelled.
    const signal = AbortSignal.any([this.#session.signal, this.#watch.signal]);
    await this.#phase("check");
    const { copy, reader, passedOver } = await openSound(this.#deps, this.#restoration, {
      signal,
      onCheck: (bytes, total) => this.#progress({ bytes, total }),
    });
    this.#reader = reader;
    const { id, name } = this.#restoration;
    const { host } = this.#deps;
    // A command line that knows no Redis must not remove what is being read.
    await using _reads = await awaitLeaseFiles([copy.storage], { name, work: "restore", host, signal, byRedis: true });
    await this.#deps.restorationStates.keepManifest(id, copy.manifest);
    await this.#watch.step("normal", (current) => {
      const { preflight } = current;
      if (!preflight) return current;
      const { storage } = copy;
      return { ...current, preflight: { ...preflight, storage: storage.name, location: storage.location, passedOver } };
    });
    const { preflight } = this.#restoration;
    if (preflight && backsUpBefore(this.#restoration, preflight)) {
      await this.#phase("backup");
      const { attempt } = this.#restoration;
      await backUpBefore(this.#deps, this.#restoration, { before: "restore", attempt }, signal, async (run) => {
        await this.#watch.step("normal", (current) => ({ ...current, former: run.id }));
      });
    }
    await this.#phase("restore");
    const report = await this.#restore(reader, signal);
    await this.#compared(report, copy.storage.name);
    if (this.#engine.place === "beside") return;
    await this.#hold(signal);
    await this.#phase("stop");
    await this.#programs.stop("restore", signal);
    await this.#phase("swap");
    const context = this.#context((await this.#current()).journal, this.#session.signal);
    const counters = this.#counters(this.#restoration.preflight?.bytes ?? neededBytes(reader.manifest));
    const swap = await this.#engine.replacer.swap({ ...context, ...counters, reader });
    const { restoreMs = 0, compared } = swap;
    await this.#watch.write("normal", ({ result, ...current }) =>
      result
        ? {
            ...current,
            result: { ...result, restoreMs: result.restoreMs + restoreMs, ...(compared && { compared }), swap },
          }
        : current,
    );
  }

  async #restore(reader: BackupReader, signal: AbortSignal): Promise<RestoreReport> {
    const total = this.#restoration.preflight?.bytes ?? neededBytes(reader.manifest);
    const began = performance.now();
    const context = { ...this.#context((await this.#current()).journal, signal), ...this.#counters(total) };
    const report = await (this.#engine.place === "beside"
      ? this.#engine.beside.make(reader, context)
      : this.#engine.replacer.prepare(reader, context));
    signal.throwIfAborted();
    this.#restoredMs = Math.round(performance.now() - began);
    return report;
  }

  /** On record before anything is swapped; rejects where it is not exactly what the manifest says. */
  async #compared(report: RestoreReport, storage: string): Promise<void> {
    const { restoreMs, compared, differences, differencesTotal, remarks } = report;
    await this.#watch.step("normal", (current) => ({
      ...current,
      result: {
        restoreMs,
        compared,
        differences: [...differences],
        differencesTotal,
        ...(remarks === undefined || remarks.length === 0 ? {} : { remarks }),
        rtoMs: this.#sinceBegin(),
      },
    }));
    if (differencesTotal > 0) throw differs(differencesTotal, this.#engine.place);
    const { verifications, clock, host } = this.#deps;
    const manifest = this.#reader?.manifest;
    const { name, only, pick, preflight } = this.#restoration;
    if (!manifest || pick !== undefined || restoreMs === 0) return;
    // Read only, so far: it is written where it is swapped.
    if (preflight?.method === "single-transaction" || preflight?.method === "versions") return;
    const measured = { at: clock.now().toISOString(), restoreMs, totalMs: this.#restoredMs, storage, host };
    await verifications.addRestore(name, restoreTime(manifest, measured, only));
  }

  async #finish(): Promise<Restoration> {
    const { clock, config, logger } = this.#deps;
    const { signal } = this.#session;
    const isInPlace = this.#engine.place === "in-place";
    if (isInPlace) {
      await this.#said("start", "swapped");
      await this.#programs.start("restore", signal);
    }
    const now = clock.now();
    const keep = config.backups.find(({ name }) => name === this.#restoration.name)?.restore.keep ?? 0;
    const undo: Undo = { until: new Date(now.getTime() + keep).toISOString() };
    const rtoMs = this.#sinceBegin();
    const { restorationStates } = this.#deps;
    const change = (current: Restoration): Restoration => {
      const { progress: _, cancelRequestedBy: __, cleanUp: ___, error: ____, ...rest } = current;
      const result = current.result ?? { restoreMs: 0, compared: {}, differences: [], differencesTotal: 0, rtoMs };
      return {
        ...rest,
        status: "done",
        phase: "record",
        finishedAt: now.toISOString(),
        result: { ...result, rtoMs },
        ...(isInPlace && canGoBack(current) ? { undo } : {}),
      };
    };
    const entries = (current: Restoration) => [restoreEntry(current, "done", now, { host: this.#deps.host })];
    const { id, name, backup } = this.#restoration;
    const done = await restorationStates.record(id, "reply", now, change, this.#session.fence, entries);
    logger.warn({ restoration: id, backup: name, run: backup, rtoMs }, "restored");
    return done;
  }

  /** Whoever takes it up may come late: what was stopped does not wait for that. */
  async #startInHurry(): Promise<void> {
    await this.#programs.start("restore", AbortSignal.timeout(hurriedMs)).catch((error: unknown) => {
      this.#deps.logger.warn({ restoration: this.#restoration.id, error: String(error) }, "programs are owed");
    });
  }

  async #phase(phase: RestorationPhase): Promise<void> {
    await this.#watch.step("normal", (current) => {
      const { progress: _, ...rest } = current;
      return { ...rest, phase };
    });
  }

  async #said(phase: RestorationPhase, what: RestoreEvent): Promise<void> {
    const { restorationStates, clock, host } = this.#deps;
    const now = clock.now();
    const change = (current: Restoration): Restoration => ({ ...current, phase });
    const entries = (current: Restoration) => [restoreEntry(current, what, now, { host })];
    await restorationStates.record(this.#restoration.id, "normal", now, change, this.#session.fence, entries);
  }

  /** What a step tells of how far it is. */
  #counters(total: number): Required<Pick<ReplacementContext, "progress" | "step">> {
    let latest: { bytes: number; total: number; done?: number; of?: number; what?: string } = { bytes: 0, total };
    return {
      progress: (bytes) => {
        latest = { ...latest, bytes };
        this.#progress(latest);
      },
      step: (done, of, what) => {
        latest = { ...latest, done, of, what };
        this.#progress(latest);
      },
    };
  }

  #progress(progress: Omit<NonNullable<Restoration["progress"]>, "at">): void {
    const at = this.#deps.clock.now().toISOString();
    this.#watch.progress((current) => (isOver(current) ? current : { ...current, progress: { ...progress, at } }));
  }

  #context(journal: ReplacementJournal | undefined, signal: AbortSignal): ReplacementContext {
    return contextOf(this.#restoration, journal, signal, async (next) => {
      this.#journal = next;
      await this.#watch.write("progress", (current) => ({ ...current, journal: next }));
    });
  }

  async #current(): Promise<Restoration> {
    return await this.#deps.restorationStates.get(this.#restoration.id);
  }

  #sinceBegin(): number {
    const { startedAt } = this.#restoration;
    return startedAt === undefined ? 0 : Math.max(0, this.#deps.clock.now().getTime() - Date.parse(startedAt));
  }
}

/** What a step is given. @throws AppError when nothing was looked at before. */
export function contextOf(
  { id, preflight }: Restoration,
  journal: ReplacementJournal | undefined,
  signal: AbortSignal,
  record: ReplacementContext["record"],
): ReplacementContext {
  if (!preflight) throw new AppError("internal", `restore ${id} was never looked at`);
  return { journal, identity: preflight.identity, signal, record };
}

function unlessForgotten(error: unknown): void {
  if (toAppError(error).code !== "not-found") throw error;
}

/** Whether anything is there to go back to. */
export function canGoBack({ preflight, former }: Restoration): boolean {
  return preflight?.wayBack !== "former" || former !== undefined;
}

function differs(count: number, place: Restoration["place"]): AppError {
  const key = place === "in-place" ? "error-restoration-differs" : "error-restoration-differs-beside";
  return new AppError("storage-mismatch", `what was restored differs from the manifest in ${count} places`, {
    context: { step: "restore" },
    text: { key, args: { count } },
  });
}
