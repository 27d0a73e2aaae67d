import type { Config } from "../../app/config.ts";
import { AppError, toAppError } from "../../core/errors.ts";
import { encodeManifest, runFolder } from "../../core/manifest.ts";
import type { BackupPhase, Clock, OpenObject, RunObserver, RunProgress } from "../../core/ports.ts";
import { type BackupRun, hasLeftovers, isFinal, type RunCopy } from "../../core/run.ts";
import type { Logger } from "../../lib/logger.ts";
import type { JobContext, JobOutcome } from "../../queue/contracts.ts";
import type { Producer } from "../../queue/producer.ts";
import type { Source } from "../../sources/types.ts";
import type { Leases } from "../../state/leases.ts";
import type { Runs } from "../../state/runs.ts";
import type { Storage } from "../../storages/types.ts";
import { cleanUpRun } from "./clean-up.ts";
import { type PipelineResult, runBackup } from "./pipeline.ts";
import { runError } from "./run-error.ts";

export interface BackupRunnerDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly host: string;
  readonly version: string;
  readonly runs: Runs;
  readonly leases: Leases;
  readonly producer: Producer;
  /** An opened storage by its configured name. */
  storage(name: string): Promise<Storage>;
  source(config: Config["backups"][number]["source"]): Source;
}

/** How often progress is written and a cancellation looked for, in milliseconds. */
const beatMs = 1000;
/** A run outlives an outage of Redis of this length; its writes are fenced all the same. */
const leaseLostAfterMs = 15 * 60_000;
const waitForOtherMs = 3000;

/**
 * Carries out backup runs, from wherever an earlier attempt has left them: what it opened is aborted, a finished
 * backup (its manifest is there) is recognised, anything else starts afresh in the same folder.
 */
export class BackupRunner {
  readonly #deps: BackupRunnerDeps;

  constructor(deps: BackupRunnerDeps) {
    this.#deps = deps;
  }

  async execute(id: string, job: JobContext): Promise<JobOutcome> {
    const { runs, leases } = this.#deps;
    const run = await runs.read(id);
    if (!run) return { done: { run: id, status: "unknown" } };
    if (isFinal(run.status) && !hasLeftovers(run)) return { done: { run: id, status: run.status } };
    const lease = await leases.tryAcquire(`backup:${run.name}`, {
      ttlMs: 30_000,
      lostAfterMs: leaseLostAfterMs,
      holder: id,
    });
    if (!lease) {
      const other = await leases.holder(`backup:${run.name}`);
      if (other !== undefined && other !== run.waitsFor)
        await runs.update(id, "normal", this.#now(), (current) => ({ ...current, waitsFor: other }));
      return { later: waitForOtherMs };
    }
    await using held = lease;
    if (isFinal(run.status)) return await this.#sweep(run, job.signal);
    const status = await this.#attempt(id, held.token, AbortSignal.any([job.signal, held.signal]), job.signal);
    return { done: { run: id, status } };
  }

  #now(): Date {
    return this.#deps.clock.now();
  }

