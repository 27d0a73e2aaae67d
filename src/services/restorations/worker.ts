import { toAppError } from "../../core/errors.ts";
import { applicableRoles } from "../../core/globals.ts";
import type { Restoration } from "../../core/restoration.ts";
import { isDropDue, keepsAside, needsWorker, owesPrograms } from "../../core/restoration-life.ts";
import type { JobContext, JobOutcome } from "../../queue/contracts.ts";
import { runError } from "../backup/run-error.ts";
import { WorkWatch } from "../work-watch.ts";
import { cleanUp, dropAside, endLostUndo } from "./aside.ts";
import { ClockTrust } from "./clock-trust.ts";
import { manifestOf } from "./copies.ts";
import type { RestoreDeps } from "./deps.ts";
import { engineOf, lookWith, replacerOf } from "./engine.ts";
import { restoreEntry } from "./entries.ts";
import { lookAtRoles } from "./globals.ts";
import { type Found, lookAtRestore, lookGivenUp } from "./look.ts";
import { requireSameTarget } from "./same-target.ts";
import { type RestoreSession, takeTarget, tryWork } from "./session.ts";
import { requireNewest } from "./successor.ts";
import { titleOf, typedName, undoDetails } from "./texts.ts";

const waitForOtherMs = 1000;
/** One that has ended so many workers is not looked at again. */
const mostAttempts = 5;

/** What a worker does for restores beside carrying out what was approved: it looks, and it removes what was left. */
export class RestoreWorker {
  readonly #deps: RestoreDeps;
  readonly #trust: ClockTrust;

  constructor(deps: RestoreDeps, trust = new ClockTrust(deps.redis)) {
    this.#deps = deps;
    this.#trust = trust;
  }

