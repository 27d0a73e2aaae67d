import { toAppError } from "../../core/errors.ts";
import type { Restoration, Undo } from "../../core/restoration.ts";
import { isDropDue, keepsAside } from "../../core/restoration-life.ts";
import { runError } from "../backup/run-error.ts";
import type { ClockTrust } from "./clock-trust.ts";
import type { RestoreDeps } from "./deps.ts";
import { engineOf, replacerOf } from "./engine.ts";
import { restoreEntry } from "./entries.ts";
import { canGoBack, contextOf } from "./execution.ts";
import { withdraw } from "./failing.ts";
import { unpinFormer } from "./former.ts";
import { Programs } from "./programs.ts";
import { findSameTarget } from "./same-target.ts";
import type { RestoreSession } from "./session.ts";
import { undoneAt } from "./undoing.ts";

/** The right to work on it and on its target. */
type Held = Pick<RestoreSession, "fence" | "signal">;

/** Drops what is kept aside, and lets the backup that was made before be one like any other. What fails is tried again. */
export async function dropAside(
  deps: RestoreDeps,
  restoration: Restoration,
  session: Held,
  trust: ClockTrust,
): Promise<string> {
  const { restorationStates, clock, logger, host } = deps;
  const { id } = restoration;
  const { fence, signal } = session;
  if (restoration.undo?.dropBy === undefined && (await trust.isAhead())) {
    logger.error({ restoration: id }, "nothing is dropped: this machine's clock was put far ahead");
    return "held";
  }
  // From now on nobody can want it back; and who has wanted it a moment before is heard.
  const due = await restorationStates.record(
    id,
    "normal",
    clock.now(),
    (current) =>
      current.undo && isDropDue(current, clock.now())
        ? { ...current, undo: { ...current.undo, dropping: true } }
        : current,
    fence,
  );
  if (due.undo?.dropping !== true) return due.status;
  try {
    const context = contextOf(due, due.journal, signal, async (journal) => {
      await restorationStates.record(id, "progress", clock.now(), (current) => ({ ...current, journal }), fence);
    });
    await findSameTarget(deps, due, signal);
    await replacerOf(deps, due).discard(context);
  } catch (error) {
    signal.throwIfAborted();
    const reason = toAppError(error);
    if (reason.code === "redis") throw reason;
    logger.warn({ restoration: id, error: reason.message }, "what is kept aside could not be dropped; trying again");
    const told = runError(reason, "discard");
    await restorationStates.record(
      id,
      "normal",
      clock.now(),
      (current) =>
        current.undo ? { ...current, undo: { ...withoutDropping(current.undo), dropError: told } } : current,
      fence,
    );
    return "failed";
  }
  await unpinFormer(deps, restoration);
  const now = clock.now();
  const change = (current: Restoration): Restoration => {
    if (!current.undo || !keepsAside(current)) return current;
    const { dropError: _, dropping: __, ...undo } = current.undo;
    return { ...current, undo: { ...undo, droppedAt: now.toISOString() } };
  };
  await restorationStates.record(id, "reply", now, change, fence, (current) => [
    restoreEntry(current, "dropped", now, { by: current.undo?.dropBy, host }),
  ]);
  logger.info({ restoration: id }, "what a restore has kept aside was dropped");
  return "dropped";
}

function withoutDropping(undo: Undo): Undo {
  const { dropping: _, ...rest } = undo;
  return rest;
}

/** Removes what one that has failed has left, and starts what was stopped for it. Rejects to be tried again. */
export async function cleanUp(deps: RestoreDeps, restoration: Restoration, session: Held): Promise<string> {
  const { restorationStates, clock } = deps;
  const { id, journal, cleanUp: isLeft } = restoration;
  const { fence, signal } = session;
  let found: "swapped" | "withdrawn" = "withdrawn";
  if (isLeft)
    found = await withdraw(engineOf(deps, restoration), restoration, () =>
      contextOf(restoration, journal, signal, async (next) => {
        await restorationStates.record(
          id,
          "progress",
          clock.now(),
          (current) => ({ ...current, journal: next }),
          fence,
        );
      }),
    );
  await new Programs(deps, restoration, fence).start("restore", signal);
  if (isLeft && found === "withdrawn") await unpinFormer(deps, restoration);
  const now = clock.now();
  const { restore } = deps.config.backups.find(({ name }) => name === restoration.name) ?? {};
  const change = (current: Restoration): Restoration => {
    const { cleanUp: _, ...rest } = current;
    if (found === "withdrawn") return rest;
    // Its end was lost, not itself: it is live, and can be taken back.
    const { error: __, progress: ___, ...live } = rest;
    const undo = { until: new Date(now.getTime() + (restore?.keep ?? 0)).toISOString() };
    const way = canGoBack(current) ? { undo } : {};
    return { ...live, status: "done", phase: "record", recovered: "swapped", ...way };
  };
  await restorationStates.record(id, "reply", now, change, fence, (current) =>
    found === "swapped" ? [restoreEntry(current, "done", now, { host: deps.host })] : [],
  );
  return found;
}

/** Finds out which of both is live after a taking back that nobody goes on with. Rejects to be tried again. */
export async function endLostUndo(deps: RestoreDeps, restoration: Restoration, session: Held): Promise<string> {
  const { restorationStates, clock, host } = deps;
  const { id } = restoration;
  const { fence, signal } = session;
  const context = contextOf(restoration, restoration.journal, signal, async (journal) => {
    await restorationStates.record(id, "progress", clock.now(), (current) => ({ ...current, journal }), fence);
  });
  const isUndone = (await replacerOf(deps, restoration).recover(context)) === "undone";
  await new Programs(deps, restoration, fence).start("undo", signal);
  const now = clock.now();
  const change = (current: Restoration): Restoration => {
    const { lost, error: _, ...undo } = current.undo ?? {};
    if (!lost) return current;
    if (isUndone) return { ...undoneAt(deps, current, now), recovered: "undone" };
    return { ...current, status: "done", undo: { ...undo, status: "failed", error: lost } };
  };
  const entries = (current: Restoration) => [
    isUndone
      ? restoreEntry(current, "undone", now, { host })
      : restoreEntry(current, "undo-failed", now, { why: current.undo?.error?.code ?? "interrupted", host }),
  ];
  return (await restorationStates.record(id, "reply", now, change, fence, entries)).status;
}
