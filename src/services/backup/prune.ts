import type { Config } from "../../app/config.ts";
import { AppError, toAppError } from "../../core/errors.ts";
import type { Clock, Lease } from "../../core/ports.ts";
import { stillHolds } from "../../core/prune.ts";
import { isFinal } from "../../core/run.ts";
import type { Logger } from "../../lib/logger.ts";
import type { JobContext, JobOutcome, JobPayload } from "../../queue/contracts.ts";
import type { CatalogueCache } from "../../state/catalogue.ts";
import type { Leases } from "../../state/leases.ts";
import type { Pins } from "../../state/pins.ts";
import type { RestorationStates } from "../../state/restorations.ts";
import type { Verifications } from "../../state/verifications.ts";
import type { Storage } from "../../storages/types.ts";
import type { StorageCopies } from "../cached-catalogue.ts";
import type { CatalogueKeeper } from "../catalogue-keeper.ts";
import { isOurs } from "../catalogue-keeper.ts";
import { heldForRestores } from "../restorations/held.ts";
import { moveClasses } from "./classes.ts";
import { retentionHolder } from "./holders.ts";
import { isLeasedByFile } from "./lease-file.ts";
import { removeOrphans } from "./orphans.ts";
import type { PruneQuestions } from "./prune-questions.ts";
import { finishMarked, finishRemovals, type Removal, removeBackup, removeBackups } from "./removal.ts";
import { explainPrune, policyFor, type RetentionLook, sizesOf } from "./retention.ts";
import { runError } from "./run-error.ts";
import { findAnomaly, type SizesDeps } from "./sizes.ts";

export interface PrunerDeps extends SizesDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly leases: Leases;
  readonly catalogueCache: CatalogueCache;
  readonly catalogueKeeper: CatalogueKeeper;
  readonly pruneQuestions: PruneQuestions;
  readonly pins: Pick<Pins, "all" | "read">;
  readonly verifications: Pick<Verifications, "suspicions">;
  readonly restorationStates: Pick<RestorationStates, "unsettled">;
  storage(name: string): Promise<Storage>;
}

/** A run of the same name is waited for so long before the next look; milliseconds. */
const waitForRunMs = 15_000;
/** A copy that is being proven is waited for so long before the next look; milliseconds. */
const waitForUseMs = 5 * 60_000;
/** Uploads and temporary files of nobody that are older than this are removed; milliseconds. */
const staleAfterMs = 24 * 3_600_000;
/** A look that fails is told from this attempt on: the storage may be back in a minute. */
const tellFromAttempt = 3;

type BackupConfig = Config["backups"][number];

/**
 * Removes what the retention no longer keeps: of one name in one storage, never beside a run of that name, by a look
 * into the storage itself. Whatever is interrupted is finished the next time.
 */
export class Pruner {
  readonly #deps: PrunerDeps;

  constructor(deps: PrunerDeps) {
    this.#deps = deps;
  }

