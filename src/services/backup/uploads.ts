import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import type { Config } from "../../app/config.ts";
import { AppError, toAppError } from "../../core/errors.ts";
import { type Manifest, manifestFile } from "../../core/manifest.ts";
import type { Lease } from "../../core/ports.ts";
import type { BackupRun, RunCopy } from "../../core/run.ts";
import type { JobContext, JobOutcome } from "../../queue/contracts.ts";
import type { Producer } from "../../queue/producer.ts";
import type { Storage } from "../../storages/types.ts";
import type { CachedCatalogue } from "../cached-catalogue.ts";
import { hostOfCopies } from "../places.ts";
import { copyBackup, ofSource } from "./copy.ts";
import { keptIfWhole } from "./missing-copies.ts";
import { damaged } from "./reader.ts";
import { runError } from "./run-error.ts";
import type { BackupRunnerDeps } from "./runner.ts";
import { tellStored } from "./stored.ts";
import type { VerificationOrders } from "./verifications.ts";

export interface BackupUploadsDeps extends BackupRunnerDeps {
  readonly catalogue: Pick<CachedCatalogue, "copies">;
  readonly verificationOrders: Pick<VerificationOrders, "request">;
}

/** Between the first two attempts, doubled each time; and the longest. Milliseconds. */
const firstWaitMs = 15_000;
const longestWaitMs = 3_600_000;

/** Enqueues the job that makes up a copy, unless it is known already. `host`: as `uploadHost` gives it. */
export async function enqueueUpload(
  producer: Producer,
  run: BackupRun,
  storage: string,
  options: { readonly host: string | undefined; readonly delayMs?: number },
): Promise<void> {
  await producer.enqueue("upload", { runId: run.id, storage }, { id: uploadJobId(run, storage), ...options });
}

export function uploadJobId(run: BackupRun, storage: string): string {
  return `upload-${run.id}-${storage}`;
}

/**
 * The host whose worker makes a copy up: that of the disk which it is read from or written to; undefined: any worker. A
 * disk that the configuration binds to no host is where the run was made, as long as a worker is `alive` there: its host
 * may have another name by now.
 */
export function uploadHost(
  config: Pick<Config, "backups" | "storages">,
  run: BackupRun,
  storage: string,
  alive: ReadonlySet<string>,
): string | undefined {
  const bound = (name: string): string | undefined => hostOfCopies(config, name, run.name);
  const own = bound(storage);
  if (own !== undefined) return own;
  const sources = sourcesOf(run).map((copy) => copy.storage);
  const disks = [storage, ...sources].filter((name) => config.storages[name]?.kind === "local");
  const near = disks.map((name) => bound(name) ?? run.host).filter((host) => host !== undefined);
  const there = near.find((host) => alive.has(host));
  if (there !== undefined) return there;
  return sources.some((name) => bound(name) === undefined) ? undefined : near[0];
}

/** The copies that another one can be made from, those on a worker's own disk first. */
function sourcesOf({ copies }: BackupRun): RunCopy[] {
  return copies.filter(({ status }) => status === "stored").toSorted((a, b) => Number(b.local) - Number(a.local));
}

/**
 * Makes up the copies that failed while the dump was fine: from an existing copy, never by dumping again, for as long as
 * there is one and the retention would keep the new one.
 */
export class BackupUploads {
  readonly #deps: BackupUploadsDeps;

  constructor(deps: BackupUploadsDeps) {
    this.#deps = deps;
  }

