import { AppError, toAppError } from "../../core/errors.ts";
import { manifestFile } from "../../core/manifest.ts";
import type { BackupRun, RunCopy } from "../../core/run.ts";
import { contracts, type JobContext, type JobOutcome } from "../../queue/contracts.ts";
import type { Producer } from "../../queue/producer.ts";
import { copyBackup } from "./copy.ts";
import { runError } from "./run-error.ts";
import type { BackupRunnerDeps } from "./runner.ts";
import { tellStored } from "./stored.ts";

/** Enqueues the job that makes up a copy, unless it is known already, on the worker that made the run. */
export async function enqueueUpload(
  producer: Producer,
  run: BackupRun,
  storage: string,
  delayMs?: number,
): Promise<void> {
  await producer.enqueue(
    "upload",
    { runId: run.id, storage },
    { id: uploadJobId(run, storage), host: run.host, ...(delayMs === undefined ? {} : { delayMs }) },
  );
}

export function uploadJobId(run: BackupRun, storage: string): string {
  return `upload-${run.id}-${storage}`;
}

/** Makes up the copies that failed while the dump was fine: from an existing copy, never by dumping again. */
export class BackupUploads {
  readonly #deps: BackupRunnerDeps;

  constructor(deps: BackupRunnerDeps) {
    this.#deps = deps;
  }

  /** One attempt. Throws after recording the failure, so that the queue tries again later. */
  async execute(id: string, storageName: string, job: JobContext): Promise<JobOutcome> {
    const { runs, leases, clock } = this.#deps;
    const run = await runs.read(id);
    const copy = run?.copies.find((candidate) => candidate.storage === storageName);
    if (!run?.manifest || copy?.status !== "retrying")
      return { done: { run: id, storage: storageName, status: copy?.status ?? "unknown" } };
    const lease = await leases.tryAcquire(`upload:${id}:${storageName}`, {
      ttlMs: this.#deps.config.worker.lease,
      lostAfterMs: 2 * this.#deps.config.worker.lease,
      holder: id,
    });
    if (!lease) return { later: 3000 };
    await using held = lease;
    try {
      const target = await this.#deps.storage(storageName);
      const from =
        run.copies.find((candidate) => candidate.status === "stored" && candidate.local) ??
        run.copies.find((candidate) => candidate.status === "stored");
      if (!from) {
        const text = { key: "error-no-copy", args: { run: id } };
        throw new AppError("no-copy", `no sound copy of run ${id} is left to copy from`, { text });
      }
      const source = await this.#deps.storage(from.storage);
      const signal = AbortSignal.any([job.signal, held.signal]);
      await target.cleanUp(
        run.folder ?? "",
        run.open.filter((open) => open.storage === storageName),
        signal,
      );
      const manifestBytes = await readAll(await source.read(`${run.folder}${manifestFile}`, signal));
      await copyBackup({
        from: source,
        to: target,
        folder: run.folder ?? "",
        manifest: run.manifest,
        manifestBytes,
        signal,
        opened: async (object) => {
          await runs.record(id, "progress", clock.now(), (current) => ({
            ...current,
            open: [...current.open, object],
          }));
        },
      });
      if (!held.isHeld()) throw new AppError("lease-lost", "another worker makes this copy up", { permanent: false });
      await this.#record(id, storageName, { status: "stored" });
      await tellStored(this.#deps, run, storageName);
      return { done: { run: id, storage: storageName, status: "stored" } };
    } catch (cause) {
      // A successor may have ended it already: what it has recorded holds.
      if (job.signal.aborted || !held.isHeld()) throw cause;
      const error = toAppError(cause);
      const last = job.attempt >= job.maxAttempts;
      const waitMs = contracts.upload.backoffMs * 2 ** (job.attempt - 1);
      await this.#record(id, storageName, {
        status: last ? "missing" : "retrying",
        error: runError(error, `copy to ${storageName}`),
        tries: job.attempt,
        ...(last ? {} : { retryAt: new Date(clock.now().getTime() + waitMs).toISOString() }),
      });
      throw error;
    }
  }

  async #record(
    id: string,
    storage: string,
    outcome: Pick<RunCopy, "status" | "error" | "tries" | "retryAt">,
  ): Promise<void> {
    await this.#deps.runs.record(id, "normal", this.#deps.clock.now(), (run) => {
      if (!run.copies.some((copy) => copy.storage === storage && copy.status === "retrying")) return run;
      const copies = run.copies.map((copy): RunCopy => {
        if (copy.storage !== storage) return copy;
        const { error: _, retryAt: __, tries: ___, ...rest } = copy;
        return { ...rest, ...outcome };
      });
      const open = outcome.status === "stored" ? run.open.filter((object) => object.storage !== storage) : run.open;
      // Given up: what earlier attempts have stored of it is no copy and is removed.
      const given = outcome.status === "missing" && run.folder !== undefined ? [{ storage, folder: run.folder }] : [];
      return {
        ...run,
        open,
        leftIn: [...(run.leftIn ?? []), ...given],
        copies,
        status: copies.every(({ status }) => status === "stored" || status === "gone") ? "succeeded" : "degraded",
      };
    });
  }
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
