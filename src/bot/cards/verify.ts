import { isOver, type Verification } from "../../core/verification.ts";
import { formatBytes, formatDuration, formatTime } from "../../messages/format.ts";
import { type Messages, reasonOf } from "../../messages/index.ts";
import type { VerificationOrders } from "../../services/backup/verifications.ts";
import { differencesDocument, proofLines, proofRemarks } from "../proof-text.ts";
import type { CardButton, CardKind, RenderContext } from "./types.ts";

export interface VerifyCardDeps {
  readonly verificationOrders: VerificationOrders;
}

/** The card of a verification: what is proven, how far it is, and what was found in words. */
export function verifyCard({ verificationOrders: orders }: VerifyCardDeps): CardKind<Verification> {
  return {
    kind: "verify",
    render: (verification, context) => {
      const document = documentOf(verification, context);
      const raise = raiseKey(verification);
      return {
        html: [
          [heading(verification, context.messages)],
          ...body(verification, context, orders),
          footer(verification, context),
        ]
          .filter((block) => block.length > 0)
          .map((block) => block.join("\n"))
          .join("\n\n"),
        buttons: buttons(verification, context.messages),
        ...(document ? { document } : {}),
        ...(raise === undefined ? {} : { raise }),
      };
    },
    actions: {
      cancel: {
        role: "operator",
        toast: (_verification, messages) => messages.plain("toast-cancelling"),
        run: async ({ id }, { by }) => {
          await orders.cancel(id, by);
        },
      },
      again: {
        role: "operator",
        toast: (_verification, messages) => messages.plain("toast-verifying"),
        run: async ({ id }, { by, target }) => {
          await orders.again(id, by, target);
        },
      },
    },
  };
}

/** Bad news of a look that nobody is waiting for rings. */
function raiseKey({ trigger, status }: Verification): string | undefined {
  return (trigger === "schedule" || trigger === "copy") && status === "failed" ? "failed" : undefined;
}

function heading({ status, proof, name }: Verification, messages: Messages): string {
  if (status === "failed") return messages.t(proof ? "verify-title-failed" : "verify-title-unknown", { name });
  if (status === "passed") return messages.t(proof?.because ? "verify-title-shallow" : "verify-title-passed", { name });
  return messages.t(`verify-title-${status}`, { name });
}

function body(verification: Verification, context: RenderContext, orders: VerificationOrders): string[][] {
  const what = about(verification, context);
  switch (verification.status) {
    case "queued":
      return [what, queued(verification, context, orders)];
    case "running":
      return [what, running(verification, context)];
    case "cancelled":
      return [what, [context.messages.t("verify-cancelled", { by: verification.cancelRequestedBy?.name ?? "?" })]];
    case "passed":
    case "failed":
      return [what, ...ended(verification, context)];
  }
}

function about(
  { backupAt, storage, location, depth, status }: Verification,
  { messages, timezone }: RenderContext,
): string[] {
  const at = formatTime(new Date(backupAt), messages.locale, timezone);
  const lines = [messages.t("verify-backup-plain", { at }), messages.t("verify-copy", { storage, location })];
  if (status === "queued" || status === "running")
    lines.push(messages.t("verify-wanted", { depth: { key: `depth-${depth}` } }));
  return lines;
}

function queued(
  verification: Verification,
  { messages, workers, now }: RenderContext,
  orders: VerificationOrders,
): string[] {
  if (workers && !orders.isServed(verification, workers, now)) {
    const host = orders.hostOf(verification);
    return [host === undefined ? messages.t("backup-no-worker") : messages.t("backup-no-worker-on", { host })];
  }
  const { interruptedIn, waitsFor } = verification;
  if (interruptedIn !== undefined)
    return [messages.t("backup-interrupted-waiting", { phase: messages.plain(`verify-phase-${interruptedIn}`) })];
  return [
    waitsFor === undefined ? messages.t("verify-waiting") : messages.t("verify-waits", { verification: waitsFor }),
  ];
}

