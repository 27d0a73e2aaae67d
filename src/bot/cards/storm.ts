import { setImmediate } from "node:timers/promises";
import type { Config } from "../../app/config.ts";
import { type Incident, isOpen } from "../../core/incident.ts";
import { isSilentAt } from "../../core/route.ts";
import { severities } from "../../core/signal.ts";
import type { Text } from "../../core/text.ts";
import { formatCount, formatSpan } from "../../messages/format.ts";
import type { Messages } from "../../messages/index.ts";
import type { Alerts } from "../../services/alerts/alerts.ts";
import type { Incidents } from "../../state/incidents.ts";
import type { StormSummary, Storms } from "../../state/storms.ts";
import { cut, oneLine } from "../foreign-text.ts";
import { textLength, textLimit } from "../html.ts";
import {
  markOf,
  type Reader,
  serverOf,
  severityMarks,
  stateText,
  timeText,
  titleIn,
  titleLimits,
  titleOf,
} from "../incident-text.ts";
import type { ActionContext, CardButton, CardKind, Rendering } from "./types.ts";

export interface StormCardDeps {
  readonly config: Pick<Config, "timezone">;
  readonly alerts: Alerts;
  readonly incidents: Incidents;
  readonly storms: Storms;
}

/** What the card is made of, read when it is rendered. */
export interface StormState {
  readonly summary: StormSummary;
  /** As many of the critical ones as a message may hold: those that fire first, of these the oldest. */
  readonly criticals: readonly Incident[];
}

/** No message holds the names of more: each has a mark, a space, a character and the end of its line. */
const mostNamed = Math.floor(textLimit / 5);
/** Read at a time, until a message is full: thousands cost no more than those that it names. */
const namesAtOnce = 50;

/** The card that stands for many incidents at once: how many, of what kind, and the critical ones by name. */
export function stormCard(deps: StormCardDeps): CardKind<StormState> {
  return {
    kind: "storm",
    load: async (id) => {
      const summary = await deps.storms.summary(id);
      if (!summary) return undefined;
      return { summary, criticals: await nameable(summary, deps) };
    },
    render: (state: Partial<StormState>, { messages, now }) => {
      const { summary, criticals = [] } = state;
      // Forgotten meanwhile: its body has nothing but the id.
      if (!summary) return { html: messages.t("storm-forgotten"), buttons: [] };
      return render({ summary, criticals }, { messages, timezone: deps.config.timezone }, now);
    },
    refusal: ({ summary }, action, messages) =>
      action === "acknowledge-all" && firingOf(summary) === 0 ? messages.plain("toast-nothing-fires") : undefined,
    actions: {
      "full-list": {
        role: "viewer",
        isAnswer: true,
        toast: (_state, messages) => messages.plain("toast-list"),
        run: async (state, context) => await sayList(state, context, deps),
      },
      "acknowledge-all": {
        role: "operator",
        toast: (_state, messages) => messages.plain("toast-acknowledging"),
        run: async ({ summary }, { by, messages, reply }) => {
          const count = await deps.alerts.acknowledgeStorm(summary.id, by);
          const args = { by: by.name, count, countText: formatCount(count, messages.locale) };
          await reply({ html: messages.t("storm-acknowledged", args) });
        },
      },
      alerts: {
        role: "viewer",
        toast: (_state, messages) => messages.plain("toast-details"),
        run: async (_state, { open }) => await open({ kind: "alerts", state: {} }),
      },
    },
  };
}

/** The first of the critical ones, whose names together would fill a message. */
async function nameable({ id, counts }: StormSummary, { incidents, storms }: StormCardDeps): Promise<Incident[]> {
  const { firing, over } = counts.critical;
  const ids = firing + over === 0 ? [] : await storms.members(id, Math.min(mostNamed, firing + over));
  const criticals: Incident[] = [];
  let units = 0;
  for (let at = 0; at < ids.length && units < textLimit; at += namesAtOnce)
    for (const incident of await incidents.readAll(ids.slice(at, at + namesAtOnce))) {
      if (incident.severity !== "critical") continue;
      criticals.push(incident);
      // In whichever language a sentence of ours is written, it has some letters.
      const { title } = incident;
      units += (typeof title === "string" ? oneLine(title, titleLimits.list).length : 1) + 4;
    }
  return criticals;
}

function firingOf({ counts }: StormSummary): number {
  return severities.reduce((sum, severity) => sum + counts[severity].firing, 0);
}

/** Also those with cards of their own: the storm is all of them. */
function allFiringOf(summary: StormSummary): number {
  return firingOf(summary) + summary.ownFiring;
}

