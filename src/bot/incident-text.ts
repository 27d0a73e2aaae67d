import { createHash } from "node:crypto";
import type { HistoryEntry, Incident } from "../core/incident.ts";
import { type Link, linkKinds, type Severity } from "../core/signal.ts";
import type { Text } from "../core/text.ts";
import { formatDuration, formatTime } from "../messages/format.ts";
import { escapeHtml, type Messages } from "../messages/index.ts";
import { oneLine, tidy, unlinked } from "./foreign-text.ts";

/** For whom something is written: the language and the time zone. */
export interface Reader {
  readonly messages: Messages;
  readonly timezone: string;
}

export const severityMarks: Readonly<Record<Severity, string>> = { critical: "🔴", warning: "🟠", info: "🔵" };

/** Longest title in a list and on a card; UTF-16 units. */
export const titleLimits = { list: 80, card: 400 } as const;

/** What state it is in, at a glance. */
export function markOf({ status, severity, silenced }: Pick<Incident, "status" | "severity" | "silenced">): string {
  if (status === "resolved") return "✅";
  if (status === "closed") return "☑️";
  return silenced && status === "firing" ? "🔕" : severityMarks[severity];
}

/** The sentence or the sender's words, in the reader's language. */
export function wordsOf(words: string | Text | undefined, messages: Messages): string {
  if (words === undefined || typeof words === "string") return words ?? "";
  try {
    return messages.plain(words.key, words.args);
  } catch {
    // Written by another version of this program, it may be unknown here: no reason to show nothing.
    return words.key;
  }
}

/** Plain text on one line, for a message. */
export function titleOf(about: { readonly title: string | Text }, messages: Messages, limit: number): string {
  return unlinked(titleIn(about, messages, limit));
}

/** The same for a file, as it was sent. */
export function titleIn({ title }: { readonly title: string | Text }, messages: Messages, limit: number): string {
  const line = oneLine(wordsOf(title, messages), limit);
  return line === "" ? messages.plain("incident-untitled") : line;
}

/** Labels that say which server it is about, the best first. */
const serverLabels = ["server", "instance", "host", "node"];

/** The server that it is about, as its labels say. */
export function serverOf({ labels }: Pick<Incident, "labels">): { label: string; value: string } | undefined {
  for (const label of serverLabels) {
    const value = labelOf(labels, label);
    if (value !== undefined) return { label, value };
  }
  return undefined;
}

/** A label that is there and not empty. */
export function labelOf(labels: Incident["labels"], name: string): string | undefined {
  const value = Object.hasOwn(labels, name) ? labels[name] : undefined;
  return value === undefined || value === "" ? undefined : value;
}

/** Telegram takes no longer ones. */
export const longestUrl = 2000;

/** The link as HTML. */
export function linkHtml({ kind, url }: Link, messages: Messages): string {
  return messages.t("incident-link", { url, text: messages.plain(`link-${kind}`) });
}

/** http and https only: whatever else an alert carries is no link. */
export function webLinks(links: readonly Link[]): Link[] {
  return links.flatMap(({ kind, url }) => {
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    const isWeb = parsed?.protocol === "https:" || parsed?.protocol === "http:";
    return parsed && isWeb && linkKinds.includes(kind) ? [{ kind, url: parsed.href }] : [];
  });
}

export function timeText(iso: string, { messages, timezone }: Reader): string {
  return formatTime(new Date(iso), messages.locale, timezone);
}

/** How long its last time was, or has been until `now`; milliseconds. */
export function lastedMs({ firedAt, endedAt }: Pick<Incident, "firedAt" | "endedAt">, now?: Date): number {
  const begin = Date.parse(firedAt);
  const end = endedAt === undefined ? (now?.getTime() ?? begin) : Date.parse(endedAt);
  return Math.max(0, end - begin);
}

/** What is so and since when, as plain text. */
export function stateText(incident: Incident, reader: Reader): string {
  const { messages } = reader;
  const { status, firedAt, openedAt, times, closed } = incident;
  const ended = incident.endedAt ?? firedAt;
  const args = {
    severity: messages.plain(`severity-${incident.severity}`),
    since: timeText(firedAt, reader),
    first: timeText(openedAt, reader),
    at: timeText(ended, reader),
    by: oneLine(closed?.by.name ?? "?", 64),
    duration: formatDuration(lastedMs(incident), messages.locale),
    times,
  };
  if (status === "firing") return messages.plain(times > 1 ? "incident-is-again" : "incident-is-firing", args);
  return messages.plain(`incident-is-${status}`, args);
}

