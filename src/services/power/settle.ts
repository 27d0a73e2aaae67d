import type { Approval } from "../../core/approval.ts";
import type { PowerOrder, PowerStatus } from "../../core/power.ts";

const statusAfter: Readonly<Partial<Record<Approval["status"], PowerStatus>>> = {
  rejected: "cancelled",
  cancelled: "cancelled",
  expired: "expired",
  void: "failed",
  failed: "failed",
};

/** What the end of its approval makes of an order; the same object when it makes nothing. */
export function settledBy(order: PowerOrder, approval: Approval | undefined, now: Date): PowerOrder {
  const { status } = order;
  if (status !== "asked" && status !== "ordering") return order;
  const finishedAt = now.toISOString();
  // Redis has lost it, or a worker of another version: whether the provider was asked is on record here.
  if (!approval || approval.status === "unknown" || approval.status === "done") {
    if (approval?.status === "done" && status === "asked") return order;
    if (order.intent === undefined) return { ...order, status: "failed", finishedAt, error: lost };
    return { ...order, status: "unclear" };
  }
  const next = statusAfter[approval.status];
  if (next === undefined) return order;
  // Its worker has given up with the intent on record: what became of it is seen by the server itself.
  if (order.intent !== undefined && next === "failed") return { ...order, status: "unclear" };
  const error = approval.execution?.error ?? approval.ended?.error ?? voidError(approval);
  return { ...order, status: next, finishedAt, ...(error ? { error } : {}) };
}

const lost = {
  code: "not-found",
  message: "its approval is not known any more",
  text: { key: "power-approval-lost" },
} as const;

function voidError({ status, id, ended }: Approval): PowerOrder["error"] {
  if (status !== "void") return undefined;
  const text = { key: "power-approval-void", args: { id } };
  return { code: "conflict", message: `approval ${id} is void: ${ended?.void ?? "changed"}`, text };
}