function overOf({ ended }: StormSummary): number {
  return ended.resolved + ended.closed + ended.noted;
}

function render(state: StormState, reader: Reader, now: Date): Rendering {
  const { messages } = reader;
  const { summary } = state;
  const head = [heading(summary, reader), situation(summary, reader), bySeverity(summary, messages).join("\n")];
  let html = head.filter((block) => block !== "").join("\n\n");
  const named = criticalLines(state, messages, textLimit - textLength(html) - 2).join("\n");
  if (named !== "") html = `${html}\n\n${named}`;
  // What comes after the names is shown as far as they leave room for it.
  let separator = "\n\n";
  for (const line of [...ends(summary, reader), ...labelLine(summary, messages)]) {
    if (textLength(html) + separator.length + textLength(line) > textLimit) continue;
    html = `${html}${separator}${line}`;
    separator = "\n";
  }
  // Whoever is on it rings with it; it has no sound when none of them would have one.
  const isSilent = summary.silent.every((silent) => isSilentAt(silent, now, reader.timezone));
  return {
    html,
    title: messages.plain("storm-name", { from: timeText(summary.startedAt.toISOString(), reader) }),
    buttons: buttons(summary, messages),
    ...(summary.rings > 0 && summary.ringing > 0 ? { raise: `${summary.rings}` } : {}),
    ...(isSilent ? { silent: true } : {}),
    ...(summary.endedAt && !summary.late ? { reply: { key: "over", html: whatHappened(summary, reader) } } : {}),
  };
}

/** "340 firing, 12 resolved" */
function numbers(summary: StormSummary, messages: Messages): string {
  const { resolved, closed, noted } = summary.ended;
  const count = (key: string, n: number): string => messages.plain(key, { n, text: formatCount(n, messages.locale) });
  return [
    count("count-firing", firingOf(summary)),
    count("count-resolved", resolved),
    ...(closed > 0 ? [count("count-closed", closed)] : []),
    ...(noted > 0 ? [count("count-noted", noted)] : []),
  ].join(", ");
}

function spanOf({ startedAt, lastAt, endedAt, late }: StormSummary, { messages, timezone }: Reader): string {
  const end = (late ? endedAt : lastAt) ?? endedAt ?? startedAt;
  return formatSpan(startedAt, end, messages.locale, timezone);
}

function heading(summary: StormSummary, { messages }: Reader): string {
  const mark = summary.late ? "📬" : summary.endedAt ? (allFiringOf(summary) > 0 ? "🌤" : "✅") : "⛈";
  return messages.t("storm-title", { mark, numbers: numbers(summary, messages) });
}

/** Why there is such a card, how it stands with the storm, and what is being done about it. */
function situation(summary: StormSummary, reader: Reader): string {
  const { messages } = reader;
  const { total, endedAt, late, ownFiring, acknowledged, silenced } = summary;
  const text = (count: number): string => formatCount(count, messages.locale);
  const args = {
    from: timeText(summary.startedAt.toISOString(), reader),
    span: spanOf(summary, reader),
    count: total,
    countText: text(total),
  };
  const lines = [messages.t(late ? "storm-late" : endedAt ? "storm-over" : "storm-rages", args)];
  const own = total - firingOf(summary) - overOf(summary);
  if (own > 0)
    lines.push(messages.t("storm-own", { count: own, countText: text(own), n: ownFiring, firing: text(ownFiring) }));
  const done = [
    ...(acknowledged > 0 ? [messages.t("storm-taken", { count: acknowledged, countText: text(acknowledged) })] : []),
    ...(silenced > 0 ? [messages.t("storm-silenced", { count: silenced, countText: text(silenced) })] : []),
  ];
  return [...lines, ...(done.length > 0 ? [done.join(", ")] : [])].join("\n");
}

function bySeverity({ counts }: StormSummary, messages: Messages): string[] {
  return severities.flatMap((severity) => {
    const { firing, over } = counts[severity];
    if (firing + over === 0) return [];
    const all = messages.plain(`count-${severity}`, {
      n: firing + over,
      text: formatCount(firing + over, messages.locale),
    });
    const args = { mark: severityMarks[severity], all, n: firing, firing: formatCount(firing, messages.locale) };
    return [messages.t("storm-severity", args)];
  });
}

function labelLine({ labels }: StormSummary, messages: Messages): string[] {
  // What only one of them has, they do not have in common.
  const shown = labels.filter(({ count }) => count > 1).slice(0, 5);
  if (shown.length === 0) return [];
  const parts = shown.map(({ label, count }) =>
    messages.t("storm-label", { label: oneLine(label, 60), count: formatCount(count, messages.locale) }),
  );
  return [`${messages.t("storm-labels")} ${parts.join(" · ")}`];
}