  /** One attempt. One that fails is recorded, and comes again later. */
  async execute(id: string, storageName: string, job: JobContext): Promise<JobOutcome> {
    const { runs, leases } = this.#deps;
    const run = await runs.read(id);
    const copy = run?.copies.find((candidate) => candidate.storage === storageName);
    if (!run?.manifest || run.folder === undefined || copy?.status !== "retrying")
      return { done: { run: id, storage: storageName, status: copy?.status ?? "unknown" } };
    const lease = await leases.tryAcquire(`upload:${id}:${storageName}`, {
      ttlMs: this.#deps.config.worker.lease,
      lostAfterMs: 2 * this.#deps.config.worker.lease,
      holder: id,
    });
    if (!lease) return { later: 3000 };
    await using held = lease;
    const backup = { run, folder: run.folder, manifest: run.manifest };
    const end = await this.#reasonToEnd(backup, storageName);
    if (end) {
      const error = copy.error ?? runError(end, `copy to ${storageName}`);
      this.#deps.logger.warn({ run: id, storage: storageName, error: end.message }, "a missing copy is given up");
      await this.#record(id, storageName, { status: "missing", error, tries: copy.tries ?? 0 });
      return { done: { run: id, storage: storageName, status: "missing" } };
    }
    try {
      await this.#copy(backup, storageName, held, AbortSignal.any([job.signal, held.signal]));
    } catch (cause) {
      // A successor may have ended it already: what it has recorded holds.
      if (job.signal.aborted || !held.isHeld()) throw cause;
      return { later: await this.#failed(run, copy, toAppError(cause)) };
    }
    await this.#record(id, storageName, { status: "stored" });
    await tellStored(this.#deps, run, storageName);
    return { done: { run: id, storage: storageName, status: "stored" } };
  }

  /** Why no further attempt makes sense. */
  async #reasonToEnd({ run, folder, manifest }: Made, storage: string): Promise<AppError | undefined> {
    const { config, catalogue, clock } = this.#deps;
    if (sourcesOf(run).length === 0) {
      const text = { key: "error-no-copy", args: { run: run.id } };
      return new AppError("no-copy", `no sound copy of run ${run.id} is left to copy from`, { text });
    }
    const backup = config.backups.find(({ name }) => name === run.name);
    const isWanted = backup?.storages.includes(storage) === true && config.storages[storage] !== undefined;
    if (isWanted) {
      const place = { backup, storage, timezone: config.timezone, now: clock.now() };
      if (keptIfWhole(await catalogue.copies(run.name), place, { folder, manifest }).has(folder)) return undefined;
    }
    const text = { key: "error-copy-unwanted", args: { storage } };
    return new AppError("no-copy", `${storage} would not keep this backup any more`, { text });
  }

  /** From one copy after the other, until one serves. */
  async #copy(made: Made, storageName: string, lease: Lease, signal: AbortSignal): Promise<void> {
    const { run, folder, manifest } = made;
    const { runs, clock } = this.#deps;
    const to = await this.#deps.storage(storageName);
    const own = run.open.filter((open) => open.storage === storageName);
    await to.cleanUp(folder, own, signal);
    let failure: AppError | undefined;
    for (const { storage } of sourcesOf(run)) {
      try {
        const from = await this.#open(storage);
        await copyBackup({
          from,
          to,
          folder,
          manifest,
          manifestBytes: await readManifest(from, made, signal),
          signal,
          opened: async (object) => {
            await runs.record(run.id, "progress", clock.now(), (current) => ({
              ...current,
              open: [...current.open, object],
            }));
          },
        });
        if (!lease.isHeld())
          throw new AppError("lease-lost", "another worker makes this copy up", { permanent: false });
        return;
      } catch (error) {
        signal.throwIfAborted();
        const reason = toAppError(error);
        if (reason.context.source !== storage || !lease.isHeld()) throw reason;
        failure ??= reason;
        await this.#doubt(made, storage, reason);
      }
    }
    throw failure ?? new AppError("no-copy", `no sound copy of run ${run.id} is left to copy from`);
  }

  async #open(name: string): Promise<Storage> {
    try {
      return await this.#deps.storage(name);
    } catch (error) {
      throw ofSource(error, name);
    }
  }

  /** What was damaged or not there is looked at, so that everybody is told; a storage out of reach says nothing. */
  async #doubt({ run, folder, manifest }: Made, storage: string, { code, message }: AppError): Promise<void> {
    const facts = { run: run.id, storage, code, error: message };
    this.#deps.logger.warn(facts, "a copy could not be made from this storage; trying the next one");
    if (code !== "storage-mismatch" && code !== "not-found") return;
    const sha = run.manifestSha256 === undefined ? {} : { manifestSha256: run.manifestSha256 };
    const backup = { name: run.name, id: run.id, folder, manifest, ...sha, copies: [storage], proofs: [] };
    const source = `verify-source:${run.id}:${storage}`;
    await this.#deps.verificationOrders
      .request({ backup, storage, depth: "stored", trigger: "copy", source })
      .catch((error: unknown) => {
        this.#deps.logger.warn({ ...facts, error: String(error) }, "the copy could not be given to a verification");
      });
  }

  /** Gives after how many milliseconds it is tried again. */
  async #failed(run: BackupRun, { storage, tries: before = 0 }: RunCopy, error: AppError): Promise<number> {
    const { logger, clock } = this.#deps;
    const tries = before + 1;
    const waitMs = Math.min(firstWaitMs * 2 ** (tries - 1), longestWaitMs);
    const { code, message, context } = error;
    logger.warn({ run: run.id, storage, tries, code, error: message, context }, "a missing copy could not be made");
    await this.#record(run.id, storage, {
      status: "retrying",
      error: runError(error, `copy to ${storage}`),
      tries,
      retryAt: new Date(clock.now().getTime() + waitMs).toISOString(),
    });
    return waitMs;
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

/** A finished backup. */
interface Made {
  readonly run: BackupRun;
  readonly folder: string;
  readonly manifest: Manifest;
}

/** The manifest's own bytes, as they were written. */
async function readManifest(from: Storage, { run, folder }: Made, signal: AbortSignal): Promise<Uint8Array> {
  const key = `${folder}${manifestFile}`;
  try {
    const bytes = await buffer(await from.read(key, signal));
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    if (run.manifestSha256 !== undefined && sha256 !== run.manifestSha256) throw damaged(from, key);
    return bytes;
  } catch (error) {
    throw ofSource(error, from.name);
  }
}
