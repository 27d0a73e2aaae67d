import type { ServerFacts } from "../../core/server.ts";
import type { ServerState } from "../../core/server-state.ts";
import type { Severity } from "../../core/signal.ts";
import { formatDuration, formatTime } from "../../messages/format.ts";
import { type Messages, reasonText } from "../../messages/index.ts";
import type { Section, ServerDetails } from "../../state/inventory.ts";
import { oneLine } from "../foreign-text.ts";
import type { ViewContext } from "./types.ts";

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

/** When anybody last knew something of it: a look in vain is none. */
export function seenWords(state: ServerState | undefined, now: Date, messages: Messages): string {
  if (!state) return messages.plain("servers-unseen");
  const { failure, lookedAt, goodAt, factsAt } = state;
  if (!failure) return messages.plain("servers-seen", { age: ageOf(lookedAt, now, messages) });
  const heardAt = Math.max(goodAt?.getTime() ?? 0, factsAt?.getTime() ?? 0);
  if (heardAt === 0) return messages.plain("servers-unheard");
  return messages.plain("servers-heard", { age: ageOf(new Date(heardAt), now, messages) });
}

/** How long it has been running, as far as anybody knows: not of what is off. */
export function uptimeWords(state: ServerState | undefined, now: Date, messages: Messages): string[] {
  if (!state?.bootedAt || state.failure || (state.status !== undefined && state.status !== "on")) return [];
  const duration = formatDuration(now.getTime() - state.bootedAt.getTime(), messages.locale);
  return [messages.plain("servers-up", { duration })];
}

/** Where it is reached: as its provider says, else as the configuration does. Never what stands before the host. */
export function addressesOf(facts: ServerFacts | undefined, config: unknown): readonly string[] {
  if (facts && facts.addresses.length > 0) return facts.addresses;
  const url: unknown = Object(config)["url"];
  const host = typeof url === "string" ? URL.parse(url)?.hostname : undefined;
  return host === undefined || host === "" ? [] : [host];
}

/** What is known of a server, with what its provider has said since somebody asked: a poll may be minutes old. */
export function newestOf(
  name: string,
  state: ServerState | undefined,
  details: ServerDetails | undefined,
): ServerState | undefined {
  const said = details?.facts?.known;
  const knownAt = state?.factsAt ?? (state?.facts ? state.lookedAt : undefined);
  if (!said || (knownAt && knownAt >= said.at)) return state;
  const { status } = said.value;
  const base: ServerState = state ?? { name, lookedAt: said.at, tookMs: 0, look: 0 };
  const isNews = status !== undefined && (!state || said.at >= state.lookedAt);
  const { failure: _, ...unfailed } = base;
  // Why nothing answers, when the provider says that it is not on.
  const kept: ServerState = isNews && status !== "on" ? unfailed : base;
  return { ...kept, facts: said.value, factsAt: said.at, ...(isNews ? { status, lookedAt: said.at } : {}) };
}
