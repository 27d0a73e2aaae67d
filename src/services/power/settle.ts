import type { Approval } from "../../core/approval.ts";
import { isOver, type PowerOrder, type PowerStatus } from "../../core/power.ts";
import type { Person } from "../../core/run.ts";

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

/**
 * The same order once more, from its beginning: nothing of how it went stays. One that was over is asked for by whoever
 * wants it now: what the program had found then, and what the configuration agreed to, was about the server as it was.
 */
export function askedAnew(order: PowerOrder, by: Person, now: Date, expiresAt: Date): PowerOrder {
  const { id, server, action, chat, waitMs, looks, trigger, createdAt, requestedBy, why, standing } = order;
  const asked = isOver(order)
    ? ({ trigger: "chat", createdAt: now.toISOString(), requestedBy: by } as const)
    : {
        trigger,
        createdAt,
        ...(requestedBy ? { requestedBy } : {}),
        ...(why ? { why } : {}),
        ...(standing === undefined ? {} : { standing }),
      };
  return {
    id,
    server,
    action,
    ...asked,
    ...(chat ? { chat } : {}),
    ...(waitMs === undefined ? {} : { waitMs }),
    status: "looking",
    expiresAt: expiresAt.toISOString(),
    looks: looks + 1,
    // Of its former approval's lease: the next one's counts anew.
    fence: 0,
    stages: {},
  };
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
