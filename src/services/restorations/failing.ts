import { type AppError, toAppError } from "../../core/errors.ts";
import type { ReplacementJournal } from "../../core/replacement.ts";
import type { Restoration } from "../../core/restoration.ts";
import { isOver } from "../../core/restoration-life.ts";
import type { BackupRun } from "../../core/run.ts";
import type { ReplacementContext } from "../../sources/replacement.ts";
import { runError } from "../backup/run-error.ts";
import type { RestoreDeps } from "./deps.ts";
import type { Engine } from "./engine.ts";
import { restoreEntry } from "./entries.ts";
import { unpinFormer } from "./former.ts";
import type { Programs } from "./programs.ts";

/** What tells what there is to be removed. */
type Made = Pick<Restoration, "result"> & { readonly journal?: ReplacementJournal | undefined };

/** A restore that can not go on. */
export interface Failing {
  readonly id: string;
  /** As far as this process knows: the record of it may be lost with Redis. */
  readonly latest: Made;
  readonly engine: Engine;
  readonly fence: number;
  readonly reason: AppError;
  readonly programs: Programs;
  readonly signal: AbortSignal;
  readonly context: (journal: ReplacementJournal | undefined) => ReplacementContext;
}

/**
 * Ends one that has failed or was cancelled: asks the target how it stands, removes what was made, starts what was stopped,
 * and records it. What can not be found out or removed now is left on record, and tried again. `swapped`: the failure came
 * after the swap, which is in force.
 */
export async function failRestore(deps: RestoreDeps, failing: Failing): Promise<"swapped" | "ended"> {
  const { restorationStates, clock, logger } = deps;
  const { id, engine, fence, reason, programs, signal } = failing;
  const known = await restorationStates.read(id);
  let cleanUp = false;
  try {
    const isSwapped = (await withdraw(engine, known ?? failing.latest, failing.context)) === "swapped";
    if (isSwapped && known) return "swapped";
  } catch (error) {
    signal.throwIfAborted();
    cleanUp = true;
    logger.warn({ restoration: id, error: toAppError(error).message }, "what a restore has left could not be removed");
  }
  await programs.start("restore", signal);
  if (!known) {
    logger.error({ restoration: id }, "nothing is known of a restore any more: Redis has lost its data");
    throw reason;
  }
  // What is live is what it was: nobody needs a way back. Where that is not known, it is seen to with the rest.
  if (!cleanUp) await unpinFormer(deps, known);
  const isMade = known.former !== undefined && isGood(await deps.runs.read(known.former));
  const now = clock.now();
  const isCancelled = reason.code === "cancelled";
  const { code, message, context } = reason;
  logger.warn(
    { restoration: id, code, error: message, context, err: code === "internal" ? reason : undefined },
    "not restored",
  );
  const change = (current: Restoration): Restoration => {
    if (isOver(current)) return current;
    const { progress: _, former, ...rest } = current;
    return {
      ...rest,
      ...(isMade && former !== undefined ? { former } : {}),
      status: isCancelled ? "cancelled" : "failed",
      finishedAt: now.toISOString(),
      ...(isCancelled ? {} : { error: runError(reason, current.phase) }),
      ...(cleanUp ? { cleanUp: true } : {}),
    };
  };
  await restorationStates.record(id, "reply", now, change, fence, (current) => [
    isCancelled
      ? restoreEntry(current, "cancelled", now, { by: current.cancelRequestedBy })
      : restoreEntry(current, "failed", now, { why: code, host: deps.host }),
  ]);
  return "ended";
}

function isGood(run: BackupRun | undefined): boolean {
  return run?.status === "succeeded" || run?.status === "degraded";
}

/** Removes what was made for it, unless that is live by now. */
export async function withdraw(
  engine: Engine,
  { journal, result }: Made,
  context: (journal: ReplacementJournal | undefined) => ReplacementContext,
): Promise<"swapped" | "withdrawn"> {
  if (engine.place === "beside") {
    // Made whole, and found to differ: a person may want to look at it.
    if ((result?.differencesTotal ?? 0) === 0) await engine.beside.discard(context(journal));
    return "withdrawn";
  }
  if (journal === undefined) return "withdrawn";
  if ((await engine.replacer.recover(context(journal))) === "swapped") return "swapped";
  await engine.replacer.discard(context(journal));
  return "withdrawn";
}
