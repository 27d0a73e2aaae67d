import type { ServerMark } from "../../core/inventory-mark.ts";
import type { ServerState } from "../../core/server-state.ts";
import type { Severity } from "../../core/signal.ts";
import { formatDuration, formatTime } from "../../messages/format.ts";
import { type Messages, reasonText } from "../../messages/index.ts";
import type { Section } from "../../state/inventory.ts";
import { oneLine } from "../foreign-text.ts";
import type { ViewContext } from "./types.ts";

export const serverMarkSigns: Readonly<Record<ServerMark, string>> = {
  red: "🔴",
  amber: "🟡",
  none: "⚪",
  green: "🟢",
};

/** As much as is shown of why something is not known. */
const longestReason = 200;

/** Good, to be looked at, bad. */
export function severitySign(severity: Severity | undefined): string {
  if (severity === "critical") return "🔴";
  return severity ? "🟡" : "🟢";
}

/** For whom and when. */
export interface Reading extends Pick<ViewContext, "messages" | "now"> {
  readonly timezone: string;
}

/** Of when something is, and why there is nothing newer. Nothing known yet: that it is being asked for. */
export function sectionLines(section: Section<unknown> | undefined, reading: Reading): string[] {
  const { messages, now, timezone } = reading;
  if (!section) return [messages.t("servers-asking")];
  const { known, failed } = section;
  const lines = known ? [messages.t("servers-as-of", { age: ageOf(known.at, now, messages) })] : [];
  if (!failed) return lines;
  const since = formatTime(failed.at, messages.locale, timezone);
  const reason = oneLine(reasonText(failed.error, messages), longestReason);
  return [...lines, messages.t("servers-unasked", { since, reason })];
}

/** "2m": what is ahead of the clock is of now. */
export function ageOf(at: Date, now: Date, messages: Messages): string {
  return formatDuration(Math.max(0, now.getTime() - at.getTime()), messages.locale);
}

/** "on"; of one that cannot be looked at, why. */
export function statusWords(state: ServerState | undefined, messages: Messages): string {
  if (!state) return messages.plain("servers-status-none");
  const { status, failure, facts } = state;
  if (failure && !failure.ofApi && failure.kind !== "account") return messages.plain(`servers-failure-${failure.kind}`);
  // Nothing but the server itself was asked, and it has answered.
  const word = messages.plain(`servers-status-${status ?? "on"}`);
  const own = facts?.statusWord;
  return own === undefined || own === status ? word : `${word} (${oneLine(own, 30)})`;
}

/** How long it has been running, as far as anybody knows: not of what is off. */
export function uptimeWords(state: ServerState | undefined, now: Date, messages: Messages): string[] {
  if (!state?.bootedAt || state.failure || (state.status !== undefined && state.status !== "on")) return [];
  const duration = formatDuration(now.getTime() - state.bootedAt.getTime(), messages.locale);
  return [messages.plain("servers-up", { duration })];
}
