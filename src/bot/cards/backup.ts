import { deepest, failure, type Proof } from "../../core/proof.ts";
import { type BackupRun, isFinal, type RunCopy, type RunError, rawBytes, storedBytes } from "../../core/run.ts";
import { lateAfterMs } from "../../core/schedule.ts";
import { formatBytes, formatCount, formatDuration, formatRate, formatTime } from "../../messages/format.ts";
import { type Messages, reasonOf } from "../../messages/index.ts";
import { noteLines } from "../../messages/notes.ts";
import { restoreHolder } from "../../services/backup/holders.ts";
import type { BackupOrders } from "../../services/backup/orders.ts";
import { reasonFor } from "../proof-text.ts";
import type { CardButton, CardKind, RenderContext } from "./types.ts";

/** The card of a backup run: what is being done, how far it is, how it ended and where the copies are. */
export function backupCard(deps: { readonly orders: BackupOrders }): CardKind<BackupRun> {
  return {
    kind: "backup",
    render: (run, context) => {
      const raise = raiseKey(run);
      return {
        html: [[heading(run, context)], ...body(run, context, deps.orders), hooks(run, context), footer(run, context)]
          .filter((block) => block.length > 0)
          .map((block) => block.join("\n"))
          .join("\n\n"),
        buttons: buttons(run, context.messages),
        ...(raise === undefined ? {} : { raise }),
      };
    },
    actions: {
      cancel: {
        role: "operator",
        toast: (_run, messages) => messages.plain("toast-cancelling"),
        run: async (run, { by }) => {
          await deps.orders.cancel(run.id, by);
        },
      },
      retry: {
        role: "operator",
        toast: (run, messages) => messages.plain("toast-retrying", { name: run.name }),
        run: async (run, { by, target }) => {
          await deps.orders.retry(run.id, by, target);
        },
      },
      // Asks how deep, and says what that costs.
      verify: {
        role: "operator",
        toast: (_run, messages) => messages.plain("toast-choose"),
        run: async ({ name, id }, { open }) => await open({ kind: "verify", state: { name, backup: id } }),
      },
    },
  };
}

/** Bad news of a run that nobody is watching rings: the schedule's card was posted long ago. */
function raiseKey(run: BackupRun): string | undefined {
  if (run.trigger !== "schedule" && run.trigger !== "catch-up") return undefined;
  return run.status === "failed" ? "failed" : undefined;
}

function heading(run: BackupRun, { messages }: RenderContext): string {
  return messages.t(`backup-title-${run.status}`, { name: run.name });
}

/** Blocks of lines, shown with a blank line between them. */
function body(run: BackupRun, context: RenderContext, orders: BackupOrders): string[][] {
  switch (run.status) {
    case "queued":
      return [queued(run, context, orders)];
    case "running":
      return [running(run, context), interruption(run, context)];
    case "succeeded":
    case "degraded":
      return finished(run, context);
    case "failed":
      return failed(run, context);
    case "cancelled":
      return [
        [context.messages.t("backup-cancelled", { by: run.cancelRequestedBy?.name ?? "?" }), kept(run, context)],
        retried(run, context),
      ];
  }
}

/** A program for afterwards failed: the backup is what it is, but something may still be stopped. */
function hooks({ hookError }: BackupRun, { messages }: RenderContext): string[] {
  if (!hookError) return [];
  return [messages.t("backup-hook-failed", { step: hookError.step, reason: reasonOf(hookError) })];
}

function queued(run: BackupRun, context: RenderContext, orders: BackupOrders): string[] {
  const { messages, workers, now, timezone } = context;
  if (run.notBefore !== undefined && new Date(run.notBefore) > now) {
    const at = formatTime(new Date(run.notBefore), messages.locale, timezone);
    return [messages.t("backup-waits-window", { at })];
  }
  if (workers && !orders.isServed(run, workers, now)) {
    const host = orders.hostOf(run.name);
    return [host === undefined ? messages.t("backup-no-worker") : messages.t("backup-no-worker-on", { host })];
  }
  if (run.interruptedIn !== undefined)
    return [messages.t("backup-interrupted-waiting", { phase: phaseName(run.interruptedIn, messages) })];
  return [waitingLine(run, messages)];
}

function running(run: BackupRun, { messages, now }: RenderContext): string[] {
  const { locale } = messages;
  const lines = [messages.t("backup-phase", { phase: phaseName(run.phase, messages) })];
  const elapsed = now.getTime() - Date.parse(run.startedAt ?? run.createdAt);
  const { progress } = run;
  if (progress) {
    const measured = Date.parse(progress.at) - Date.parse(run.startedAt ?? run.createdAt);
    if (progress.rawBytes !== undefined && progress.rawBytes > 1000) {
      const rate = formatRate(progress.rawBytes / Math.max(measured / 1000, 0.5), locale);
      const read = formatBytes(progress.rawBytes, locale);
      const expected = progress.expectedRawBytes;
      lines.push(
        expected !== undefined && expected > progress.rawBytes
          ? messages.t("backup-read-of", { read, expected: formatBytes(expected, locale), rate })
          : messages.t("backup-read", { read, rate }),
      );
    }
    if (progress.bytes > 0) {
      const rate = formatRate(progress.bytes / Math.max(measured / 1000, 0.5), locale);
      lines.push(messages.t("backup-written", { bytes: formatBytes(progress.bytes, locale), rate }));
    }
  }
  lines.push(messages.t("backup-elapsed", { duration: formatDuration(elapsed, locale) }));
  if (run.cancelRequestedBy) lines.push(messages.t("backup-cancelling", { by: run.cancelRequestedBy.name }));
  return lines;
}

