import { toAppError } from "../../core/errors.ts";
import type { UndoReport } from "../../core/replacement.ts";
import type { Restoration } from "../../core/restoration.ts";
import { runError } from "../backup/run-error.ts";
import type { RestoreDeps } from "./deps.ts";
import { replacerOf } from "./engine.ts";
import { restoreEntry } from "./entries.ts";
import { contextOf } from "./execution.ts";
import { backUpBefore, formerReader } from "./former.ts";
import { Programs } from "./programs.ts";
import type { RestoreSession } from "./session.ts";
import { holdBackups, waitingFor } from "./stillness.ts";

/** Milliseconds in which what was stopped is started again when the worker itself is told to stop. */
const hurriedMs = 10_000;
/** Milliseconds for finding out what a failure has left. */
const recoverMs = 120_000;

/**
 * Brings back what was live before one restore, from wherever a killed worker has left that. Resolves when it is back.
 * Rejects with why not, which is on record: what was restored is live then.
 */
export async function carryOutUndo(
  deps: RestoreDeps,
  begun: Restoration,
  session: RestoreSession,
  attempt: number,
): Promise<Restoration> {
  const { restorationStates, clock, logger, host } = deps;
  const { id } = begun;
  const { fence, signal } = session;
  const programs = new Programs(deps, begun, fence);
  const context = async (by: AbortSignal) =>
    contextOf(begun, (await restorationStates.get(id)).journal, by, async (journal) => {
      await restorationStates.record(id, "progress", clock.now(), (current) => ({ ...current, journal }), fence);
    });
  let report: UndoReport | undefined;
  // Until everything runs again no backup reads what is being exchanged.
  await using held = new AsyncDisposableStack();
  try {
    const replacer = replacerOf(deps, begun);
    const manifest = await restorationStates.manifest(id);
    const isDone = attempt > 1 && (await replacer.recover(await context(signal))) === "undone";
    if (!isDone) {
      const former = begun.preflight?.wayBack === "former" ? await formerReader(deps, begun, signal) : undefined;
      // Nothing of what is live is kept aside then: taking it back is a restore like any other.
      if (former)
        await backUpBefore(deps, begun, { before: "undo", attempt }, signal, async (run) => {
          const change = (current: Restoration): Restoration =>
            current.undo ? { ...current, undo: { ...current.undo, former: run.id } } : current;
          await restorationStates.record(id, "normal", clock.now(), change, fence);
        });
      const backups = await holdBackups(deps, begun, signal, async (holder) => {
        await restorationStates.record(id, "normal", clock.now(), (current) => waitingFor(current, holder), fence);
      });
      held.use(backups);
      await programs.stop("undo", signal);
      report = await replacer
        .undo({ ...(await context(signal)), ...(former ? { former } : {}) }, manifest)
        .catch(async (error: unknown) => {
          signal.throwIfAborted();
          // The answer may have been lost on its way.
          const by = AbortSignal.any([signal, AbortSignal.timeout(recoverMs)]);
          const found = await replacer.recover(await context(by)).catch(() => undefined);
          if (found !== "undone") throw error;
          return undefined;
        });
    }
    await programs.start("undo", signal);
  } catch (error) {
    if (signal.aborted) {
      if (session.isHeld()) await programs.start("undo", AbortSignal.timeout(hurriedMs)).catch(() => undefined);
      throw error;
    }
    const reason = toAppError(error);
    if (reason.code === "redis" || reason.code === "lease-lost") throw reason;
    await programs.start("undo", signal);
    const now = clock.now();
    logger.warn({ restoration: id, code: reason.code, error: reason.message }, "a restore could not be taken back");
    const told = runError(reason, "undo");
    const back = (current: Restoration): Restoration =>
      current.undo ? { ...current, status: "done", undo: { ...current.undo, status: "failed", error: told } } : current;
    await restorationStates.record(id, "reply", now, back, fence, (current) => [
      restoreEntry(current, "undo-failed", now, { why: reason.code, host }),
    ]);
    throw reason;
  }
  const now = clock.now();
  const change = (current: Restoration): Restoration => {
    const undone = undoneAt(deps, current, now);
    return report ? { ...undone, undo: { ...undone.undo, report } } : undone;
  };
  logger.warn({ restoration: id }, "a restore was taken back");
  return await restorationStates.record(id, "reply", now, change, fence, (current) => [
    restoreEntry(current, "undone", now, { host }),
  ]);
}

/** Taken back: what was live until then has its whole time too, however late that was. */
export function undoneAt({ config }: Pick<RestoreDeps, "config">, restoration: Restoration, now: Date): Restoration {
  const { error: _, lost: __, ...undo } = restoration.undo ?? {};
  const keep = config.backups.find(({ name }) => name === restoration.name)?.restore.keep ?? 0;
  const until = new Date(Math.max(Date.parse(undo.until ?? "") || 0, now.getTime() + keep)).toISOString();
  return { ...restoration, status: "undone", undo: { ...undo, status: "done", until } };
}
