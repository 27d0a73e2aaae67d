import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../../app/config.ts";
import { AppError, lostLease, toAppError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import { isAsDeep, type Proof } from "../../core/proof.ts";
import { isOver, needsVerifier, reasonOf, type Verification } from "../../core/verification.ts";
import type { Logger } from "../../lib/logger.ts";
import type { JobContext, JobOutcome } from "../../queue/contracts.ts";
import { findKind } from "../../sources/index.ts";
import type { Leases } from "../../state/leases.ts";
import type { Runs } from "../../state/runs.ts";
import type { Verifications } from "../../state/verifications.ts";
import type { Storage } from "../../storages/types.ts";
import type { CatalogueKeeper } from "../catalogue-keeper.ts";
import { restoreTime } from "../restore/estimate.ts";
import { type CopyManifest, readCopyManifest, recordProof } from "./proofs.ts";
import { isVerdict, prove, reachOf } from "./prove.ts";
import { runError } from "./run-error.ts";
import { serverName } from "./scratch.ts";
import { VerifyWatch } from "./verify-watch.ts";

export interface VerifierDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly host: string;
  readonly runs: Runs;
  readonly leases: Leases;
  readonly verifications: Verifications;
  readonly catalogueKeeper: Pick<CatalogueKeeper, "noteSoon">;
  storage(name: string): Promise<Storage>;
  /** Folder for scratch folders. Default: the system's temporary one. */
  readonly scratchRoot?: string;
}

/** A look outlives an outage of Redis of this length; its writes are fenced all the same. */
const leaseLostAfterMs = 15 * 60_000;
const waitForOtherMs = 3000;
/** One that has ended so many workers is not tried again. */
const mostAttempts = 5;
/** Milliseconds for writing the proof, and for removing leftovers from a scratch server. */
const recordMs = 60_000;
const cleanUpMs = 120_000;
const recordTries = 3;
/** For a name that is no longer configured. */
const defaultTimeoutMs = 12 * 3_600_000;

/**
 * Carries out verifications, from wherever an earlier attempt has left them: what that left on a scratch server is
 * removed, and the look begins afresh. It changes nothing but its scratch place and the proof beside the manifest.
 */
export class Verifier {
  readonly #deps: VerifierDeps;

  constructor(deps: VerifierDeps) {
    this.#deps = deps;
  }

  async execute(id: string, job: JobContext): Promise<JobOutcome> {
    const { verifications, leases, config } = this.#deps;
    const verification = await verifications.read(id);
    if (!verification) return { done: { verification: id, status: "unknown" } };
    if (!needsVerifier(verification)) return { done: { verification: id, status: verification.status } };
    const name = `verify:${verification.storage}:${verification.folder}`;
    const options = { ttlMs: config.worker.lease, lostAfterMs: leaseLostAfterMs, holder: id };
    const lease = await leases.tryAcquire(name, options);
    if (!lease) {
      const other = await leases.holder(name);
      if (other !== undefined && other !== id && other !== verification.waitsFor)
        await verifications.update(id, "normal", this.#now(), (current) => ({ ...current, waitsFor: other }));
      return { later: waitForOtherMs };
    }
    await using held = lease;
    if (isOver(verification)) {
      await this.#cleanUp(verification);
      return { done: { verification: id, status: verification.status } };
    }
    const signal = AbortSignal.any([job.signal, held.signal]);
    return { done: { verification: id, status: await this.#attempt(id, held.token, signal, job.signal) } };
  }

  #now(): Date {
    return this.#deps.clock.now();
  }

  async #attempt(id: string, fence: number, signal: AbortSignal, shutdown: AbortSignal): Promise<string> {
    const began = performance.now();
    const verification = await this.#begin(id, fence);
    if (isOver(verification)) return verification.status;
    const settings = this.#deps.config.backups.find(({ name }) => name === verification.name);
    const watch = new VerifyWatch(this.#deps, verification, settings?.verify.timeout ?? defaultTimeoutMs);
    let copy: CopyManifest | undefined;
    let storage: Storage | undefined;
    try {
      if (verification.scratch) await this.#cleanUp(verification);
      if (verification.attempt > mostAttempts) throw givenUp(mostAttempts);
      const all = AbortSignal.any([signal, watch.signal]);
      storage = await this.#deps.storage(verification.storage);
      let proof: Proof;
      try {
        copy = await readCopyManifest(storage, verification.folder, verification.manifestSha256, all);
        proof = await this.#prove(verification, storage, copy, watch, all);
      } catch (error) {
        all.throwIfAborted();
        const reason = toAppError(error);
        if (copy || !isVerdict(reason)) throw error;
        // The manifest itself is what does not hold.
        proof = this.#badManifest(verification, reason);
      }
      const tookMs = Math.round(performance.now() - began);
      await watch.stop();
      all.throwIfAborted();
      return await this.#succeed({ ...verification, tookMs }, storage, copy, proof, fence);
    } catch (error) {
      await watch.stop();
      if (lostLease(signal) || toAppError(error).code === "lease-lost") throw toAppError(error);
      return await this.#fail(verification, error, fence, shutdown);
    } finally {
      await watch.stop();
    }
  }

  /** Takes it: the intent is on record before anything is touched. */
  async #begin(id: string, fence: number): Promise<Verification> {
    const now = this.#now();
    const change = (current: Verification): Verification => {
      if (isOver(current)) return current;
      if (current.cancelRequestedBy && !current.scratch)
        return { ...current, status: "cancelled", finishedAt: now.toISOString() };
      const { waitsFor: _, progress: __, interruptedIn: ___, ...rest } = current;
      const interruptedIn = current.status === "running" ? current.phase : current.interruptedIn;
      return {
        ...rest,
        status: "running",
        phase: "preflight",
        attempt: current.attempt + 1,
        ...(interruptedIn === undefined ? {} : { interruptedIn }),
        startedAt: now.toISOString(),
        fence,
        host: this.#deps.host,
      };
    };
    return await this.#deps.verifications.record(id, "normal", now, change, fence);
  }

  async #prove(
    { id, name, depth, fence }: Verification,
    storage: Storage,
    { manifest }: CopyManifest,
    watch: VerifyWatch,
    signal: AbortSignal,
  ): Promise<Proof> {
    const { config, host, clock, logger, scratchRoot } = this.#deps;
    const settings = config.backups.find((backup) => backup.name === name);
    const identities = config.encryption?.identity;
    const server = settings?.verify.scratch;
    const reach = reachOf(manifest, depth, { identities, config: settings?.source });
    // On record before the first database is made.
    const place = reach.depth === "restored" ? server : undefined;
    const scratch = place === undefined ? undefined : { server: serverName(place), kind: manifest.kind };
    if (scratch) await watch.phase("preflight", { scratch });
    try {
      return await prove({
        storage,
        manifest,
        depth,
        config: settings?.source,
        identities,
        scratch: { id, server, root: scratchRoot },
        host,
        clock,
        logger: logger.child({ verification: id }),
        signal,
        observer: watch,
      });
    } finally {
      if (scratch && !lostLease(signal)) await this.#cleanUp({ id, fence, scratch });
    }
  }

