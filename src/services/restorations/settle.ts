import type { Approval } from "../../core/approval.ts";
import { isOver as isApprovalOver } from "../../core/approval.ts";
import type { Restoration } from "../../core/restoration.ts";
import type { RunError } from "../../core/run.ts";
import type { Text } from "../../core/text.ts";

/** What has become of a restore by the end of the approval that it waits for; the same object: nothing. */
export function settledBy(restoration: Restoration, approval: Approval | undefined, now: Date): Restoration {
  if (approval && !isApprovalOver(approval)) return restoration;
  const { status, undo } = restoration;
  if (status === "asked" || status === "running") return restoreSettled(restoration, approval, now);
  if (undo?.status === "asked" || undo?.status === "running") return undoSettled(restoration, approval);
  return restoration;
}

function restoreSettled(restoration: Restoration, approval: Approval | undefined, now: Date): Restoration {
  const finishedAt = now.toISOString();
  // Nobody goes on with it: what it has left is looked at and removed.
  if (restoration.status === "running")
    return {
      ...restoration,
      status: "failed",
      finishedAt,
      // Roles are given whole or not at all: there is nothing that could be left.
      ...(restoration.place === "globals" ? {} : { cleanUp: true }),
      error: stopped(approval, restoration.phase),
    };
  const { preflight: _, ...rest } = restoration;
  const kept = restoration.preflight ? { preflight: restoration.preflight } : {};
  const base = { ...rest, ...kept, finishedAt };
  if (!approval || approval.status === "expired") return { ...base, status: "expired" };
  const error = errorOf(approval);
  if (approval.status === "cancelled" || approval.status === "rejected")
    return {
      ...base,
      status: "cancelled",
      ...(approval.ended?.by ? { cancelRequestedBy: approval.ended.by } : {}),
      ...(approval.status === "rejected" ? { error } : {}),
    };
  return { ...base, status: "failed", error };
}

function undoSettled(restoration: Restoration, approval: Approval | undefined): Restoration {
  const { undo = {} } = restoration;
  // What is live by now is not known: a worker looks.
  if (undo.status === "running")
    return undo.lost ? restoration : { ...restoration, undo: { ...undo, lost: stopped(approval, "undo") } };
  const { status: _, approval: __, ...rest } = undo;
  if (!approval || approval.status === "cancelled") return { ...restoration, undo: rest };
  return { ...restoration, undo: { ...rest, status: "failed", error: errorOf(approval) } };
}

/** Why an approval was not carried out, as the card of the restore says it. */
function errorOf({ status, ended, execution }: Approval): RunError {
  // It was begun, and could not even look at what it is about.
  const begun = execution?.error;
  if (begun) return { ...begun, step: "approval" };
  const message = ended?.error?.message ?? `the approval is ${status}`;
  return { code: status, message, text: textOf(status, ended), step: "approval" };
}

function textOf(status: Approval["status"], ended: Approval["ended"]): Text {
  if (status === "rejected") return { key: "restoration-ended-rejected", args: { by: ended?.by?.name ?? "Vakhta" } };
  if (status === "expired") return { key: "restoration-ended-expired" };
  const why = ended?.void ?? "action";
  return (why === "gone" ? ended?.error?.text : undefined) ?? { key: `restoration-ended-void-${why}` };
}

/** Why one that was begun has ended without its own end on record. */
function stopped(approval: Approval | undefined, step: string): RunError {
  const error = approval?.execution?.error;
  if (error) return { ...error, step };
  const text = { key: step === "undo" ? "error-restoration-undo-lost" : "error-restoration-lost" };
  return { code: "interrupted", message: "its worker was lost, and nobody goes on with it", text, step };
}