/** That this is not the first attempt, and what became of the one before. */
function interruption(run: BackupRun, { messages }: RenderContext): string[] {
  if (run.attempt <= 1 || run.interruptedIn === undefined) return [];
  return [messages.t("backup-attempt", { attempt: run.attempt, phase: phaseName(run.interruptedIn, messages) })];
}

/** What is left of a run that made no backup: nothing, or what a store out of reach has not let us remove yet. */
function kept(run: BackupRun, { messages }: RenderContext): string {
  const storages = [...new Set([...run.open, ...(run.leftIn ?? [])].map(({ storage }) => storage))];
  if (storages.length === 0) return messages.t("backup-nothing-kept");
  return messages.t("backup-leftovers", { storages: storages.join(", ") });
}

function retried(run: BackupRun, { messages }: RenderContext): string[] {
  if (!run.retried) return [];
  return [messages.t("backup-retried", { by: run.retried.by.name, run: run.retried.run })];
}

function finished(run: BackupRun, context: RenderContext): string[][] {
  const { messages } = context;
  const { locale } = messages;
  const { manifest } = run;
  if (!manifest) return [];
  const bytes = storedBytes(manifest);
  const raw = rawBytes(manifest);
  const lines: string[] = [];
  const size = formatBytes(bytes, locale);
  if (raw === undefined || raw === 0 || bytes === 0) lines.push(messages.t("backup-size", { size }));
  else {
    const ratio = new Intl.NumberFormat(locale, { maximumSignificantDigits: 3 }).format(raw / bytes);
    lines.push(messages.t("backup-size-ratio", { size, raw: formatBytes(raw, locale), ratio }));
  }
  const artifact = manifest.parts[0];
  if (artifact) lines.push(messages.t("backup-sha256", { sha256: artifact.sha256.slice(0, 16) }));
  const counted = manifest.parts.flatMap((part) => Object.values(part.tables ?? {}));
  if (counted.length > 0) {
    const rows = counted.reduce((sum, count) => sum + count, 0);
    lines.push(messages.t("backup-rows", { tables: counted.length, rows, rowsText: formatCount(rows, locale) }));
  }
  const took = Date.parse(manifest.finishedAt) - Date.parse(manifest.startedAt);
  lines.push(
    messages.t(run.encrypted ? "backup-took-encrypted" : "backup-took", { duration: formatDuration(took, locale) }),
  );
  const notes = noteLines(manifest, locale).map(({ key, args }) => messages.t(key, args));
  const copies = run.copies.map((copy) => copyLine(copy, context));
  if (run.folder !== undefined) copies.push(messages.t("backup-folder", { folder: run.folder }));
  return [lines, notes, copies, proven(run, context), interruption(run, context)];
}

/** How deep it was proven and when, or what a later look has found. */
function proven({ proofs = [] }: BackupRun, { messages, timezone }: RenderContext): string[] {
  const storageOf = (proof: Proof): string => proofs.find((each) => each === proof)?.storage ?? "?";
  const time = ({ at }: Proof): string => formatTime(new Date(at), messages.locale, timezone);
  const bad = failure(proofs);
  const good = deepest(proofs);
  const lines: string[] = [];
  if (bad) {
    const reason = bad.error
      ? reasonFor(bad.error, messages)
      : { key: "verify-reason-differences", args: { count: bad.differencesTotal ?? 0 } };
    lines.push(messages.t("backup-proof-failed", { at: time(bad), storage: storageOf(bad), reason }));
  }
  if (good) {
    const args = { at: time(good), storage: storageOf(good), depth: { key: `depth-${good.depth}` } };
    const { restoreMs } = good;
    lines.push(
      restoreMs === undefined
        ? messages.t("backup-proof", args)
        : messages.t("backup-proof-restore", { ...args, duration: formatDuration(restoreMs, messages.locale) }),
    );
  }
  return lines;
}