  #badManifest({ depth }: Verification, { code, message, text }: AppError): Proof {
    const error = { code, message, ...(text ? { text } : {}) };
    return { depth, ok: false, at: this.#now().toISOString(), host: this.#deps.host, elapsedMs: 0, error };
  }

  /**
   * Removes from the scratch server what this verification has left there. What can not be removed now stays on record,
   * and the clock's job has it tried again.
   */
  async #cleanUp({ id, fence, scratch }: Pick<Verification, "id" | "fence" | "scratch">): Promise<void> {
    const { config, verifications, logger } = this.#deps;
    if (!scratch) return;
    const url = config.backups
      .map(({ verify }) => verify.scratch)
      .find((one) => one && serverName(one) === scratch.server);
    try {
      if (url === undefined)
        logger.error(
          { verification: id, server: scratch.server },
          "what a test-restore has left on this server is not removed: it is not configured any more",
        );
      else await findKind(scratch.kind)?.cleanUpScratch?.(url, [id], AbortSignal.timeout(cleanUpMs));
      const change = (current: Verification): Verification => {
        const { scratch: _, ...rest } = current;
        return rest;
      };
      await verifications.update(id, "progress", this.#now(), change, fence);
    } catch (error) {
      const { code, message } = toAppError(error);
      if (code === "lease-lost") throw error;
      logger.warn(
        { verification: id, code, error: message },
        "the scratch server could not be cleaned up; trying again later",
      );
    }
  }

