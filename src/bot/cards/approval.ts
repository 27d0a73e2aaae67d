import { type Approval, isUndecided, missingApprovals, type Refusal } from "../../core/approval.ts";
import { powerActions } from "../../core/power.ts";
import { formatDuration, formatTime } from "../../messages/format.ts";
import { type Messages, reasonOf } from "../../messages/index.ts";
import type { Approvals, Decision } from "../../services/approvals/approvals.ts";
import type { ApprovalStates } from "../../state/approvals.ts";
import { oneLine } from "../foreign-text.ts";
import type { CardAction, CardButton, CardKind, CardReply, RenderContext } from "./types.ts";

export interface ApprovalCardDeps {
  readonly approvals: Pick<Approvals, "decide" | "refusal" | "settled">;
  readonly approvalStates: Pick<ApprovalStates, "prompted">;
}

/** What takes longer rings when it is done; milliseconds. */
const longMs = 60_000;

/** The card of a dangerous order, from the request to what came of it. */
export function approvalCard({ approvals, approvalStates }: ApprovalCardDeps): CardKind<Approval> {
  const decision = (
    what: Decision,
    done: (approval: Approval, messages: Messages) => string,
  ): CardAction<Approval> => ({
    // Who may is a matter of each approval's policy.
    role: "viewer",
    toast: (approval, messages, by) => {
      const refused = approvals.refusal(approval, what, by);
      return refused ? refusalToast(refused, approvals.settled(approval), messages) : done(approval, messages);
    },
    run: async ({ id }, { by }) => {
      await approvals.decide(id, what, by);
    },
  });
  return {
    kind: "approval",
    render: (approval, context) => {
      const reply = question(approval, context);
      const raise = raiseKey(approval);
      return {
        html: [
          heading(approval, context),
          people(approval, context),
          state(approval, context),
          footer(approval, context),
        ]
          .filter((block) => block.length > 0)
          .map((block) => block.join("\n"))
          .join("\n\n"),
        title: context.messages.plain(approval.title.key, approval.title.args),
        buttons: buttons(approval, context),
        ...(reply ? { reply } : {}),
        ...(raise === undefined ? {} : { raise }),
      };
    },
    refusal: (approval, _action, messages) => {
      const settled = approvals.settled(approval);
      return refusalToast(settled.status === "expired" ? "expired" : "over", settled, messages);
    },
    asked: async (id, key, { chatId, messageId }) =>
      await approvalStates.prompted(chatId, messageId, { about: key === "reason" ? "reason" : "name", id }),
    actions: {
      approve: decision("approve", (approval, messages) => {
        const missing = missingApprovals(approval) - 1;
        return missing > 0
          ? messages.plain("toast-approval-counts", { missing })
          : messages.plain("toast-approval-agreed");
      }),
      reject: decision("reject", (_approval, messages) => messages.plain("toast-approval-rejected")),
      cancel: decision("cancel", (_approval, messages) => messages.plain("toast-approval-cancelled")),
    },
  };
}

/** Why a decision does not count, to the person who made it. */
export function refusalToast(refused: Refusal, approval: Approval, messages: Messages): string {
  const { policy, status, requestedBy, ended } = approval;
  // A reason is asked of who has rejected it.
  const by = (refused === "not-asked" && ended?.by ? ended.by : requestedBy)?.name ?? "Vakhta";
  switch (refused) {
    case "role":
      return messages.plain("toast-role", { role: { key: `role-${policy.role}` } });
    case "requester":
    case "already":
    case "not-yours":
    case "not-asked":
    case "typing":
    case "expired":
      return messages.plain(`toast-approval-${refused}`, { by });
    case "over":
      return messages.plain("toast-approval-over", { status: { key: `approval-is-${status}` } });
  }
}

/** It is for others now, or something has gone wrong, or who has waited for it need not look any more. */
function raiseKey({ status, typed, execution, ended }: Approval): string | undefined {
  if (status === "open") return typed ? "open" : undefined;
  if (status === "failed" || status === "unknown") return "ended";
  if (status === "void") return ended?.void === "mistyped" ? undefined : "ended";
  if (status !== "done" || !execution?.endedAt) return undefined;
  return Date.parse(execution.endedAt) - Date.parse(execution.startedAt) >= longMs ? "ended" : undefined;
}

/** Done as far as this card goes: a server takes its time, and the order's own card follows it. */
function isOrdered({ status, action }: Approval): boolean {
  return status === "done" && powerActions.some((power) => power === action);
}

function heading(approval: Approval, { messages }: RenderContext): string[] {
  const { status, title, details } = approval;
  const shown = isOrdered(approval) ? "ordered" : status;
  return [messages.t(`approval-title-${shown}`, { title }), ...details.map(({ key, args }) => messages.t(key, args))];
}

