import type { Config } from "../../app/config.ts";
import { AppError, lostLease, toAppError } from "../../core/errors.ts";
import { encodeManifest, runFolder } from "../../core/manifest.ts";
import type { Clock } from "../../core/ports.ts";
import { type BackupRun, hasLeftovers, isFinal, owesHook, type RunCopy } from "../../core/run.ts";
import type { Logger } from "../../lib/logger.ts";
import type { JobContext, JobOutcome } from "../../queue/contracts.ts";
import type { Producer } from "../../queue/producer.ts";
import { kindOf } from "../../sources/index.ts";
import type { Source } from "../../sources/types.ts";
import type { Leases } from "../../state/leases.ts";
import type { Runs } from "../../state/runs.ts";
import type { Verifications } from "../../state/verifications.ts";
import type { Storage } from "../../storages/types.ts";
import { cleanUpRun } from "./clean-up.ts";
import { retentionHolder } from "./holders.ts";
import { RunHooks } from "./hooks.ts";
import { waitForHours } from "./hours.ts";
import { awaitLeaseFiles } from "./lease-file.ts";
import { type PipelineResult, runBackup } from "./pipeline.ts";
import { findPrevious } from "./previous.ts";
import { runError } from "./run-error.ts";
import { RunWatch } from "./run-watch.ts";
import { tellStored } from "./stored.ts";
import { sweepRun } from "./sweep.ts";
import { enqueueUpload, uploadHost } from "./uploads.ts";

export interface BackupRunnerDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly host: string;
  readonly version: string;
  readonly runs: Runs;
  readonly leases: Leases;
  readonly producer: Producer;
  readonly verifications: Pick<Verifications, "suspicions">;
  /** An opened storage by its configured name. */
  storage(name: string): Promise<Storage>;
  source(config: Config["backups"][number]["source"]): Source;
  /** Told when a copy is complete and on record: what else has to know of it is done then. */
  stored?(run: BackupRun, storage: string): Promise<void>;
}

/** A run outlives an outage of Redis of this length; its writes are fenced all the same. */
const leaseLostAfterMs = 15 * 60_000;
const waitForOtherMs = 3000;
/** Milliseconds for removing what an attempt has made that another worker has overtaken. */
const withdrawMs = 60_000;
/** Milliseconds for the hooks of a run whose worker is told to stop. */
const shutdownHooksMs = 10_000;

type Outcome = Exclude<BackupRun["status"], "queued" | "running">;

/** A storage that has just failed is given this long before the first attempt to make up the copy. */
const firstUploadMs = 5000;

/**
 * Carries out backup runs, from wherever an earlier attempt has left them: what it opened is aborted, a finished
 * backup (its manifest is there) is recognised, anything else starts afresh in a folder of its own.
 */
export class BackupRunner {
  readonly #deps: BackupRunnerDeps;
  readonly #hooks: RunHooks;

  constructor(deps: BackupRunnerDeps) {
    this.#deps = deps;
    this.#hooks = new RunHooks(deps);
  }