  async #succeed(
    verification: Verification,
    storage: Storage,
    copy: CopyManifest | undefined,
    proof: Proof,
    fence: number,
  ): Promise<string> {
    const { verifications, logger } = this.#deps;
    const { id } = verification;
    const unrecorded = copy ? await this.#write(verification, storage, copy, proof) : undefined;
    if (unrecorded?.code === "no-copy") throw unrecorded;
    // Beside a manifest that makes no sense nothing is written: that it is there no more is what is known of it.
    if (!copy) await this.#deps.catalogueKeeper.noteSoon(storage.name, verification.folder);
    await this.#note(verification, copy, proof);
    const now = this.#now();
    const change = (current: Verification): Verification => {
      const { progress: _, cancelRequestedBy: __, ...rest } = current;
      return {
        ...rest,
        status: proof.ok ? "passed" : "failed",
        phase: "record",
        finishedAt: now.toISOString(),
        proof,
        ...(verification.tookMs === undefined ? {} : { tookMs: verification.tookMs }),
        ...(unrecorded ? { unrecorded: runError(unrecorded, "record") } : {}),
      };
    };
    const done = await verifications.record(id, "reply", now, change, fence);
    const facts = { verification: id, backup: verification.name, run: verification.backup, storage: storage.name };
    const result = { depth: proof.depth, ok: proof.ok, elapsedMs: proof.elapsedMs, restoreMs: proof.restoreMs };
    if (proof.ok) logger.info({ ...facts, ...result }, "backup verified");
    else
      logger.error(
        { ...facts, ...result, error: proof.error, differences: proof.differencesTotal },
        "backup does not hold",
      );
    return done.status;
  }

  /** Beside the manifest, where it outlives everything else. Gives why that did not work. */
  async #write(
    { folder, id }: Verification,
    storage: Storage,
    { sha256 }: CopyManifest,
    proof: Proof,
  ): Promise<AppError | undefined> {
    for (let tries = 1; ; tries++) {
      try {
        const changed = await recordProof(storage, folder, sha256, proof, AbortSignal.timeout(recordMs));
        for (const each of changed) await this.#deps.catalogueKeeper.noteSoon(storage.name, each);
        return undefined;
      } catch (error) {
        const reason = toAppError(error);
        this.#deps.logger.warn({ verification: id, tries, error: reason.message }, "the proof could not be written");
        if (reason.permanent || tries === recordTries) return reason;
        await sleep(1000 * tries);
      }
    }
  }

  /** Everybody who is told of it: the watch, the run's card, the metrics, the estimates. */
  async #note(verification: Verification, copy: CopyManifest | undefined, proof: Proof): Promise<void> {
    const { verifications, runs } = this.#deps;
    const { name, storage, folder, backup, backupAt, location } = verification;
    const { depth, ok, at, elapsedMs, restoreMs } = proof;
    if (ok) await this.#trust(verification, proof);
    else
      await verifications.suspect({
        name,
        backup,
        folder,
        backupAt,
        storage,
        location,
        depth,
        at,
        verification: verification.id,
        proven: true,
        error: reasonOf(proof),
      });
    await verifications.noteLook({ name, storage, depth, ok, at, elapsedMs });
    if (restoreMs !== undefined && copy && ok) {
      const time = { at, restoreMs, totalMs: elapsedMs, storage, host: proof.host };
      await verifications.addRestore(name, restoreTime(copy.manifest, time));
    }
    const run = await runs.read(backup);
    if (run?.folder !== folder) return;
    const shown = { ...proof, storage };
    await runs.update(backup, "normal", this.#now(), (current) => ({
      ...current,
      proofs: [...(current.proofs ?? []).filter((other) => other.storage !== storage || other.depth !== depth), shown],
    }));
  }

  /** What an earlier look has said against this copy, or that nobody could look, is made good. */
  async #trust({ name, storage, folder }: Verification, { depth, wanted = depth }: Proof): Promise<void> {
    const { verifications } = this.#deps;
    for (const suspicion of await verifications.suspicions()) {
      if (suspicion.storage !== storage) continue;
      const isGood = suspicion.proven
        ? suspicion.folder === folder && isAsDeep(depth, suspicion.depth)
        : suspicion.name === name && isAsDeep(wanted, suspicion.depth);
      if (isGood) await verifications.clear(suspicion);
    }
  }

  async #fail(verification: Verification, cause: unknown, fence: number, shutdown: AbortSignal): Promise<string> {
    const { verifications, logger } = this.#deps;
    const { id, name, backup, folder, backupAt, storage, location, depth } = verification;
    const copy = { name, backup, folder, backupAt, storage, location, depth };
    const now = this.#now();
    if (shutdown.aborted) {
      const back = (current: Verification): Verification =>
        isOver(current) ? current : { ...current, status: "queued", interruptedIn: current.phase, phase: "waiting" };
      await verifications.update(id, "normal", now, back, fence);
      throw toAppError(cause, "interrupted");
    }
    const error = toAppError(cause);
    if (error.code === "redis") throw error;
    const { code, message, context } = error;
    const err = code === "internal" ? cause : undefined;
    logger.warn({ verification: id, code, error: message, context, err }, "a backup could not be verified");
    const cancelled = code === "cancelled";
    const told = runError(error, "verify");
    // A copy that is gone needs no looking after; what nobody could look at does.
    if (!cancelled && code !== "no-copy")
      await verifications.suspect({ ...copy, at: now.toISOString(), verification: id, proven: false, error: told });
    const change = (current: Verification): Verification =>
      isOver(current)
        ? current
        : {
            ...current,
            status: cancelled ? "cancelled" : "failed",
            finishedAt: now.toISOString(),
            ...(cancelled ? {} : { error: told }),
          };
    return (await verifications.record(id, "reply", now, change, fence)).status;
  }
}

function givenUp(attempts: number): AppError {
  const text = { key: "error-verify-given-up", args: { attempts } };
  return new AppError("interrupted", `the worker has ended ${attempts} times in the middle of it`, { text });
}