  async execute(id: string, job: JobContext): Promise<JobOutcome> {
    const { restorationStates, clock } = this.#deps;
    const seen = await restorationStates.read(id);
    if (!seen || !needsWorker(seen, clock.now())) return outcome(id, seen?.status ?? "unknown");
    const session = await tryWork(this.#deps, id, job.signal);
    if (!session) return { later: waitForOtherMs };
    await using held = session;
    const restoration = await this.#begin(id, held);
    if (restoration.status === "looking") return outcome(id, await this.#look(restoration, held));
    if (keepsAside(restoration) && restoration.undo?.status === "looking")
      return outcome(id, await this.#lookAtUndo(restoration, held));
    const isLost = restoration.undo?.lost !== undefined;
    const isLeft = isLost || restoration.cleanUp === true || owesPrograms(restoration);
    if (!isLeft && !isDropDue(restoration, clock.now())) return outcome(id, restoration.status);
    await using target = await takeTarget(this.#deps, restoration, held.signal);
    const both = { fence: held.fence, signal: AbortSignal.any([held.signal, target.signal]) };
    if (isLost) return outcome(id, await endLostUndo(this.#deps, restoration, both));
    return outcome(
      id,
      isLeft
        ? await cleanUp(this.#deps, restoration, both)
        : await dropAside(this.#deps, restoration, both, this.#trust),
    );
  }

  /** Takes it: what an overtaken worker still writes is refused from now on. */
  async #begin(id: string, { fence }: RestoreSession): Promise<Restoration> {
    const { restorationStates, clock } = this.#deps;
    const change = (current: Restoration): Restoration => {
      const attempt = current.status === "looking" ? current.attempt + 1 : current.attempt;
      const phase = current.status === "looking" ? "preflight" : current.phase;
      return { ...current, fence, attempt, phase };
    };
    return await restorationStates.record(id, "normal", clock.now(), change, fence);
  }

  async #look(restoration: Restoration, session: RestoreSession): Promise<string> {
    const { restorationStates: store, clock, logger } = this.#deps;
    const { id } = restoration;
    const { fence } = session;
    const watch = new WorkWatch<Restoration>({ store, clock, logger, id, fence, noun: "restoration" });
    try {
      if (restoration.attempt > mostAttempts) throw lookGivenUp(mostAttempts);
      const signal = AbortSignal.any([session.signal, watch.signal]);
      if (restoration.place === "globals") {
        const found = await lookAtRoles(this.#deps, restoration, signal);
        signal.throwIfAborted();
        return await this.#foundRoles(restoration, found, fence);
      }
      const found = await lookAtRestore(this.#deps, restoration, signal);
      signal.throwIfAborted();
      return await this.#found(restoration, found, fence);
    } catch (error) {
      if (session.signal.aborted) throw error;
      if (watch.signal.aborted) return "cancelled";
      const reason = toAppError(error);
      if (reason.code === "redis" || reason.code === "lease-lost") throw reason;
      return await this.#obstructed(restoration, reason, fence);
    } finally {
      await watch.stop();
    }
  }

  async #found({ id }: Restoration, { preflight, manifestSha256 }: Found, fence: number): Promise<string> {
    const { restorationStates, clock, config } = this.#deps;
    const now = clock.now();
    const isClear = preflight.obstacles.length === 0;
    const expiresAt = new Date(now.getTime() + config.approvals.restore.expires).toISOString();
    const change = (current: Restoration): Restoration => {
      if (current.status !== "looking") return current;
      const { expiresAt: _, error: __, ...rest } = current;
      const looked = { ...rest, preflight, manifestSha256, phase: "waiting", attempt: 0 } as const;
      return isClear ? { ...looked, status: "ready", expiresAt } : { ...looked, status: "refused" };
    };
    const looked = await restorationStates.record(id, "reply", now, change, fence, (current) =>
      current.status === "refused"
        ? [
            restoreEntry(current, "obstructed", now, {
              why: current.preflight?.obstacles.map(({ key }) => key).join(" ") ?? "",
            }),
          ]
        : [],
    );
    return looked.status;
  }

  /** Where there is nothing to be given, it is done. */
  async #foundRoles(
    { id }: Restoration,
    { roles, manifestSha256 }: Awaited<ReturnType<typeof lookAtRoles>>,
    fence: number,
  ): Promise<string> {
    const { restorationStates, clock, config } = this.#deps;
    const now = clock.now();
    const isOpen = applicableRoles(roles.look, "all").length > 0;
    const expiresAt = new Date(now.getTime() + config.approvals.restore.expires).toISOString();
    const change = (current: Restoration): Restoration => {
      if (current.status !== "looking") return current;
      const { expiresAt: _, error: __, ...rest } = current;
      const looked = { ...rest, roles, manifestSha256, phase: "waiting", attempt: 0 } as const;
      return isOpen
        ? { ...looked, status: "ready", expiresAt }
        : { ...looked, status: "done", finishedAt: now.toISOString() };
    };
    return (await restorationStates.record(id, "reply", now, change, fence)).status;
  }

  /** It could not be looked at: that refuses it as well. */
  async #obstructed({ id }: Restoration, reason: ReturnType<typeof toAppError>, fence: number): Promise<string> {
    const { restorationStates, clock, logger } = this.#deps;
    const { code, message, context } = reason;
    const err = code === "internal" ? reason.cause : undefined;
    logger.warn({ restoration: id, code, error: message, context, err }, "a restore could not be looked at");
    const now = clock.now();
    const change = (current: Restoration): Restoration => {
      if (current.status !== "looking") return current;
      const { expiresAt: _, ...rest } = current;
      return { ...rest, status: "refused", phase: "waiting", attempt: 0, error: runError(reason, "preflight") };
    };
    const refused = await restorationStates.record(id, "reply", now, change, fence, (current) =>
      current.status === "refused" ? [restoreEntry(current, "obstructed", now, { why: code })] : [],
    );
    return refused.status;
  }

  /** What taking it back would lose; with that, approvals are asked for. */
  async #lookAtUndo(restoration: Restoration, { fence, signal }: RestoreSession): Promise<string> {
    const { restorationStates, approvals, clock, config } = this.#deps;
    const { id, name, host, chat, requestedBy, undo } = restoration;
    const record = async (change: NonNullable<Restoration["undo"]>): Promise<Restoration> =>
      await restorationStates.record(
        id,
        "reply",
        clock.now(),
        (current) =>
          current.undo?.status === "looking" ? { ...current, undo: { ...current.undo, ...change } } : current,
        fence,
      );
    try {
      const identity = await undoIdentity(this.#deps, restoration, signal);
      const manifest = await restorationStates.manifest(id);
      const changes = await replacerOf(this.#deps, restoration).changes(signal, manifest);
      const looked = await record({ changes });
      const { approval } = await approvals.request({
        action: "restore-undo",
        args: { restoration: id, name },
        target: typedName(restoration),
        identity,
        title: { key: "restoration-title-undo", args: titleOf(restoration, config.timezone).args ?? {} },
        details: undoDetails(looked),
        host,
        requestedBy: undo?.by ?? requestedBy,
        source: `restore-undo:${id}:${undo?.asked ?? 1}`,
        place: undo?.chat ?? chat,
      });
      return (await record({ status: "asked", approval: approval.id })).undo?.status ?? "";
    } catch (error) {
      signal.throwIfAborted();
      const reason = toAppError(error);
      if (reason.code === "redis" || reason.code === "lease-lost") throw reason;
      await record({ status: "failed", error: runError(reason, "undo") });
      return "failed";
    }
  }
}

/** What an undo is agreed to for: the backup that was restored, and what has its place now. */
export async function undoIdentity(
  deps: RestoreDeps,
  restoration: Restoration,
  signal: AbortSignal,
): Promise<{ readonly manifest: string; readonly system?: string; readonly database: string }> {
  const { id, manifestSha256 = "" } = restoration;
  await requireNewest(deps.restorationStates, restoration);
  const kept = await deps.restorationStates.manifest(id);
  const manifest = kept ?? (await manifestOf(deps, restoration, signal)).manifest;
  const look = await lookWith(engineOf(deps, restoration), manifest, { signal });
  requireSameTarget(restoration, look);
  return { manifest: manifestSha256, ...look.identity };
}

function outcome(id: string, status: string): JobOutcome {
  return { done: { restoration: id, status } };
}