  /** Removes what could not be removed when the run ended, because its store was out of reach. */
  async #sweep(run: BackupRun, signal: AbortSignal): Promise<JobOutcome> {
    const names = new Set(run.open.map((object) => object.storage));
    const storages = await Promise.all([...names].map((name) => this.#deps.storage(name)));
    const left = await cleanUpRun(storages, run.folder ?? "", run.open, signal);
    const stuck = new Set(left.failed.map((failed) => failed.storage));
    await this.#deps.runs.update(run.id, "progress", this.#now(), (current) => ({
      ...current,
      open: current.open.filter((object) => stuck.has(object.storage)),
    }));
    return { done: { run: run.id, removed: left.removed, stuck: stuck.size } };
  }

  async #attempt(id: string, fence: number, signal: AbortSignal, shutdown: AbortSignal): Promise<string> {
    const { runs, config } = this.#deps;
    const run = await this.#begin(id, fence);
    if (isFinal(run.status)) return run.status;
    const watch = new RunWatch(this.#deps, run, fence);
    try {
      const backup = config.backups.find((candidate) => candidate.name === run.name);
      if (!backup) throw new AppError("config", `backup ${run.name} is no longer configured`);
      const storages = await Promise.all(backup.storages.map((name) => this.#deps.storage(name)));
      await runs.update(
        id,
        "normal",
        this.#now(),
        (current) => ({ ...current, copies: storages.map(pendingCopy) }),
        fence,
      );
      if (run.attempt > 1) {
        const finished = await this.#recover(run, storages, fence, signal);
        if (finished) return finished;
      }
      const recipients = backup.encrypt ? (config.encryption?.recipients ?? []) : [];
      const timeout = backup.timeout === undefined ? [] : [AbortSignal.timeout(backup.timeout)];
      const result = await runBackup({
        runId: id,
        name: run.name,
        startedAt: new Date(run.startedAt ?? run.createdAt),
        folder: run.folder ?? "",
        source: this.#deps.source(backup.source),
        storages,
        recipients,
        observer: watch,
        clock: this.#deps.clock,
        signal: AbortSignal.any([signal, watch.signal, ...timeout]),
        host: this.#deps.host,
        version: this.#deps.version,
      });
      await watch.stop();
      return await this.#succeed(id, result, storages, fence);
    } catch (error) {
      await watch.stop();
      return await this.#fail(id, error, fence, { signal, shutdown, cancelled: watch.cancelled });
    }
  }

  /** Takes the run: the intent is on record before anything is touched. */
  async #begin(id: string, fence: number): Promise<BackupRun> {
    const now = this.#now();
    return await this.#deps.runs.update(
      id,
      "normal",
      now,
      (run) => {
        if (isFinal(run.status)) return run;
        if (run.cancelRequestedBy && run.open.length === 0 && run.attempt === 0)
          return { ...run, status: "cancelled", finishedAt: now.toISOString() };
        const startedAt = run.startedAt ?? now.toISOString();
        const { waitsFor: _, progress: __, ...rest } = run;
        return {
          ...rest,
          status: "running",
          phase: "preflight",
          attempt: run.attempt + 1,
          ...(run.status === "running" ? { interruptedIn: run.phase } : {}),
          fence,
          host: this.#deps.host,
          startedAt,
          folder: run.folder ?? runFolder(run.name, new Date(startedAt), id),
        };
      },
      fence,
    );
  }

  /** After an interruption: removes what it left, or recognises that the backup is finished. */
  async #recover(
    run: BackupRun,
    storages: readonly Storage[],
    fence: number,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const left = await cleanUpRun(storages, run.folder ?? "", run.open, signal);
    await this.#deps.runs.update(
      run.id,
      "normal",
      this.#now(),
      (current) => ({
        ...current,
        // What could not be looked into is still to be cleaned up later.
        open: current.open.filter((object) => left.failed.some((failed) => failed.storage === object.storage)),
        cleaned: (current.cleaned ?? 0) + left.removed,
      }),
      fence,
    );
    if (!left.finished) return undefined;
    const { manifest, manifestSha256, storedIn } = left.finished;
    const manifestBytes = encodeManifest(manifest);
    const missing = new AppError("interrupted", "the worker was interrupted before this copy was complete", {
      permanent: false,
    });
    const copies = storages.map((storage) =>
      storedIn.includes(storage.name)
        ? { storage: storage.name, status: "stored" as const }
        : { storage: storage.name, status: "failed" as const, error: missing },
    );
    return await this.#succeed(run.id, { manifest, manifestBytes, manifestSha256, copies }, storages, fence);
  }

  async #succeed(id: string, result: PipelineResult, storages: readonly Storage[], fence: number): Promise<string> {
    const now = this.#now();
    const failed = result.copies.filter((copy) => copy.status === "failed");
    const copies = storages.map((storage): RunCopy => {
      const outcome = result.copies.find((copy) => copy.storage === storage.name);
      const base = { storage: storage.name, location: storage.location, local: storage.local };
      if (outcome?.status === "stored") return { ...base, status: "stored" };
      return {
        ...base,
        status: "retrying",
        tries: 0,
        ...(outcome?.error ? { error: runError(outcome.error, `copy to ${storage.name}`) } : {}),
      };
    });
    const run = await this.#deps.runs.update(
      id,
      "reply",
      now,
      (current) => {
        const { progress: _, cancelRequestedBy: __, ...rest } = current;
        return {
          ...rest,
          status: failed.length > 0 ? "degraded" : "succeeded",
          phase: "manifest",
          finishedAt: result.manifest.finishedAt,
          copies,
          manifest: result.manifest,
          manifestSha256: result.manifestSha256,
        };
      },
      fence,
    );
    for (const copy of failed) {
      await this.#deps.producer.enqueue(
        "upload",
        { runId: id, storage: copy.storage },
        { id: `upload-${id}-${copy.storage}`, host: this.#deps.host, delayMs: 5000 },
      );
    }
    return run.status;
  }

  async #fail(
    id: string,
    cause: unknown,
    fence: number,
    ended: { signal: AbortSignal; shutdown: AbortSignal; cancelled: boolean },
  ): Promise<string> {
    const { runs, logger } = this.#deps;
    const now = this.#now();
    if (ended.shutdown.aborted) {
      await runs.update(
        id,
        "normal",
        now,
        (run) => ({ ...run, status: "queued", interruptedIn: run.phase, phase: "waiting" }),
        fence,
      );
      throw toAppError(cause, "interrupted");
    }
    if (ended.signal.aborted) throw toAppError(cause, "lease-lost");
    const error = toAppError(cause);
    logger.warn(
      {
        run: id,
        code: error.code,
        error: error.message,
        context: error.context,
        err: error.code === "internal" ? cause : undefined,
      },
      "backup failed",
    );
    const run = await runs.update(
      id,
      "reply",
      now,
      (current) => ({
        ...current,
        status: ended.cancelled ? "cancelled" : "failed",
        finishedAt: now.toISOString(),
        copies: current.copies.map((copy) => ({ ...copy, status: "aborted" as const })),
        ...(ended.cancelled ? {} : { error: runError(error, current.phase) }),
      }),
      fence,
    );
    return run.status;
  }
}