function people(approval: Approval, { messages, timezone }: RenderContext): string[] {
  const at = (iso: string): string => formatTime(new Date(iso), messages.locale, timezone);
  const { requestedBy, requestedAt, approvals } = approval;
  return [
    requestedBy
      ? messages.t("approval-asked-by", { by: requestedBy.name, at: at(requestedAt) })
      : messages.t("approval-asked-itself", { at: at(requestedAt) }),
    ...approvals.map((one) => messages.t("approval-approved-by", { by: one.by.name, at: at(one.at) })),
  ];
}

function state(approval: Approval, context: RenderContext): string[] {
  const { messages, timezone } = context;
  const at = (iso = ""): string => formatTime(new Date(iso), messages.locale, timezone);
  const { status, requestedBy, ended, policy, target } = approval;
  const by = requestedBy?.name ?? "";
  const until = messages.t("approval-until", { at: at(approval.expiresAt) });
  switch (status) {
    case "typing":
      return [messages.t("approval-typing", { by }), until];
    case "open": {
      const args = {
        missing: missingApprovals(approval),
        needed: policy.approvers,
        role: { key: `role-${policy.role}` },
      };
      const alone = policy.requesterCounts || !requestedBy ? [] : [messages.t("approval-others", { by })];
      return [messages.t("approval-missing", args), ...alone, until];
    }
    case "approved":
      return [messages.t("approval-waits"), until];
    case "executing":
    case "done":
    case "failed":
    case "unknown":
      return execution(approval, context);
    case "rejected":
      return [
        messages.t("approval-rejected-by", { by: ended?.by?.name ?? "", at: at(ended?.at) }),
        ...(ended?.reason === undefined ? [] : [messages.t("approval-reason", { reason: oneLine(ended.reason) })]),
      ];
    case "cancelled":
      return [messages.t("approval-cancelled-by", { by: ended?.by?.name ?? "", at: at(ended?.at) })];
    case "expired":
      return [messages.t(`approval-expired-${ended?.waitedFor ?? "open"}`, { by })];
    case "void": {
      const facts = (ended?.facts ?? []).map((fact) => messages.plain(`approval-fact-${fact}`)).join(", ");
      const reason = ended?.error ? [messages.t("approval-error", { reason: reasonOf(ended.error) })] : [];
      return [messages.t(`approval-void-${ended?.void ?? "target"}`, { facts, target, by }), ...reason];
    }
  }
}

function execution(approval: Approval, { messages, timezone, now }: RenderContext): string[] {
  const { execution: known, status, target } = approval;
  if (!known) return [];
  const { host, startedAt, endedAt, attempt, note, error } = known;
  const end = endedAt === undefined ? now : new Date(endedAt);
  const duration = formatDuration(end.getTime() - Date.parse(startedAt), messages.locale);
  const lines: string[] = [];
  if (status === "executing") {
    lines.push(
      messages.t("approval-executing", { host, at: formatTime(new Date(startedAt), messages.locale, timezone) }),
    );
    if (attempt > 1) lines.push(messages.t("approval-resumed", { attempt }));
  } else if (status === "done")
    lines.push(messages.t(isOrdered(approval) ? "approval-ordered" : "approval-done", { host, duration }));
  else if (error) lines.push(messages.t("approval-failed", { host, duration, reason: reasonOf(error) }));
  else lines.push(messages.t("approval-unknown", { host, target }));
  if (note) lines.push(messages.t(note.key, note.args));
  return lines;
}

function footer({ id, binding }: Approval, { messages }: RenderContext): string[] {
  return [messages.t("approval-id", { id, binding: binding.slice(0, 12) })];
}

/** What is asked of one person, below the card. */
function question(approval: Approval, { messages, timezone, now }: RenderContext): CardReply | undefined {
  const { status, typed, requestedBy, target, expiresAt, ended } = approval;
  if (status === "typing" && typed && requestedBy && Date.parse(expiresAt) > now.getTime()) {
    const who = { user: String(requestedBy.id), name: requestedBy.name };
    const until = formatTime(new Date(expiresAt), messages.locale, timezone);
    const again = typed.again ? `${messages.t(`approval-again-${typed.again}`)}\n` : "";
    const html = `${again}${messages.t("approval-type-name", { ...who, target, until })}`;
    return { key: ["name", typed.asked].join("-"), html, forceReply: messages.plain("approval-type-here", { target }) };
  }
  if (status !== "rejected" || !ended?.by || ended.reason !== undefined) return undefined;
  const html = messages.t("approval-ask-reason", { user: String(ended.by.id), name: ended.by.name });
  return { key: "reason", html, forceReply: messages.plain("approval-reason-here") };
}

function buttons(approval: Approval, { messages, now }: RenderContext): CardButton[][] {
  if (!isUndecided(approval) || Date.parse(approval.expiresAt) <= now.getTime()) return [];
  const reject = { action: "reject", label: messages.plain("button-reject") };
  const cancel = { action: "cancel", label: messages.plain("button-cancel") };
  if (approval.status !== "open") return [[reject, cancel]];
  return [[{ action: "approve", label: messages.plain("button-approve"), style: "danger" }, reject], [cancel]];
}
