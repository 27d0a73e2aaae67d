import type { Changes } from "../../core/replacement.ts";
import { type Preflight, type Restoration, type RestorationPhase, restorationPhases } from "../../core/restoration.ts";
import { isBeyondCancel, keepsAside, owesPrograms } from "../../core/restoration-life.ts";
import type { RunError } from "../../core/run.ts";
import type { Text } from "../../core/text.ts";
import { formatBytes, formatCount, formatDuration, formatTime } from "../../messages/format.ts";
import { type Messages, reasonText } from "../../messages/index.ts";
import { oneLine } from "../foreign-text.ts";
import { countedWords, differenceLines } from "../proof-text.ts";
import { lostLines, moreLine, type RestoreSettings, remarkLines, unitText } from "./restoration-preflight.ts";
import type { RenderContext } from "./types.ts";

const longestReason = 600;
const mostChanged = 5;

/** What into what. */
export function aboutLines(restoration: Restoration, { messages, timezone, now }: RenderContext): string[] {
  const { backupAt, pick, place, preflight, only, to, status, createdAt } = restoration;
  // Once it is decided its age is what it was then.
  const isOpen = status === "looking" || status === "ready" || status === "refused" || status === "asked";
  const age = (isOpen ? now.getTime() : Date.parse(createdAt)) - Date.parse(backupAt);
  const lines = [
    messages.t("restore-card-backup", {
      at: formatTime(new Date(backupAt), messages.locale, timezone),
      age: formatDuration(age, messages.locale),
    }),
  ];
  if (pick !== undefined) lines.push(messages.t("restore-card-part", { pick: oneLine(pick, 200) }));
  const target = preflight?.database ?? to ?? only;
  if (target === undefined) {
    lines.push(messages.t(place === "in-place" ? "restore-card-in-place" : "restore-card-beside-unnamed"));
    return lines;
  }
  const server = serverOf(preflight?.facts ?? {});
  const on: Text | string = server === undefined ? "" : { key: "restore-card-on", args: { server } };
  const args = { target: oneLine(target, 200), server: on };
  lines.push(messages.t(place === "in-place" ? "restore-card-replaces" : "restore-card-beside", args));
  return lines;
}

/** What serves the target, with its version: "PostgreSQL 15.18". */
function serverOf(facts: Readonly<Record<string, string>>): string | undefined {
  const found = Object.entries(facts).find(([what]) => what === "PostgreSQL" || what === "Redis");
  return found && oneLine(found.join(" "), 60);
}

/** What of the phases applies to it, and what is said of each. */
function phasesOf(
  { place, before, phase, interruptedIn, preflight }: Restoration,
  settings: RestoreSettings | undefined,
): readonly RestorationPhase[] {
  const isShown = (one: RestorationPhase): boolean => {
    if (one === phase || one === interruptedIn) return true;
    switch (one) {
      case "waiting":
        return false;
      case "backup":
        return place === "in-place" && before !== "off" && preflight?.noFormer === undefined;
      case "stop":
        return place === "in-place" && (settings?.stop.length ?? 0) > 0;
      case "start":
        return place === "in-place" && (settings?.start.length ?? 0) > 0;
      case "swap":
        return place === "in-place";
      default:
        return true;
    }
  };
  return restorationPhases.filter(isShown);
}

function phaseName(phase: RestorationPhase, { place }: Restoration, messages: Messages): string {
  return messages.plain(
    phase === "restore" && place === "beside" ? "restore-card-phase-restore-beside" : `restore-card-phase-${phase}`,
  );
}

