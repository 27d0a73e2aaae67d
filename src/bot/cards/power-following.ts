import { endsOn, isOver, type PowerOrder, stagesOf } from "../../core/power.ts";
import { formatDuration, formatTime } from "../../messages/format.ts";
import type { Messages } from "../../messages/index.ts";
import { oneLine } from "../foreign-text.ts";
import type { RenderContext } from "./types.ts";

/** What the program itself has found, where it wants it. */
export function whyLines({ why = [] }: PowerOrder, messages: Messages): string[] {
  if (why.length === 0) return [];
  return [messages.t("power-why"), ...why.map(({ key, args }) => `• ${messages.t(key, args)}`)];
}

/** How a server comes along, and what of that is not known. Blocks of lines. */
export function followBlocks(order: PowerOrder, context: RenderContext): string[][] {
  return [
    whyLines(order, context.messages),
    noteLines(order, context),
    stageLines(order, context),
    tailLines(order, context),
  ];
}

const toldKeys: Readonly<Partial<Record<PowerOrder["status"], string>>> = {
  unclear: "power-unclear-text",
  unknown: "power-unknown-text",
  lost: "power-lost-text",
};

function noteLines(order: PowerOrder, { messages, timezone }: RenderContext): string[] {
  const { status, blindSince, blindText, late, seen } = order;
  const time = (iso: string): string => formatTime(new Date(iso), messages.locale, timezone);
  const told = toldKeys[status];
  const notes = told === undefined ? [] : [messages.t(told)];
  if (status === "late" && late) notes.push(messages.t(`power-late-now-${late.cause}`));
  const isBlind = blindSince !== undefined && !isOver(order);
  if (isBlind) {
    const reason = blindText ? oneLine(messages.plain(blindText.key, blindText.args), 300) : "?";
    notes.push(messages.t("power-blind", { since: time(blindSince), reason }));
  }
  if (seen?.status !== undefined && (isBlind || status === "late" || status === "lost"))
    notes.push(messages.t("power-seen", { status: { key: `server-status-${seen.status}` }, at: time(seen.at) }));
  return notes;
}

function tailLines(order: PowerOrder, { messages, timezone }: RenderContext): string[] {
  const { status, stages, alerts = 0, intent, finishedAt, backBy, server, action, next, consoleUrl, late } = order;
  const { locale } = messages;
  const lines: string[] = [];
  const reached = endsOn(action) ? stages.answering : stages.down;
  if (status === "following" && reached === undefined && backBy !== undefined) {
    const at = formatTime(new Date(backBy), locale, timezone);
    lines.push(messages.t(endsOn(action) ? "power-back-by" : "power-off-by", { at }));
  }
  // Those of one that was late are heard already.
  if (status === "unclear" || (status === "following" && late === undefined))
    lines.push(messages.t("power-held", { server }));
  if (alerts > 0 && (stages.answering !== undefined || status === "late"))
    lines.push(messages.t("power-alerts-open", { count: alerts }));
  if (status === "done" && intent && finishedAt !== undefined) {
    const tookMs = Date.parse(reached ?? finishedAt) - Date.parse(intent.at);
    lines.push(messages.t("power-took", { duration: formatDuration(tookMs, locale) }));
  }
  const isLost = status === "late" || status === "lost" || status === "unknown" || status === "unclear";
  if (consoleUrl !== undefined && isLost) lines.push(messages.t("power-console", { url: consoleUrl }));
  if (next !== undefined) lines.push(messages.t("power-next", { id: next }));
  return lines;
}

/** Each stage with its time; those that were passed between two looks have none. */
function stageLines(order: PowerOrder, { messages, timezone }: RenderContext): string[] {
  const { stages, action, status } = order;
  const all = stagesOf(action);
  const last = all.findLastIndex((stage) => stages[stage] !== undefined);
  const isMoving = status === "following" || status === "late";
  return all.map((stage, index) => {
    const at = stages[stage];
    const name = { key: `power-stage-${stage}` };
    if (at !== undefined) return messages.t("power-stage-done", { at: clockTime(at, timezone), stage: name });
    if (index < last) return messages.t("power-stage-unseen", { stage: name });
    return messages.t(isMoving && index === last + 1 ? "power-stage-now" : "power-stage-open", { stage: name });
  });
}

/** "03:04:05" */
function clockTime(iso: string, timezone: string): string {
  return new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone: timezone }).format(new Date(iso));
}