  async execute(id: string, job: JobContext): Promise<JobOutcome> {
    const { runs, leases } = this.#deps;
    const run = await runs.read(id);
    if (!run) return { done: { run: id, status: "unknown" } };
    if (isFinal(run.status) && !hasLeftovers(run) && !owesHook(run)) return { done: { run: id, status: run.status } };
    const waiting = await waitForHours(this.#deps, run);
    if (waiting) return waiting;
    const lease = await leases.tryAcquire(`backup:${run.name}`, {
      ttlMs: this.#deps.config.worker.lease,
      lostAfterMs: leaseLostAfterMs,
      holder: id,
    });
    if (!lease) {
      const other = await leases.holder(`backup:${run.name}`);
      const isRun = other !== undefined && !other.startsWith(retentionHolder);
      if (isRun && other !== id && other !== run.waitsFor)
        await runs.update(id, "normal", this.#now(), (current) => ({ ...current, waitsFor: other }));
      return { later: waitForOtherMs };
    }
    await using held = lease;
    if (isFinal(run.status)) {
      await this.#hooks.after(id, run.status, held.token, job.signal);
      return { done: { run: id, ...(await sweepRun(this.#deps, run, job.signal)) } };
    }
    const status = await this.#attempt(id, held.token, AbortSignal.any([job.signal, held.signal]), job.signal);
    return { done: { run: id, status } };
  }

  #now(): Date {
    return this.#deps.clock.now();
  }

  async #attempt(id: string, fence: number, signal: AbortSignal, shutdown: AbortSignal): Promise<string> {
    const { config, host } = this.#deps;
    let run = await this.#begin(id, fence);
    if (isFinal(run.status)) return run.status;
    const backup = config.backups.find((candidate) => candidate.name === run.name);
    const watch = new RunWatch(this.#deps, run, fence, backup?.timeout);
    let storages: readonly Storage[] = [];
    let status: Outcome;
    try {
      if (!backup) {
        const text = { key: "error-backup-gone", args: { name: run.name } };
        throw new AppError("config", `backup ${run.name} is no longer configured`, { text });
      }
      storages = await Promise.all(backup.storages.map((name) => this.#deps.storage(name)));
      if (run.folder !== undefined) {
        const finished = await this.#recover(run, run.folder, storages, fence, signal);
        if (finished) {
          await this.#hooks.after(id, finished, fence, signal);
          return finished;
        }
        await this.#hooks.after(id, "interrupted", fence, signal);
      }
      const predecessor = await this.#deps.runs.lastGood(run.name);
      run = await this.#start(run, storages, fence);
      await this.#hooks.before(run, backup, fence, AbortSignal.any([signal, watch.signal]));
      const recipients = backup.encrypt ? (config.encryption?.recipients ?? []) : [];
      const stop = AbortSignal.any([signal, watch.signal]);
      // A command line that knows no Redis must not remove what this run builds upon.
      await using _leases =
        kindOf(backup.source.kind).incremental === true
          ? await awaitLeaseFiles(storages, { name: run.name, work: "backup", host, signal: stop, byRedis: true })
          : undefined;
      const previous = await findPrevious({
        name: run.name,
        kind: backup.source.kind,
        storages,
        recipients,
        identities: config.encryption?.identity,
        now: this.#deps.clock.now(),
        suspicions: await this.#deps.verifications.suspicions(),
        signal: stop,
        logger: this.#deps.logger,
      });
      const result = await runBackup({
        runId: id,
        name: run.name,
        startedAt: new Date(run.startedAt ?? run.createdAt),
        folder: run.folder ?? "",
        source: this.#deps.source(backup.source),
        storages,
        previous,
        recipients,
        ...(predecessor?.manifest ? { predecessor: predecessor.manifest } : {}),
        observer: watch,
        clock: this.#deps.clock,
        signal: stop,
        host: this.#deps.host,
        version: this.#deps.version,
      });
      await watch.stop();
      status = await this.#succeed(id, result, storages, fence);
    } catch (error) {
      await watch.stop();
      if (lostLease(signal) || toAppError(error).code === "lease-lost") return await this.#withdraw(run, storages);
      if (shutdown.aborted) await this.#hooksAtShutdown(id, fence);
      status = await this.#fail(id, error, fence, shutdown);
    } finally {
      await watch.stop();
    }
    await this.#hooks.after(id, status, fence, signal);
    return status;
  }

  /** What was stopped for the backup is started again before this worker goes; else the next one does it. */
  async #hooksAtShutdown(id: string, fence: number): Promise<void> {
    await this.#hooks.after(id, "interrupted", fence, AbortSignal.timeout(shutdownHooksMs)).catch((error: unknown) => {
      this.#deps.logger.warn({ run: id, error: String(error) }, "hooks are left to the next worker");
    });
  }

  /** Takes the run: the intent is on record before anything is touched. */
  async #begin(id: string, fence: number): Promise<BackupRun> {
    const now = this.#now();
    return await this.#deps.runs.record(
      id,
      "normal",
      now,
      (run) => {
        if (isFinal(run.status)) return run;
        if (run.cancelRequestedBy && run.open.length === 0 && run.attempt === 0)
          return { ...run, status: "cancelled", finishedAt: now.toISOString() };
        const { waitsFor: _, progress: __, ...rest } = run;
        return {
          ...rest,
          status: "running",
          phase: "preflight",
          attempt: run.attempt + 1,
          ...(run.status === "running" ? { interruptedIn: run.phase } : {}),
          fence,
          host: this.#deps.host,
        };
      },
      fence,
    );
  }

  /** Gives the attempt its folder, on record before anything is written into it. */
  async #start(run: BackupRun, storages: readonly Storage[], fence: number): Promise<BackupRun> {
    const now = this.#now();
    // A folder's name has whole seconds: it must differ from that of the attempt before.
    const earliest = run.startedAt === undefined ? 0 : Date.parse(run.startedAt) + 1000;
    const startedAt = new Date(Math.max(now.getTime(), earliest));
    const change = (current: BackupRun): BackupRun => ({
      ...current,
      startedAt: startedAt.toISOString(),
      folder: runFolder(run.name, startedAt, run.id),
      copies: storages.map(pendingCopy),
    });
    return await this.#deps.runs.record(run.id, "normal", now, change, fence);
  }

  /**
   * After an interruption: removes what it left, also in storages that have since been taken off the backup, or
   * recognises that the backup is finished.
   */
  async #recover(
    run: BackupRun,
    folder: string,
    storages: readonly Storage[],
    fence: number,
    signal: AbortSignal,
  ): Promise<Outcome | undefined> {
    const former = await this.#formerStorages(run, storages);
    const everywhere = [...storages, ...former];
    const left = await cleanUpRun(everywhere, folder, run.open, signal);
    const cleaned = new Set(everywhere.map(({ name }) => name));
    for (const { storage } of left.failed) cleaned.delete(storage);
    await this.#deps.runs.record(
      run.id,
      "normal",
      this.#now(),
      (current) => ({
        ...current,
        // What could not be looked into is still to be cleaned up later.
        open: current.open.filter((object) => !cleaned.has(object.storage)),
        leftIn: [...(current.leftIn ?? []), ...left.failed.map(({ storage }) => ({ storage, folder }))],
        cleaned: (current.cleaned ?? 0) + left.removed,
      }),
      fence,
    );
    if (!left.finished) return undefined;
    const { manifest, manifestSha256, storedIn } = left.finished;
    const manifestBytes = encodeManifest(manifest);
    const missing = new AppError("interrupted", "the worker was interrupted before this copy was complete", {
      permanent: false,
      text: { key: "error-copy-interrupted" },
    });
    const places = [...storages, ...former.filter(({ name }) => storedIn.includes(name))];
    const copies = places.map((storage) =>
      storedIn.includes(storage.name)
        ? { storage: storage.name, status: "stored" as const }
        : { storage: storage.name, status: "failed" as const, error: missing },
    );
    return await this.#succeed(run.id, { manifest, manifestBytes, manifestSha256, copies }, places, fence);
  }

  /** Storages of the attempt before that the backup no longer has; those that are not configured any more left out. */
  async #formerStorages(run: BackupRun, storages: readonly Storage[]): Promise<Storage[]> {
    const names = new Set([...run.copies, ...run.open].map(({ storage }) => storage));
    for (const { name } of storages) names.delete(name);
    const configured = [...names].filter((name) => this.#deps.config.storages[name] !== undefined);
    return await Promise.all(configured.map((name) => this.#deps.storage(name)));
  }

  async #succeed(id: string, result: PipelineResult, storages: readonly Storage[], fence: number): Promise<Outcome> {
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
    const run = await this.#deps.runs.record(
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
          // What could not be removed of a copy that dropped out: the upload job writes over it.
          leftIn: (current.leftIn ?? []).filter(({ folder }) => folder !== current.folder),
          manifest: result.manifest,
          manifestSha256: result.manifestSha256,
        };
      },
      fence,
    );
    for (const { storage, error } of failed) {
      const delayMs = error?.code === "interrupted" ? 0 : firstUploadMs;
      const host = uploadHost(this.#deps.config, run, storage, new Set([this.#deps.host]));
      await enqueueUpload(this.#deps.producer, run, storage, { host, delayMs }).catch((reason: unknown) => {
        this.#deps.logger.warn({ run: id, storage, error: String(reason) }, "upload not enqueued; the tick will do it");
      });
    }
    for (const { storage, status } of copies) if (status === "stored") await tellStored(this.#deps, run, storage);
    return failed.length > 0 ? "degraded" : "succeeded";
  }

  /** Another worker has taken the run over: removes what this attempt has made, unless the other one works there. */
  async #withdraw(run: BackupRun, storages: readonly Storage[]): Promise<never> {
    const current = await this.#deps.runs.read(run.id);
    const { folder } = run;
    if (folder !== undefined && current !== undefined && current.folder !== folder) {
      const failed = await cleanUpRun(storages, folder, [], AbortSignal.timeout(withdrawMs)).then(
        (left) => left.failed.map(({ storage }) => storage),
        () => storages.map(({ name }) => name),
      );
      const leftIn = failed.map((storage) => ({ storage, folder }));
      if (leftIn.length > 0)
        await this.#deps.runs.record(run.id, "progress", this.#now(), (other) => ({
          ...other,
          leftIn: [...(other.leftIn ?? []), ...leftIn],
        }));
    }
    throw new AppError("lease-lost", `another worker has taken run ${run.id} over`, { permanent: false });
  }

  async #fail(id: string, cause: unknown, fence: number, shutdown: AbortSignal): Promise<Outcome> {
    const { runs, logger } = this.#deps;
    const now = this.#now();
    if (shutdown.aborted) {
      await runs.update(
        id,
        "normal",
        now,
        (run) => ({ ...run, status: "queued", interruptedIn: run.phase, phase: "waiting" }),
        fence,
      );
      throw toAppError(cause, "interrupted");
    }
    const error = toAppError(cause);
    // The run stays as it is on record: the next attempt cleans up, or finds the backup finished.
    if (error.code === "redis") throw error;
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
    // By what ended it: a cancellation that came while a failed run was cleaned up does not hide the failure.
    const cancelled = error.code === "cancelled";
    const change = (current: BackupRun): BackupRun =>
      isFinal(current.status)
        ? current
        : {
            ...current,
            status: cancelled ? "cancelled" : "failed",
            finishedAt: now.toISOString(),
            copies: current.copies.map((copy) => ({ ...copy, status: "aborted" as const })),
            ...(cancelled ? {} : { error: runError(error, current.phase) }),
          };
    const { status } = await runs.record(id, "reply", now, change, fence);
    return status === "queued" || status === "running" ? "failed" : status;
  }
}

function pendingCopy(storage: Storage): RunCopy {
  return { storage: storage.name, location: storage.location, local: storage.local, status: "pending" };
}