/** How far it is. */
export function runningBlocks(
  restoration: Restoration,
  settings: RestoreSettings | undefined,
  { messages, now }: RenderContext,
): string[][] {
  const { locale } = messages;
  const { phase, progress, startedAt, createdAt, cancelRequestedBy, preflight, place } = restoration;
  const at = restorationPhases.indexOf(phase);
  const steps = phasesOf(restoration, settings).map((one) => {
    const index = restorationPhases.indexOf(one);
    const args = { phase: phaseName(one, restoration, messages) };
    if (index === at) return messages.t("restore-card-step-now", args);
    return messages.t(index < at ? "restore-card-step-done" : "restore-card-step-next", args);
  });
  const lines: string[] = [];
  if (progress && progress.total > 0) {
    const percent = Math.min(100, Math.floor((100 * progress.bytes) / progress.total));
    const sizes = { read: formatBytes(progress.bytes, locale), total: formatBytes(progress.total, locale) };
    lines.push(messages.t("restore-card-progress", { ...sizes, percent }));
  }
  if (progress?.done !== undefined && progress.of !== undefined) {
    const known = ["tables", "rows", "keys", "files", "objects"].find((unit) => unit === progress.what);
    const args = { done: formatCount(progress.done, locale), of: formatCount(progress.of, locale) };
    if (known !== undefined) lines.push(messages.t(`restore-card-steps-${known}`, args));
  }
  const elapsed = now.getTime() - Date.parse(startedAt ?? createdAt);
  const duration = formatDuration(elapsed, locale);
  const estimated = preflight?.estimate?.totalMs;
  if (estimated === undefined) lines.push(messages.t("restore-card-elapsed", { duration }));
  else if (elapsed <= estimated)
    lines.push(
      messages.t("restore-card-elapsed-left", { duration, left: formatDuration(estimated - elapsed, locale) }),
    );
  else lines.push(messages.t("restore-card-elapsed-longer", { duration, estimate: formatDuration(estimated, locale) }));
  const end: string[] = [];
  if (cancelRequestedBy) end.push(messages.t("restore-card-cancelling", { by: cancelRequestedBy.name }));
  else if (isBeyondCancel(restoration) && place === "in-place") end.push(messages.t("restore-card-no-cancel"));
  return [steps, lines, waitingLines(restoration, messages), interruptionLines(restoration, messages), end];
}

/** Before anything is stopped: whoever is at the backups of that name would be cut off. */
function waitingLines({ waitsFor, name }: Restoration, messages: Messages): string[] {
  if (waitsFor === undefined) return [];
  return /^[0-9a-f]+$/.test(waitsFor)
    ? [messages.t("restore-card-waits-run", { run: waitsFor })]
    : [messages.t("restore-card-waits-other", { name })];
}

/** That a worker was lost, and what the next one has found. */
export function interruptionLines(restoration: Restoration, messages: Messages): string[] {
  const { interruptedIn, recovered, attempt } = restoration;
  if (interruptedIn === undefined) return [];
  const args = { attempt, phase: phaseName(interruptedIn, restoration, messages) };
  return [messages.t(recovered === undefined ? "restore-card-attempt" : `restore-card-attempt-${recovered}`, args)];
}

/** How it ended, what it has cost, and the way back. */
export function doneBlocks(restoration: Restoration, context: RenderContext): string[][] {
  const { messages } = context;
  const { locale } = messages;
  const { result, place, former, preflight, createdAt, startedAt, finishedAt, undo } = restoration;
  if (!result) return [];
  const counted = countedWords(result.compared, messages);
  const lines = [
    counted === undefined ? messages.t("restore-card-compared-none") : messages.t("restore-card-compared", { counted }),
  ];
  if (place === "in-place") {
    const restore = formatDuration(result.restoreMs, locale);
    lines.push(messages.t("restore-card-rto", { duration: formatDuration(result.rtoMs, locale), restore }));
    if (result.swap) lines.push(...swapLines(result.swap, preflight, messages));
  } else {
    const took = Date.parse(finishedAt ?? createdAt) - Date.parse(startedAt ?? createdAt);
    lines.push(messages.t("restore-card-rto-beside", { duration: formatDuration(took, locale) }));
    lines.push(messages.t("restore-card-untouched-live"));
  }
  return [
    lines,
    place === "in-place" && preflight ? lostLines(restoration, preflight, context) : [],
    place === "in-place" ? undoLines(restoration, context) : [],
    // Said with the end of the way back.
    former === undefined || undo?.droppedAt !== undefined ? [] : [messages.t("restore-card-former", { run: former })],
    remarkLines([...(result.swap?.remarks ?? []), ...(result.remarks ?? [])], messages),
    [...interruptionLines(restoration, messages), ...oweLines(restoration, messages)],
  ];
}

/** What whoever used it has noticed of the exchange: connections are a database's. */
function swapLines(
  { sessionsEnded, refusedMs }: { readonly sessionsEnded: number; readonly refusedMs: number },
  preflight: Preflight | undefined,
  messages: Messages,
): string[] {
  const { locale } = messages;
  // Mostly far below a second.
  const ms = new Intl.NumberFormat(locale, { style: "unit", unit: "millisecond", maximumFractionDigits: 0 });
  const refused = refusedMs < 1000 ? ms.format(refusedMs) : formatDuration(refusedMs, locale);
  if (preflight?.unit === "rows" || sessionsEnded > 0)
    return [messages.t("restore-card-refused-ms", { sessions: sessionsEnded, refused })];
  return refusedMs > 0 ? [messages.t("restore-card-away-ms", { refused })] : [];
}

