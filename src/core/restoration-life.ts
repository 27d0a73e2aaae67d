import type { Restoration, Undo } from "./restoration.ts";

/** True when nothing more is done for it but taking it back, or removing what it has left. */
export function isOver({ status }: Pick<Restoration, "status">): boolean {
  return !["looking", "ready", "asked", "running", "undoing"].includes(status);
}

/** True from the moment from which it can not be cancelled any more: what was live is being replaced. */
export function isBeyondCancel({ phase }: Pick<Restoration, "phase">): boolean {
  return phase === "swap" || phase === "start" || phase === "record";
}

/** True while what was live before can be brought back. */
export function canUndo({ status, undo }: Pick<Restoration, "status" | "undo">): boolean {
  if (status !== "done" || undo === undefined || undo.droppedAt !== undefined) return false;
  return undo.dropping !== true && !isUndoing(undo);
}

function isUndoing({ status }: Undo): boolean {
  return status === "looking" || status === "asked" || status === "running";
}

/** True while something is kept aside for it. */
export function keepsAside({ status, undo }: Pick<Restoration, "status" | "undo">): boolean {
  return (status === "done" || status === "undone") && undo !== undefined && undo.droppedAt === undefined;
}

/** True when what is kept aside is to be dropped now: nobody wants it back, and its time is over. */
export function isDropDue(restoration: Pick<Restoration, "status" | "undo">, now: Date): boolean {
  const { undo } = restoration;
  if (!keepsAside(restoration) || undo === undefined || isUndoing(undo)) return false;
  return undo.dropBy !== undefined || (undo.until !== undefined && Date.parse(undo.until) <= now.getTime());
}

/** True while something may still happen to it: its backup must stay, and somebody looks after it. */
export function isOpen(restoration: Restoration): boolean {
  return !isOver(restoration) || restoration.cleanUp === true || owesPrograms(restoration) || keepsAside(restoration);
}

/** True when programs that start something again have not been run yet. */
export function owesPrograms({ programs }: Pick<Restoration, "programs">): boolean {
  return programs === "owed";
}

/** True when a worker has something to do for it beside carrying out what was approved. */
export function needsWorker(restoration: Restoration, now: Date): boolean {
  const { status, undo, cleanUp } = restoration;
  if (undo?.lost !== undefined) return true;
  if (status === "looking" || (keepsAside(restoration) && undo?.status === "looking")) return true;
  return (isOver(restoration) && (cleanUp === true || owesPrograms(restoration))) || isDropDue(restoration, now);
}