function running(verification: Verification, { messages, now }: RenderContext): string[] {
  const { locale } = messages;
  const { phase, progress, startedAt, createdAt, attempt, interruptedIn, cancelRequestedBy } = verification;
  const lines = [messages.t("verify-phase", { phase: messages.plain(`verify-phase-${phase}`) })];
  if (progress && progress.total > 0) {
    const percent = Math.floor((100 * progress.bytes) / progress.total);
    const sizes = { read: formatBytes(progress.bytes, locale), total: formatBytes(progress.total, locale) };
    lines.push(messages.t("verify-progress", { ...sizes, percent }));
  }
  const elapsed = now.getTime() - Date.parse(startedAt ?? createdAt);
  lines.push(messages.t("verify-elapsed", { duration: formatDuration(elapsed, locale) }));
  if (attempt > 1 && interruptedIn !== undefined)
    lines.push(messages.t("verify-attempt", { attempt, phase: messages.plain(`verify-phase-${interruptedIn}`) }));
  if (cancelRequestedBy) lines.push(messages.t("verify-cancelling", { by: cancelRequestedBy.name }));
  return lines;
}

function ended({ proof, error, unrecorded, encrypted }: Verification, { messages }: RenderContext): string[][] {
  if (!proof) {
    if (!error) return [];
    const stderr = error.stderr === undefined ? [] : [messages.t("verify-stderr", { stderr: error.stderr })];
    return [[messages.t("verify-reason", { reason: reasonOf(error) }), ...stderr], [messages.t("verify-do-elsewhere")]];
  }
  const duration = formatDuration(proof.elapsedMs, messages.locale);
  const lines = [...proofLines(proof, messages, encrypted), messages.t("verify-took", { duration })];
  const notes = proofRemarks(proof, messages);
  if (unrecorded) notes.push(messages.t("verify-unrecorded", { reason: reasonOf(unrecorded) }));
  return [lines, ...(proof.ok ? [] : [[messages.t(adviceKey(proof.error?.code))]]), notes];
}

function adviceKey(code: string | undefined): string {
  if (code === undefined) return "verify-do-differs";
  return code === "encryption" ? "verify-do-key" : "verify-do-damaged";
}

function footer(verification: Verification, { messages, timezone }: RenderContext): string[] {
  const { trigger, dueAt, createdAt, requestedBy, again, id } = verification;
  const time = (iso: string): string => formatTime(new Date(iso), messages.locale, timezone);
  const lines: string[] = [];
  if (trigger === "schedule") lines.push(messages.t("verify-by-schedule", { due: time(dueAt ?? createdAt) }));
  else if (trigger === "copy") lines.push(messages.t("verify-by-copy", { created: time(createdAt) }));
  else if (trigger === "drill") lines.push(messages.t("verify-by-drill", { created: time(createdAt) }));
  else lines.push(messages.t("verify-by-person", { by: requestedBy?.name ?? "?", created: time(createdAt) }));
  lines.push(messages.t("verify-id", { verification: id }));
  if (again) lines.push(messages.t("verify-again-by", { by: again.by.name, verification: again.verification }));
  return lines;
}

function documentOf(
  { proof, name, backupAt, id }: Verification,
  { messages, timezone }: RenderContext,
): { readonly name: string; readonly text: string } | undefined {
  if (!proof) return undefined;
  const at = formatTime(new Date(backupAt), messages.locale, timezone);
  const text = differencesDocument(proof, messages.plain("verify-document-title", { name, at }), messages);
  return text === undefined ? undefined : { name: `differences-${id}.txt`, text };
}

function buttons(verification: Verification, messages: Messages): CardButton[][] {
  if (verification.again) return [];
  if (isOver(verification)) return [[{ action: "again", label: messages.plain("button-verify-again") }]];
  if (verification.cancelRequestedBy) return [];
  return [[{ action: "cancel", label: messages.plain("button-cancel"), style: "danger" }]];
}
