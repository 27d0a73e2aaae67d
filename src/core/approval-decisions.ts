import {
  type Approval,
  type ApprovalStep,
  isUndecided,
  type Moment,
  missingApprovals,
  type Refusal,
} from "./approval.ts";
import { isSamePolicy, requestRole } from "./approval-policy.ts";
import { hasRole, type Role } from "./roles.ts";
import type { Person } from "./run.ts";

/** Who types something else so often does not mean it. */
const mostMistyped = 5;

const unchanged = (approval: Approval, refused?: Refusal): ApprovalStep => ({
  approval,
  events: [],
  ...(refused ? { refused } : {}),
});

/** `next`, after what has happened before. */
function after(before: ApprovalStep, next: ApprovalStep): ApprovalStep {
  return { ...next, events: [...before.events, ...next.events] };
}

function later({ now }: Moment, ms: number): string {
  return new Date(now.getTime() + ms).toISOString();
}

function may(role: Role | undefined, needed: Role): boolean {
  return role !== undefined && hasRole(role, needed);
}

/**
 * What has become of it by the moment, before anybody decides anything: it has expired, who has asked for it may not
 * any more, the policy is another one, or who has approved it has lost the role for it.
 */
export function settle(approval: Approval, moment: Moment): ApprovalStep {
  if (!isUndecided(approval)) return unchanged(approval);
  const at = moment.now.toISOString();
  const { requestedBy, policy, status } = approval;
  if (Date.parse(approval.expiresAt) <= moment.now.getTime()) {
    const waitedFor = status as "typing" | "open" | "approved";
    return {
      approval: { ...approval, status: "expired", ended: { at, waitedFor } },
      events: [{ what: "expired", why: waitedFor }],
    };
  }
  if (requestedBy && !may(moment.roleOf(requestedBy.id), requestRole)) return voided(approval, "requester", moment);
  const { standing } = approval;
  if (standing === undefined ? !isSamePolicy(policy, moment.policy) : !moment.stands(standing))
    return voided(approval, "policy", moment);
  const lost = approval.approvals.filter(({ by }) => !may(moment.roleOf(by.id), policy.role));
  if (lost.length === 0) return unchanged(approval);
  const approvals = approval.approvals.filter((one) => !lost.includes(one));
  return {
    approval: { ...approval, approvals, status: status === "typing" ? "typing" : "open" },
    events: lost.map(({ by }) => ({ what: "withdrawn", by })),
  };
}

/** It is not what was to be agreed to any more. */
export function voided(
  approval: Approval,
  why: NonNullable<Approval["ended"]>["void"] & string,
  { now }: Pick<Moment, "now">,
  more: Pick<NonNullable<Approval["ended"]>, "facts" | "error"> = {},
): ApprovalStep {
  const ended = { at: now.toISOString(), void: why, ...more };
  return { approval: { ...approval, status: "void", ended }, events: [{ what: "void", why }] };
}

/** Why this person's approval would not count now; undefined: it would. */
export function refusalToApprove(
  approval: Approval,
  by: Person,
  { roleOf }: Pick<Moment, "roleOf">,
): Refusal | undefined {
  const { status, policy, requestedBy, approvals } = approval;
  const hasApproved = approvals.some((one) => one.by.id === by.id);
  if (status === "expired") return "expired";
  if (hasApproved) return "already";
  if (!isUndecided(approval) || status === "approved") return "over";
  if (!may(roleOf(by.id), policy.role)) return "role";
  if (status === "typing") return "typing";
  return !policy.requesterCounts && requestedBy?.id === by.id ? "requester" : undefined;
}

/** One more distinct person agrees; with the last that is needed it is approved. */
export function approve(approval: Approval, by: Person, moment: Moment): ApprovalStep {
  const settled = settle(approval, moment);
  const refused = refusalToApprove(settled.approval, by, moment);
  if (refused) return { ...settled, refused };
  return after(settled, counted(settled.approval, by, moment));
}

function counted(approval: Approval, by: Person, moment: Moment): ApprovalStep {
  const at = moment.now.toISOString();
  const next: Approval = { ...approval, approvals: [...approval.approvals, { by, at }] };
  const event = { what: "approved", by } as const;
  if (missingApprovals(next) > 0) return { approval: next, events: [event] };
  return {
    approval: { ...next, status: "approved", expiresAt: later(moment, approval.policy.expires) },
    events: [event, { what: "agreed" }],
  };
}

