import { hasRole, type Role } from "./roles.ts";

/** The parts of `approvals:` in the configuration: each dangerous action needs one of them. */
export const approvalPolicies = ["restore", "reboot", "databaseBackup", "autoBackups"] as const;
export type ApprovalPolicyName = (typeof approvalPolicies)[number];

/** Who has to agree to a dangerous order, and how long that may take. */
export interface ApprovalPolicy {
  /** So many distinct people. */
  readonly approvers: number;
  /** That each of them needs. */
  readonly role: Role;
  /** Whether who has asked may be one of them. */
  readonly requesterCounts: boolean;
  /** Milliseconds: so long it may take to be typed, then to be approved, then to be begun. */
  readonly expires: number;
  /** When the target's name has to be typed: always, or only for what destroys. */
  readonly typed: "always" | "destructive";
}

/** Who may ask for what is dangerous; whether it is done, others decide. */
export const requestRole: Role = "operator";

/** A listed person. */
export interface Listed {
  readonly id: number;
  readonly role: Role;
}

/** What decides about who can meet it. */
type Counted = Pick<ApprovalPolicy, "approvers" | "role" | "requesterCounts">;

/** How many approvals an order can get at most; `requester` undefined: nobody has asked, the program itself has. */
export function reachableApprovals(policy: Counted, users: readonly Listed[], requester?: number): number {
  const mayApprove = ({ id, role }: Listed): boolean =>
    hasRole(role, policy.role) && (policy.requesterCounts || id !== requester);
  return users.filter(mayApprove).length;
}

/** The most approvals that any of these people can get for an order of theirs. */
export function mostApprovals(policy: Counted, users: readonly Listed[]): number {
  const requesters = users.filter(({ role }) => hasRole(role, requestRole));
  return Math.max(0, ...requesters.map(({ id }) => reachableApprovals(policy, users, id)));
}

/** Whether two policies ask the same of people: one that was changed meanwhile is not the one that was met. */
export function isSamePolicy(a: Counted, b: Counted): boolean {
  return a.approvers === b.approvers && a.role === b.role && a.requesterCounts === b.requesterCounts;
}