/** The way back, and how far it is gone. */
function undoLines(restoration: Restoration, { messages, timezone }: RenderContext): string[] {
  const { undo, preflight, former } = restoration;
  if (!undo) return [];
  const time = (iso: string): string => formatTime(new Date(iso), messages.locale, timezone);
  const by = undo.by?.name ?? "?";
  const way = preflight?.wayBack ?? "kept";
  if (undo.droppedAt !== undefined)
    return [
      messages.t(way === "kept" ? "restore-card-dropped" : "restore-card-undo-over", { at: time(undo.droppedAt) }),
      ...(former === undefined ? [] : [messages.t("restore-card-former-free", { run: former })]),
    ];
  const lines = droppingLines(undo, messages);
  if (undo.status === "looking") return [...lines, messages.t("restore-card-undo-looking", { by })];
  if (undo.status === "asked") {
    const asked = messages.t("restore-card-undo-asked", { by, approval: undo.approval ?? "?" });
    return [...lines, asked, ...changeLines(undo.changes, "before", messages)];
  }
  if (undo.status === "running") return [...lines, messages.t("restore-card-undo-running", { by })];
  if (undo.status === "failed" && undo.error)
    lines.push(
      // It was not agreed to, or it did not work.
      messages.t(undo.error.step === "approval" ? "restore-card-undo-not" : "restore-card-undo-failed", {
        reason: oneLine(reasonText(undo.error, messages), longestReason),
      }),
    );
  if (undo.dropBy) return lines;
  if (undo.until === undefined) return [...lines, messages.t("restore-card-undo-open")];
  const until = way === "kept" ? "restore-card-undo-until" : `restore-card-undo-until-${way}`;
  return [...lines, messages.t(until, { at: time(undo.until) })];
}

/** Somebody does not want to wait for it to be dropped, or it could not be. */
function droppingLines({ dropBy, dropError }: NonNullable<Restoration["undo"]>, messages: Messages): string[] {
  const lines = dropBy ? [messages.t("restore-card-dropping", { by: dropBy.name })] : [];
  if (!dropError) return lines;
  const reason = oneLine(reasonText(dropError, messages), longestReason);
  return [...lines, messages.t("restore-card-drop-failed", { reason })];
}

/** What would be lost by going back, or was. */
function changeLines(changes: Changes | undefined, when: "before" | "after", messages: Messages): string[] {
  if (!changes) return [];
  const { changed, changedTotal, unit, written, gone } = changes;
  if (changedTotal === 0)
    return [messages.t(when === "before" ? "restore-card-undo-loses-nothing" : "restore-card-undo-lost-nothing")];
  const count = { written: unitText(unit, written, messages) };
  const shown = changed.slice(0, mostChanged);
  const title =
    when === "after"
      ? messages.t("restore-card-undo-lost", count)
      : gone > 0
        ? messages.t("restore-card-undo-loses-gone", { ...count, gone: unitText(unit, gone, messages) })
        : messages.t("restore-card-undo-loses", count);
  return [
    title,
    ...shown.map((one) =>
      messages.t("restore-card-undo-line", {
        what: oneLine(one.what, 80),
        written: unitText(unit, one.written + (one.gone ?? 0), messages),
      }),
    ),
    ...moreLine(changedTotal - shown.length, messages),
  ];
}

/** What was live before is being brought back. */
export function undoingBlocks(restoration: Restoration, { messages }: RenderContext): string[][] {
  const { undo } = restoration;
  return [
    [messages.t("restore-card-undo-running", { by: undo?.by?.name ?? "?" })],
    changeLines(undo?.changes, "before", messages),
    waitingLines(restoration, messages),
    interruptionLines(restoration, messages),
    oweLines(restoration, messages),
  ];
}