function copyLine(copy: RunCopy, { messages, now, timezone }: RenderContext): string {
  const args = { storage: copy.storage, location: copy.location };
  if (copy.status === "stored") return messages.t("backup-copy-stored", args);
  if (copy.status === "gone") {
    const at = formatTime(new Date(copy.goneAt ?? now), messages.locale, timezone);
    return messages.t(copy.pruned ? "backup-copy-pruned" : "backup-copy-gone", { ...args, at });
  }
  const reason = copy.error ? reasonOf(copy.error) : "";
  if (copy.status === "retrying") {
    const wait = copy.retryAt === undefined ? 0 : Math.max(0, Date.parse(copy.retryAt) - now.getTime());
    return messages.t(wait === 0 ? "backup-copy-retrying" : "backup-copy-retrying-in", {
      ...args,
      reason,
      tries: copy.tries ?? 0,
      wait: formatDuration(wait, messages.locale),
    });
  }
  return messages.t("backup-copy-missing", { ...args, reason });
}

function failed(run: BackupRun, context: RenderContext): string[][] {
  const { messages } = context;
  const { error } = run;
  if (!error) return [];
  const lines = [
    messages.t("backup-failed-step", { step: stepName(error, messages) }),
    messages.t("backup-failed-reason", { reason: reasonOf(error) }),
  ];
  // An error without a sentence of its own may consist of the tool's only line.
  const told = error.text === undefined && error.message.includes(error.stderr?.trim() ?? "");
  if (error.stderr !== undefined && !told) lines.push(messages.t("backup-stderr", { stderr: error.stderr }));
  const advice = run.retried ? [] : [messages.t(adviceKey(error))];
  return [lines, [kept(run, context), ...advice], retried(run, context)];
}

const adviceKeys = [
  "tool-missing",
  "tool-too-old",
  "tool-failed",
  "source-unreachable",
  "source-refused",
  "source-failed",
  "storage-unreachable",
  "storage-refused",
  "storage-full",
  "storage-mismatch",
  "encryption",
  "timeout",
];

function adviceKey(error: RunError): string {
  return adviceKeys.includes(error.code) ? `advice-${error.code}` : "advice-other";
}

/** A phase by its name in the language; a tool's own name stays as it is. */
function stepName(error: RunError, messages: Messages): string {
  return messages.has(`phase-${error.step}`) ? phaseName(error.step, messages) : error.step;
}

function waitingLine({ waitsFor }: BackupRun, messages: Messages): string {
  if (waitsFor === undefined) return messages.t("backup-waiting");
  if (!waitsFor.startsWith(restoreHolder)) return messages.t("backup-waits-for", { run: waitsFor });
  return messages.t("backup-waits-for-restore", { restoration: waitsFor.slice(restoreHolder.length) });
}

function phaseName(phase: string, messages: Messages): string {
  return messages.plain(`phase-${phase}`);
}

function footer(run: BackupRun, { messages, timezone }: RenderContext): string[] {
  const time = (iso: string): string => formatTime(new Date(iso), messages.locale, timezone);
  const parts = [run.sourceTitle === undefined ? undefined : messages.t("backup-source", { source: run.sourceTitle })];
  if (run.trigger === "catch-up" && run.dueAt !== undefined)
    parts.push(messages.t("backup-by-catch-up", { due: time(run.dueAt), created: time(run.createdAt) }));
  else if (run.trigger === "schedule" && run.dueAt !== undefined) {
    const waitedMs = Date.parse(run.createdAt) - Date.parse(run.dueAt);
    parts.push(
      waitedMs > lateAfterMs
        ? messages.t("backup-by-schedule-waited", { due: time(run.dueAt), created: time(run.createdAt) })
        : messages.t("backup-by-schedule", { due: time(run.dueAt) }),
    );
  } else if (run.trigger === "retry")
    parts.push(
      messages.t("backup-by-retry", {
        by: run.requestedBy?.name ?? "?",
        run: run.retryOf ?? "?",
        created: time(run.createdAt),
      }),
    );
  else if (run.trigger === "before-restore" || run.trigger === "before-undo")
    parts.push(
      messages.t(run.trigger === "before-undo" ? "backup-by-before-undo" : "backup-by-before-restore", {
        by: run.requestedBy?.name ?? "?",
        restoration: run.restoration ?? "?",
        created: time(run.createdAt),
      }),
    );
  else if (run.requestedBy)
    parts.push(messages.t("backup-by-person", { by: run.requestedBy.name, created: time(run.createdAt) }));
  else parts.push(messages.t("backup-by-cli", { created: time(run.createdAt) }));
  if (run.missed) parts.push(messages.t("backup-missed", { missed: run.missed }));
  parts.push(messages.t("backup-run", { run: run.id }));
  return parts.filter((part) => part !== undefined);
}

function buttons(run: BackupRun, messages: Messages): CardButton[][] {
  if (run.retried) return [];
  if (run.status === "failed" || run.status === "cancelled")
    return [[{ action: "retry", label: messages.plain("button-retry"), style: "primary" }]];
  if (isFinal(run.status)) {
    // Of what is gone nothing can be proven.
    if (run.copies.length > 0 && run.copies.every(({ status }) => status === "gone")) return [];
    return [[{ action: "verify", label: messages.plain("button-verify") }]];
  }
  if (run.cancelRequestedBy) return [];
  return [[{ action: "cancel", label: messages.plain("button-cancel"), style: "danger" }]];
}
