import type { Config } from "../../app/config.ts";
import { requestRole } from "../../core/approval-policy.ts";
import type { Restoration } from "../../core/restoration.ts";
import { canUndo, isBeyondCancel, isOver, keepsAside } from "../../core/restoration-life.ts";
import { hasRole, type Role } from "../../core/roles.ts";
import type { Person } from "../../core/run.ts";
import type { Text } from "../../core/text.ts";

/** What people decide with the buttons of the card. `keep`: what is kept aside is dropped now, the new one stays. */
export type RestorationDecision = "confirm" | "cancel" | "look" | "undo" | "keep";

type Users = Pick<Config, "telegram" | "approvals">;

/** Why this person's decision would not count now; undefined: it would. */
export function refusalOf(
  config: Users,
  restoration: Restoration,
  what: RestorationDecision,
  by: Person,
  now: Date,
): Text | undefined {
  const role = config.telegram?.users.find(({ id }) => id === by.id)?.role;
  const needed: Role = what === "keep" ? config.approvals.restore.role : requestRole;
  if (!role || !hasRole(role, needed)) return { key: `restoration-refused-role-${needed}` };
  const isOwn = restoration.requestedBy.id === by.id || role === "admin";
  if ((what === "confirm" || what === "cancel" || what === "look") && !isOwn)
    return { key: "restoration-refused-not-yours", args: { by: restoration.requestedBy.name } };
  return isPossible(restoration, what, now) ? undefined : { key: `restoration-refused-${what}` };
}

function isPossible(restoration: Restoration, what: RestorationDecision, now: Date): boolean {
  const { status, expiresAt, undo } = restoration;
  switch (what) {
    case "confirm":
      return status === "ready" && !isExpired(expiresAt, now);
    case "cancel":
      if (restoration.cancelRequestedBy) return false;
      return status === "running" ? !isBeyondCancel(restoration) : status !== "undoing" && !isOver(restoration);
    case "look":
      return status === "ready" || status === "refused" || mayTryAgain(restoration);
    case "undo":
      return canUndo(restoration);
    case "keep":
      return (
        keepsAside(restoration) && undo?.dropBy === undefined && !["asked", "running"].includes(undo?.status ?? "")
      );
  }
}

/** One that has changed nothing can be looked at and asked for again. */
function mayTryAgain({ status, cleanUp }: Restoration): boolean {
  return (status === "failed" || status === "expired" || status === "cancelled") && cleanUp !== true;
}

function isExpired(at: string | undefined, now: Date): boolean {
  return at !== undefined && Date.parse(at) <= now.getTime();
}