/** Why this person's no would not count now. */
export function refusalToReject(
  approval: Approval,
  by: Person,
  { roleOf }: Pick<Moment, "roleOf">,
): Refusal | undefined {
  if (approval.status === "expired") return "expired";
  if (!isUndecided(approval)) return "over";
  return may(roleOf(by.id), approval.policy.role) ? undefined : "role";
}

/** One of those who could approve it says no: that is enough, until it was begun. */
export function reject(approval: Approval, by: Person, moment: Moment): ApprovalStep {
  const settled = settle(approval, moment);
  const refused = refusalToReject(settled.approval, by, moment);
  if (refused) return { ...settled, refused };
  const ended = { at: moment.now.toISOString(), by };
  return after(settled, {
    approval: { ...settled.approval, status: "rejected", ended },
    events: [{ what: "rejected", by }],
  });
}

/** Who has said no says why; once. */
export function giveReason(approval: Approval, by: Person, reason: string): ApprovalStep {
  const { ended, status } = approval;
  if (status !== "rejected" || !ended) return unchanged(approval, "over");
  if (ended.by?.id !== by.id) return unchanged(approval, "not-asked");
  if (ended.reason !== undefined) return unchanged(approval, "already");
  return { approval: { ...approval, ended: { ...ended, reason } }, events: [{ what: "reason", by, why: reason }] };
}

/** Why this person cannot take it back now. */
export function refusalToCancel(
  approval: Approval,
  by: Person,
  { roleOf }: Pick<Moment, "roleOf">,
): Refusal | undefined {
  if (approval.status === "expired") return "expired";
  if (!isUndecided(approval)) return "over";
  const role = roleOf(by.id);
  return role !== undefined && (approval.requestedBy?.id === by.id || role === "admin") ? undefined : "not-yours";
}

/** Who has asked for it, or an admin, takes it back, until it was begun. */
export function cancel(approval: Approval, by: Person, moment: Moment): ApprovalStep {
  const settled = settle(approval, moment);
  const refused = refusalToCancel(settled.approval, by, moment);
  return refused ? { ...settled, refused } : withdraw(approval, by, moment);
}

/** What it was asked for is not wanted any more, whoever has asked for the approval of it. */
export function withdraw(approval: Approval, by: Person, moment: Moment): ApprovalStep {
  const settled = settle(approval, moment);
  if (!isUndecided(settled.approval)) return { ...settled, refused: "over" };
  const ended = { at: moment.now.toISOString(), by };
  return after(settled, {
    approval: { ...settled.approval, status: "cancelled", ended },
    events: [{ what: "cancelled", by }],
  });
}

/**
 * Who has asked for it has typed something. The target's exact name confirms it, and is their approval where the
 * policy counts it. `late`: it reached us long after it was sent, and is asked for again.
 */
export function confirm(
  approval: Approval,
  by: Person,
  text: string,
  moment: Moment & { readonly late: boolean },
): ApprovalStep {
  const settled = settle(approval, moment);
  const current = settled.approval;
  const { typed, requestedBy, policy } = current;
  if (current.status === "expired") return { ...settled, refused: "expired" };
  if (requestedBy?.id !== by.id) return { ...settled, refused: "not-asked" };
  if (current.status !== "typing" || !typed) return { ...settled, refused: "over" };
  if (moment.late) {
    const again = { ...typed, asked: typed.asked + 1, again: "late" as const };
    return after(settled, unchanged({ ...current, typed: again }));
  }
  if (text.trim().normalize() !== current.target.normalize()) {
    const wrong = typed.wrong + 1;
    const next = { ...current, typed: { asked: typed.asked + 1, wrong, again: "wrong" as const } };
    const mistyped: ApprovalStep = { approval: next, events: [{ what: "mistyped", by }] };
    return after(settled, wrong < mostMistyped ? mistyped : after(mistyped, voided(next, "mistyped", moment)));
  }
  const confirmed: ApprovalStep = {
    approval: {
      ...current,
      status: "open",
      confirmedAt: moment.now.toISOString(),
      expiresAt: later(moment, policy.expires),
    },
    events: [{ what: "confirmed", by }],
  };
  const counts = refusalToApprove(confirmed.approval, by, moment) === undefined;
  return after(settled, counts ? after(confirmed, counted(confirmed.approval, by, moment)) : confirmed);
}
