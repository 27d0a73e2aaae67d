import { createHash } from "node:crypto";
import type { ApprovalPolicy, ApprovalPolicyName } from "./approval-policy.ts";
import type { Role } from "./roles.ts";
import type { Person } from "./run.ts";
import type { Text } from "./text.ts";

/**
 * `typing`: who has asked must type the name. `open`: approvals are missing. `approved`: a worker may begin.
 * `executing`: it was begun. `unknown`: its worker was lost in the middle, and nobody can tell what was done.
 * `void`: what was to be agreed to is not so any more.
 */
export type ApprovalStatus =
  | "typing"
  | "open"
  | "approved"
  | "executing"
  | "done"
  | "failed"
  | "unknown"
  | "rejected"
  | "cancelled"
  | "expired"
  | "void";

/** Facts by which a target is told from every other, and from what it was. */
export const identityFacts = ["manifest", "system", "database", "roles", "server", "power", "state"] as const;
export type IdentityFact = (typeof identityFacts)[number];
export type Identity = Readonly<Partial<Record<IdentityFact, string>>>;

/** Why an approval came to nothing by itself. */
export type VoidReason = "target" | "gone" | "arguments" | "policy" | "requester" | "mistyped" | "action";

/** Settings by which nobody has to agree: `recovery.auto: on` in the configuration. */
export type StandingPolicy = "recovery";

/** An error as it is kept and shown: redacted, no stack. */
export interface ApprovalError {
  readonly code: string;
  readonly message: string;
  readonly text?: Text;
}

/** How an approval ended without being carried out. */
export interface ApprovalEnd {
  readonly at: string;
  readonly by?: Person;
  /** What somebody has written who said no. */
  readonly reason?: string;
  /** Where it expired: what it was waiting for. */
  readonly waitedFor?: "typing" | "open" | "approved";
  readonly void?: VoidReason;
  /** Of the target, what has changed. */
  readonly facts?: readonly IdentityFact[];
  readonly error?: ApprovalError;
}

/** What is known of carrying it out. Recorded before it begins. */
export interface Execution {
  readonly attempt: number;
  /** Token of the lease: what a worker that was taken over still writes is refused. */
  readonly fence: number;
  readonly host: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  /** How far it is, or what came of it. */
  readonly note?: Text;
  readonly error?: ApprovalError;
}

/** An order that needs approval: the entity behind the card. Times are ISO 8601. */
export interface Approval {
  readonly id: string;
  /** Of the registry of actions. */
  readonly action: string;
  /** Of the action; JSON without secrets. */
  readonly args: unknown;
  /** Name of the target, as it is typed. */
  readonly target: string;
  readonly identity: Identity;
  /** Digest of action, arguments, target and identity: exactly this is agreed to. */
  readonly binding: string;
  readonly title: Text;
  /** What people should know before they agree, a line each. */
  readonly details: readonly Text[];
  readonly policyName: ApprovalPolicyName;
  /** As it was when this was asked for. */
  readonly policy: ApprovalPolicy;
  /** The host whose worker has to carry it out; undefined: any. */
  readonly host?: string;
  /** Undefined: the program itself. */
  readonly requestedBy?: Person;
  /** The setting that agrees in the place of people, to what the program itself asks for. */
  readonly standing?: StandingPolicy;
  readonly requestedAt: string;
  /** That the name has to be typed, how often it was asked for, and why again. */
  readonly typed?: { readonly asked: number; readonly wrong: number; readonly again?: "wrong" | "late" };
  readonly confirmedAt?: string;
  readonly status: ApprovalStatus;
  /** When it ends by itself unless the next step is taken before. */
  readonly expiresAt: string;
  readonly approvals: readonly { readonly by: Person; readonly at: string }[];
  readonly ended?: ApprovalEnd;
  readonly execution?: Execution;
}

/** What happened to an approval, for the audit log. */
export interface ApprovalEvent {
  readonly what:
    | "requested"
    | "mistyped"
    | "confirmed"
    | "approved"
    | "withdrawn"
    | "agreed"
    | "rejected"
    | "reason"
    | "cancelled"
    | "expired"
    | "void"
    | "began"
    | "resumed"
    | "done"
    | "failed"
    | "unknown"
    | "refused";
  readonly by?: Person;
  /** A code, or what a person has written. */
  readonly why?: string;
}

/** Why somebody's decision does not count. */
export type Refusal = "role" | "requester" | "already" | "not-yours" | "not-asked" | "typing" | "expired" | "over";

/** An approval after something has happened to it; the same object when nothing has. */
export interface ApprovalStep {
  readonly approval: Approval;
  readonly events: readonly ApprovalEvent[];
  readonly refused?: Refusal;
}

/** What decisions are measured by at a moment. */
export interface Moment {
  readonly now: Date;
  /** Role of a listed person; undefined: not listed any more. */
  roleOf(id: number): Role | undefined;
  /** The policy in force. */
  readonly policy: ApprovalPolicy;
  /** Whether the configuration agrees by itself. */
  stands(policy: StandingPolicy): boolean;
}

/** True while people can still say yes or no, or take it back: nothing was begun. */
export function isUndecided({ status }: Approval): boolean {
  return status === "typing" || status === "open" || status === "approved";
}

/** True when nothing more happens to it. */
export function isOver(approval: Approval): boolean {
  return !isUndecided(approval) && approval.status !== "executing";
}

/** How many approvals are missing. */
export function missingApprovals({ policy, approvals }: Approval): number {
  return Math.max(0, policy.approvers - approvals.length);
}

/** Which facts of a target are not what they were. */
export function changedFacts(before: Identity, now: Identity): IdentityFact[] {
  return identityFacts.filter((fact) => before[fact] !== now[fact]);
}

/** Digest of exactly what is agreed to; the order of keys in the arguments makes no difference. */
export function bindingOf({
  action,
  args,
  target,
  identity,
}: Pick<Approval, "action" | "args" | "target" | "identity">): string {
  const whole = JSON.stringify([action, target, args, identity], (_key, value: unknown) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
  return createHash("sha256").update(whole).digest("hex");
}