function ends({ first, last, lastAt }: StormSummary, reader: Reader): string[] {
  const { messages } = reader;
  const title = (json: string): string =>
    titleOf({ title: JSON.parse(json) as string | Text }, messages, titleLimits.list);
  return [
    ...(first === undefined ? [] : [messages.t("storm-first", { title: title(first) })]),
    ...(last === undefined || lastAt === undefined
      ? []
      : [messages.t("storm-newest", { title: title(last), at: timeText(lastAt.toISOString(), reader) })]),
  ];
}

/** The critical ones by name, those that fire first, as far as there is room; then how many more there are. */
function criticalLines({ summary, criticals }: StormState, messages: Messages, room: number): string[] {
  const { firing, over } = summary.counts.critical;
  const all = firing + over;
  if (criticals.length === 0 || all === 0) return [];
  const lines = [messages.t("storm-criticals")];
  const more = (count: number): string => messages.t("list-more", { count: formatCount(count, messages.locale) });
  let units = textLength(lines[0] ?? "");
  const sorted = [...criticals.filter(isOpen), ...criticals.filter((incident) => !isOpen(incident))];
  for (const [index, incident] of sorted.entries()) {
    const line = criticalLine(incident, messages);
    // Room is kept for saying how many more there are, unless this is the last one.
    const left = all - index - 1;
    const kept = left > 0 ? textLength(more(left)) + 1 : 0;
    if (units + 1 + textLength(line) + kept > room) break;
    lines.push(line);
    units += 1 + textLength(line);
  }
  const left = all - (lines.length - 1);
  return left > 0 ? [...lines, more(left)] : lines;
}

function criticalLine(incident: Incident, messages: Messages): string {
  const server = serverOf(incident)?.value;
  const args = {
    mark: `${markOf(incident)}${incident.acknowledged && isOpen(incident) ? "👤" : ""}`,
    title: titleOf(incident, messages, titleLimits.list),
    server: oneLine(server ?? "", 40),
  };
  return messages.t(server === undefined ? "storm-critical" : "storm-critical-on", args);
}

/** In two lines: when and how many, and what is left of it. */
function whatHappened(summary: StormSummary, reader: Reader): string {
  const { messages } = reader;
  const { total } = summary;
  const firing = allFiringOf(summary);
  const args = { span: spanOf(summary, reader), count: total, countText: formatCount(total, messages.locale) };
  const left = messages.t(firing > 0 ? "storm-left" : "storm-nothing-left", {
    n: firing,
    text: formatCount(firing, messages.locale),
  });
  return `🌤 ${messages.t("storm-over", args)}\n${left}`;
}

function buttons(summary: StormSummary, messages: Messages): CardButton[][] {
  const button = (action: string): CardButton => ({ action, label: messages.plain(`button-${action}`) });
  const hasMembers = firingOf(summary) + overOf(summary) > 0;
  return [
    ...(firingOf(summary) > 0 ? [[button("acknowledge-all")]] : []),
    [...(hasMembers ? [button("full-list")] : []), button("alerts")],
  ];
}

async function sayList({ summary }: StormState, context: ActionContext, deps: StormCardDeps): Promise<void> {
  const { messages, reply } = context;
  const reader: Reader = { messages, timezone: deps.config.timezone };
  const entries: string[] = [];
  for await (const incident of deps.incidents.each(await deps.storms.members(summary.id))) {
    if (entries.length % portion === portion - 1) await setImmediate();
    entries.push(listEntry(incident, entries.length + 1, reader));
  }
  const text = `${entries.join("\n\n")}\n`;
  const count = entries.length;
  await reply({
    html: messages.t("storm-list", { count, countText: formatCount(count, messages.locale) }),
    document: { name: `storm-${summary.id}.txt`, text },
  });
}

/** So many incidents are written at a time, then others have their turn. */
const portion = 100;
/** Labels of one incident in the list, so that 10,000 of them fit into the 50 MB that Telegram takes; UTF-16 units. */
const longestLabels = 3000;

function listEntry(incident: Incident, number: number, reader: Reader): string {
  const { messages } = reader;
  const labels = Object.entries(incident.labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const state = [stateText(incident, reader)];
  if (incident.acknowledged) state.push(messages.plain("list-acknowledged", { by: incident.acknowledged.by.name }));
  return [
    `${number}. ${markOf(incident)} ${titleIn(incident, messages, 1000)}`,
    `   ${state.join("; ")}`,
    ...(labels.length > 0 ? [`   ${cut(labels.join(" ").toWellFormed(), longestLabels)}`] : []),
  ].join("\n");
}
