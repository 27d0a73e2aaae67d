import {
  type Approval,
  type ApprovalError,
  type ApprovalStep,
  bindingOf,
  changedFacts,
  type Execution,
  type Identity,
  type Moment,
} from "./approval.ts";
import { settle, voided } from "./approval-decisions.ts";
import type { Text } from "./text.ts";

/** One that has ended so many workers is not tried again. */
const mostAttempts = 5;

/**
 * The last look before it is carried out: approved as it is now, by people who may, and the target is still the one
 * that was agreed to. Only then is it `executing`, which has to be on record before anything is done.
 */
export function begin(
  approval: Approval,
  identity: Identity,
  worker: Pick<Execution, "fence" | "host">,
  moment: Moment,
): ApprovalStep {
  const settled = settle(approval, moment);
  const current = settled.approval;
  if (current.status !== "approved") return settled;
  const facts = changedFacts(current.identity, identity);
  const stopped =
    bindingOf(current) === current.binding
      ? facts.length > 0 && voided(current, "target", moment, { facts })
      : voided(current, "arguments", moment);
  if (stopped) return { ...stopped, events: [...settled.events, ...stopped.events] };
  const execution = { ...worker, attempt: 1, startedAt: moment.now.toISOString() };
  return {
    approval: { ...current, status: "executing", execution },
    events: [...settled.events, { what: "began" }],
  };
}

/**
 * It was begun, and its worker is gone. What can go on is resumed by the one that comes; of anything else it is only
 * told that nobody knows what was done.
 */
export function takeOver(
  approval: Approval,
  interrupted: "resume" | "report",
  worker: Pick<Execution, "fence" | "host">,
  now: Date,
): ApprovalStep {
  const { execution, status } = approval;
  if (status !== "executing" || !execution) return { approval, events: [] };
  if (interrupted === "resume" && execution.attempt < mostAttempts)
    return {
      approval: { ...approval, execution: { ...execution, ...worker, attempt: execution.attempt + 1 } },
      events: [{ what: "resumed" }],
    };
  return {
    approval: { ...approval, status: "unknown", execution: { ...execution, endedAt: now.toISOString() } },
    events: [{ what: "unknown" }],
  };
}

/** How far it is. */
export function progressed(approval: Approval, note: Text): Approval {
  const { execution, status } = approval;
  return status === "executing" && execution ? { ...approval, execution: { ...execution, note } } : approval;
}

/** It was carried out, or has failed. */
export function finish(
  approval: Approval,
  outcome: { readonly note?: Text } | { readonly error: ApprovalError },
  now: Date,
): ApprovalStep {
  const { execution, status } = approval;
  if (status !== "executing" || !execution) return { approval, events: [] };
  const { note: _progress, ...rest } = execution;
  const what = "error" in outcome ? "failed" : "done";
  return {
    approval: { ...approval, status: what, execution: { ...rest, ...outcome, endedAt: now.toISOString() } },
    events: [{ what, ...("error" in outcome ? { why: outcome.error.code } : {}) }],
  };
}