/** What was live before is live again. */
export function undoneBlocks(restoration: Restoration, { messages, timezone }: RenderContext): string[][] {
  const { undo, former, preflight } = restoration;
  const { locale } = messages;
  const lines = [messages.t("restore-card-undone", { by: undo?.by?.name ?? "?" })];
  if (undo?.report) lines.push(...swapLines(undo.report, preflight, messages));
  const kept: string[] = [];
  const isKept = preflight?.wayBack === "kept";
  const time = (iso: string): string => formatTime(new Date(iso), locale, timezone);
  if (isKept && undo?.droppedAt !== undefined)
    kept.push(messages.t("restore-card-undone-dropped", { at: time(undo.droppedAt) }));
  else if (isKept && undo?.until !== undefined && keepsAside(restoration))
    kept.push(messages.t("restore-card-undone-kept", { at: time(undo.until) }));
  if (undo?.dropBy && undo.droppedAt === undefined)
    kept.push(messages.t("restore-card-dropping", { by: undo.dropBy.name }));
  // Pinned until then.
  const isFree = undo?.droppedAt !== undefined;
  return [
    lines,
    remarkLines(undo?.report?.remarks ?? [], messages),
    changeLines(undo?.report?.changes ?? undo?.changes, "after", messages),
    kept,
    [
      ...(former === undefined
        ? []
        : [messages.t(isFree ? "restore-card-former-free" : "restore-card-former", { run: former })]),
      ...(undo?.former === undefined
        ? []
        : [messages.t(isFree ? "restore-card-former-undo-free" : "restore-card-former-undo", { run: undo.former })]),
    ],
    [...interruptionLines(restoration, messages), ...oweLines(restoration, messages)],
  ];
}

/** Why it failed, what is live now, and what to do. */
export function failedBlocks(restoration: Restoration, { messages }: RenderContext): string[][] {
  const { error, name, phase, result } = restoration;
  const target = restoration.preflight?.database ?? name;
  if (!error) return [];
  const live = liveNow(restoration);
  const at = { phase: phaseName(phase, restoration, messages) };
  return [
    [
      ...(phase === "waiting" ? [] : [messages.t("restore-card-failed-at", at)]),
      ...reasonLines(error, messages),
      ...(result ? differenceLines(result, messages) : []),
    ],
    [`<b>${messages.t(`restore-card-live-${live}`, { target })}</b>`],
    [...interruptionLines(restoration, messages), ...oweLines(restoration, messages)],
    formerLines(restoration, messages),
    [
      live === "unknown"
        ? messages.t("restore-card-failed-look", { target })
        : messages.t("restore-card-failed-do", { command: `/restore ${name}` }),
    ],
  ];
}

/** The backup that was made before, of one that has changed nothing: it stays pinned until that is known for sure. */
export function formerLines({ former, cleanUp }: Restoration, messages: Messages): string[] {
  if (former === undefined) return [];
  return [messages.t(cleanUp ? "restore-card-former" : "restore-card-former-free", { run: former })];
}

/** Why something did not work, with what the tool has said. */
export function reasonLines(error: RunError, messages: Messages): string[] {
  const reason = oneLine(reasonText(error, messages), longestReason);
  const stderr = error.stderr?.trim() ?? "";
  // An error without a sentence of its own may consist of the tool's only line.
  const isTold = stderr === "" || (error.text === undefined && error.message.includes(stderr));
  return [
    messages.t("restore-card-failed", { reason }),
    ...(isTold ? [] : [messages.t("restore-card-stderr", { stderr: stderr.slice(-longestReason) })]),
  ];
}

/**
 * What is live after a failure. Without `cleanUp` the target was asked, nothing was swapped, and what was made is removed; with
 * it nobody knows more than how far it had come.
 */
export function liveNow(restoration: Restoration): "untouched" | "stopped" | "back" | "unknown" {
  const { phase, place, cleanUp } = restoration;
  if (place === "beside") return "untouched";
  if (isBeyondCancel(restoration)) return cleanUp ? "unknown" : "back";
  return owesPrograms(restoration) && phase === "stop" ? "stopped" : "untouched";
}

/** What is still to be done, and what went wrong beside it. */
export function oweLines(restoration: Restoration, messages: Messages): string[] {
  const { programError, cleanUp, status } = restoration;
  const lines: string[] = [];
  if (programError)
    lines.push(
      messages.t("restore-card-program-failed", {
        step: programError.step,
        reason: oneLine(reasonText(programError, messages), longestReason),
      }),
    );
  if (owesPrograms(restoration) && status !== "running" && status !== "undoing")
    lines.push(messages.t("restore-card-programs-owed"));
  if (cleanUp) lines.push(messages.t("restore-card-clean-up"));
  return lines;
}