function pendingCopy(storage: Storage): RunCopy {
  return { storage: storage.name, location: storage.location, local: storage.local, status: "pending" };
}

/** Writes a run's progress once a second and learns from the same write whether it is to stop. */
class RunWatch implements RunObserver {
  readonly #deps: BackupRunnerDeps;
  readonly #id: string;
  readonly #fence: number;
  readonly #stopped = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #latest: RunProgress | undefined;
  #beat: Promise<void> = Promise.resolve();
  #beating = false;
  cancelled = false;

  constructor(deps: BackupRunnerDeps, run: BackupRun, fence: number) {
    this.#deps = deps;
    this.#id = run.id;
    this.#fence = fence;
    this.#timer = setInterval(() => this.#tick(), beatMs);
  }

  /** Aborted when the run is cancelled or was taken over. */
  get signal(): AbortSignal {
    return this.#stopped.signal;
  }

  async phase(phase: BackupPhase): Promise<void> {
    this.#look(await this.#write("normal", (run) => (run.phase === phase ? run : { ...run, phase })));
    this.#stopped.signal.throwIfAborted();
  }

  progress(progress: RunProgress): void {
    this.#latest = progress;
  }

  async opened(object: OpenObject): Promise<void> {
    await this.#write("progress", (run) => ({ ...run, open: [...run.open, object] }));
  }

  async closed(object: OpenObject): Promise<void> {
    await this.#write("progress", (run) => ({
      ...run,
      open: run.open.filter((open) => open.handle !== object.handle || open.key !== object.key),
    }));
  }

  async title(title: string): Promise<void> {
    await this.#write("progress", (run) => ({ ...run, sourceTitle: title }));
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#beat;
  }

  async #write(urgency: "normal" | "progress", change: (run: BackupRun) => BackupRun): Promise<BackupRun> {
    return await this.#deps.runs.update(this.#id, urgency, this.#deps.clock.now(), change, this.#fence);
  }

  #tick(): void {
    // One write at a time: while Redis is away they do not pile up.
    if (this.#beating) return;
    this.#beating = true;
    const at = this.#deps.clock.now().toISOString();
    const latest = this.#latest;
    this.#latest = undefined;
    const written = latest
      ? this.#write("progress", (run) => ({ ...run, progress: { ...latest, at } }))
      : this.#deps.runs.get(this.#id);
    this.#beat = written
      .then((run) => this.#look(run))
      .catch((error: unknown) => this.#stopped.abort(toAppError(error)))
      .finally(() => {
        this.#beating = false;
      });
  }

  #look(run: BackupRun): void {
    if (run.cancelRequestedBy && !this.cancelled) {
      this.cancelled = true;
      this.#stopped.abort(new AppError("cancelled", `cancelled by ${run.cancelRequestedBy.name}`));
    }
  }
}