/** The whole of an incident: what was said of it, what happened to it. Plain text, for a file. */
export function incidentDocument(incident: Incident, reader: Reader): string {
  const title = wordsOf(incident.title, reader.messages).toWellFormed();
  const sections = detailSections(incident, reader).map(({ heading, lines }) =>
    [heading, ...lines.map((line) => spelledOut(line, reader.messages))].join("\n"),
  );
  return `${[`${markOf(incident)} ${title}`, ...sections].join("\n\n")}\n`;
}

/** The same as HTML. */
export function incidentDetails(incident: Incident, reader: Reader): string {
  const { messages } = reader;
  const title = titleOf(incident, messages, Number.POSITIVE_INFINITY);
  const head = messages.t("incident-title", { mark: markOf(incident), title });
  const sections = detailSections(incident, reader).map(({ heading, lines, isCode }) =>
    [`<b>${escapeHtml(heading)}</b>`, ...lines.map((line) => marked(line, messages, isCode))].join("\n"),
  );
  return [head, ...sections].join("\n\n");
}

/** Of what the sender has said: the same as long as it says the same. */
export function contentKey({ title, text, labels, links }: Incident): string {
  return createHash("sha256")
    .update(JSON.stringify([title, text, labels, links]))
    .digest("base64url")
    .slice(0, 22);
}

interface Section {
  readonly heading: string;
  readonly lines: readonly (string | Link)[];
  /** To be copied as it is; a path is no command then. */
  readonly isCode?: boolean;
}

function marked(line: string | Link, messages: Messages, isCode = false): string {
  if (typeof line !== "string" && line.url.length <= longestUrl) return linkHtml(line, messages);
  const html = escapeHtml(tidy(spelledOut(line, messages)));
  return isCode ? `<code>${html}</code>` : html;
}

function spelledOut(line: string | Link, messages: Messages): string {
  return typeof line === "string" ? line : `${messages.plain(`link-${line.kind}`)}: ${line.url}`;
}

function detailSections(incident: Incident, reader: Reader): Section[] {
  const { messages } = reader;
  const text = wordsOf(incident.text, messages).toWellFormed();
  const labels = Object.entries(incident.labels).map(([name, value]) => `${name} = ${value}`.toWellFormed());
  const origin = [
    messages.plain("details-source", { source: incident.source }),
    messages.plain("details-heard", { at: timeText(incident.heardAt, reader) }),
    messages.plain("details-id", { id: incident.id, identity: incident.identity }),
  ];
  const section = (key: string, lines: Section["lines"], isCode = false): Section[] =>
    lines.length === 0 ? [] : [{ heading: messages.plain(key), lines, isCode }];
  return [
    { heading: stateText(incident, reader), lines: [] },
    ...section("details-text", text.trim() === "" ? [] : [text]),
    ...section("details-labels", labels, true),
    ...section("details-history", historyLines(incident, reader)),
    ...section("details-links", webLinks(incident.links)),
    ...section("details-origin", origin),
  ];
}

/** When it began, who did what, how long it took. */
function historyLines({ history, forgotten }: Incident, reader: Reader): string[] {
  const { messages } = reader;
  let begin: string | undefined;
  const lines = history.map((entry) => {
    if (entry.event === "opened" || entry.event === "reopened") begin = entry.at;
    return eventLine(entry, begin, reader);
  });
  if (forgotten !== undefined) lines.splice(1, 0, messages.plain("details-forgotten", { count: forgotten }));
  return lines;
}

function eventLine({ at, event, by, detail }: HistoryEntry, begin: string | undefined, reader: Reader): string {
  const { messages } = reader;
  const isEndedBySomebody = event === "unsilenced" && by !== undefined;
  const what = messages.plain(isEndedBySomebody ? "incident-event-unsilenced-by" : `incident-event-${event}`, {
    by: by?.name ?? "?",
    until: event === "silenced" && detail !== undefined ? timeText(detail, reader) : "",
    severity: event === "severity" && messages.has(`severity-${detail}`) ? messages.plain(`severity-${detail}`) : "",
    duration: formatDuration(Date.parse(at) - Date.parse(begin ?? at), messages.locale),
  });
  return messages.plain("details-event", { at: timeText(at, reader), what });
}