  /** One attempt. Throws after recording the failure, so that the queue tries again later. */
  async execute({ storage, name, question }: JobPayload<"prune">, job: JobContext): Promise<JobOutcome> {
    if (name === undefined) return { done: await this.#removeStale(storage, job.signal) };
    const backup = this.#deps.config.backups.find((candidate) => candidate.name === name);
    if (!backup) {
      if (question !== undefined) await this.#deps.pruneQuestions.avoid(question);
      return { done: { backup: name, status: "unknown" } };
    }
    const lease = await this.#deps.leases.tryAcquire(`backup:${name}`, {
      ttlMs: this.#deps.config.worker.lease,
      holder: `${retentionHolder} ${storage}`,
    });
    if (!lease) return { later: waitForRunMs };
    await using held = lease;
    try {
      return await this.#prune(backup, storage, question, held, AbortSignal.any([job.signal, held.signal]));
    } catch (cause) {
      if (job.signal.aborted || !held.isHeld()) throw cause;
      const error = toAppError(cause);
      const isDeletion = error.context.step === removalStep;
      if (isDeletion || job.attempt >= tellFromAttempt || job.attempt >= job.maxAttempts)
        await this.#record(storage, name, { error: runError(error, removalStep) });
      throw error;
    }
  }

  async #prune(
    backup: BackupConfig,
    storageName: string,
    questionId: string | undefined,
    lease: Lease,
    signal: AbortSignal,
  ): Promise<JobOutcome> {
    const { name } = backup;
    const { config, clock, prunes, catalogueCache, pruneQuestions } = this.#deps;
    const storage = await this.#deps.storage(storageName);
    const removal = { ...this.#deps, storage, name, lease, signal };
    await finishRemovals(removal);
    const seen = await this.#deps.catalogue.copies(name);
    const copying = await this.#copying(name, storageName);
    const look = await explainPrune(storage, name, {
      policy: policyFor(backup, storageName),
      timezone: config.timezone,
      now: clock.now(),
      copying,
      pinned: await this.#pinned(name, seen),
      others: seen,
      suspicions: await this.#deps.verifications.suspicions(),
      known: await catalogueCache.read(storageName, name),
      signal,
    });
    await finishMarked(removal, look);
    const told = { backup: name, storage: storageName };
    // What was agreed to waits until it can be done; all else comes again by itself.
    const wait = (why: object): JobOutcome =>
      questionId === undefined ? { done: { ...told, status: "held", ...why } } : { later: waitForUseMs };
    if (look.unreadable.length > 0) {
      await this.#record(storageName, name, { unreadable: look.unreadable.length });
      return wait({ unreadable: look.unreadable.length });
    }
    const anomaly = await findAnomaly(this.#deps, backup, sizesOf(look.copies));
    if (anomaly) {
      await this.#record(storageName, name, {});
      return wait({ anomaly: anomaly.id });
    }
    if (questionId !== undefined && (await this.#isCopying(questionId, copying)))
      return wait({ copying: copying.size });
    const answer = questionId === undefined ? undefined : await this.#confirmed(questionId, look);
    if (answer === undefined && look.plan.needsConsent) {
      const asked = await pruneQuestions.ask(backup, storage, look);
      await this.#record(storageName, name, {});
      return { done: { ...told, status: "asks", question: asked?.id } };
    }
    const folders = answer?.folders ?? look.plan.remove;
    if (answer === undefined) await pruneQuestions.withdraw(storageName, name);
    const { removed, inUse } = await this.#remove(removal, folders, look);
    if (inUse > 0) return { later: waitForUseMs };
    if (answer) await pruneQuestions.done(answer.id, folders.length - removed);
    if (storage.classFor && storage.setClass) await moveClasses(this.#deps, storage, look, signal);
    await removeOrphans(removal, look, copying).catch((error: unknown) => {
      signal.throwIfAborted();
      throw withRemovalStep(error);
    });
    await this.#record(storageName, name, {});
    const unfinished = (await prunes.removing(storageName, name)).size;
    return { done: { ...told, status: "done", removed, stayed: look.backups.length - removed, unfinished } };
  }

  /** What was agreed to, as far as it is there; undefined when there is no such answer, or it no longer counts. */
  async #confirmed(id: string, look: RetentionLook): Promise<{ id: string; folders: readonly string[] } | undefined> {
    const { prunes, pruneQuestions } = this.#deps;
    const question = await prunes.read(id);
    if (question?.status !== "confirmed") return undefined;
    // A worker that was killed may have removed some of it.
    const folders = question.folders.filter((folder) => look.copies.has(folder));
    if (stillHolds({ folders }, look.plan.remove)) return { id, folders };
    await pruneQuestions.avoid(id);
    return undefined;
  }

  /** Whether a copy is being made of what is to be removed: that is over soon, and changes nothing of what was agreed to. */
  async #isCopying(id: string, copying: ReadonlySet<string>): Promise<boolean> {
    const question = await this.#deps.prunes.read(id);
    return question?.status === "confirmed" && question.folders.some((folder) => copying.has(folder));
  }

  /** What cannot be removed does not keep the others, and is an error at the end. */
  async #remove(
    removal: Removal,
    folders: readonly string[],
    look: RetentionLook,
  ): Promise<{ readonly removed: number; readonly inUse: number }> {
    let inUse = 0;
    let refused: AppError | undefined;
    const removed = await removeBackups(look.copies, folders, async (folder, copy) => {
      const { storage, name, signal } = removal;
      const isProven = (await this.#deps.leases.holder(`verify:${storage.name}:${folder}`)) !== undefined;
      // A command line that knows no Redis may be building upon it.
      if (isProven || (await isLeasedByFile(storage, name, signal))) {
        inUse += 1;
        return false;
      }
      // Asked for since the decision, and not written yet.
      if ((await this.#deps.pins.read(folder))?.order.pinned) return false;
      if ((await heldForRestores(this.#deps, name)).has(folder)) return false;
      try {
        return await removeBackup(removal, folder, copy);
      } catch (error) {
        removal.signal.throwIfAborted();
        refused ??= withRemovalStep(error);
        // Another answer than "not this one" is the same for all of them.
        if (refused.code !== "storage-refused") throw refused;
        return false;
      }
    });
    if (refused) throw refused;
    return { removed, inUse };
  }

  /** Folders that copies for other storages are made from, or are about to be, and those that a copy in this one will need. */
  async #copying(name: string, storage: string): Promise<ReadonlySet<string>> {
    const folders = (await this.#deps.runs.unsettled()).flatMap((run) => {
      const awaited = run.copies.filter(({ status }) => status === "retrying");
      if (run.name !== name || run.folder === undefined || (isFinal(run.status) && awaited.length === 0)) return [];
      const needed = awaited.some((copy) => copy.storage === storage) ? (run.manifest?.references ?? []) : [];
      return [run.folder, ...needed.map(({ folder }) => folder)];
    });
    return new Set(folders);
  }

  /** Folders that restores need, that somebody has asked to pin, or that are pinned wherever they are: a copy made up later has no pin of its own. */
  async #pinned(name: string, seen: readonly StorageCopies[]): Promise<ReadonlySet<string>> {
    const asked = (await this.#deps.pins.all()).filter(({ order }) => order.pinned && order.name === name);
    const folders = new Set([...asked.map(({ order }) => order.folder), ...(await heldForRestores(this.#deps, name))]);
    for (const { copies } of seen) for (const [folder, { pin }] of copies) if (pin) folders.add(folder);
    return folders;
  }

  async #removeStale(storageName: string, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
    const storage = await this.#deps.storage(storageName);
    const before = new Date(this.#deps.clock.now().getTime() - staleAfterMs);
    // Of runs that somebody still works on or cleans up after, what they have on record is theirs.
    const active = new Set(
      (await this.#deps.runs.unsettled()).flatMap(({ folder, leftIn = [] }) => [
        ...(folder === undefined ? [] : [folder]),
        ...leftIn.map((place) => place.folder),
      ]),
    );
    const isStale = (key: string): boolean => isOurs(key) && !active.has(key.slice(0, key.lastIndexOf("/") + 1));
    const removed = await storage.removeStale("", before, isStale, signal);
    if (removed > 0) this.#deps.logger.info({ storage: storageName, removed }, "unfinished pieces of nobody removed");
    return { storage: storageName, removed };
  }

  async #record(
    storage: string,
    name: string,
    state: { readonly error?: ReturnType<typeof runError>; readonly unreadable?: number },
  ): Promise<void> {
    const { error, unreadable } = state;
    await this.#deps.prunes.writeState(storage, name, {
      at: this.#deps.clock.now().toISOString(),
      ...(unreadable === undefined ? {} : { unreadable }),
      ...(error
        ? { error: { code: error.code, message: error.message, ...(error.text ? { text: error.text } : {}) } }
        : {}),
    });
  }
}

const removalStep = "remove";

function withRemovalStep(error: unknown): AppError {
  const cause = toAppError(error);
  return new AppError(cause.code, cause.message, {
    permanent: false,
    context: { ...cause.context, step: removalStep },
    ...(cause.text ? { text: cause.text } : {}),
    cause: cause.cause ?? cause,
  });
}
