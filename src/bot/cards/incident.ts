import type { Config } from "../../app/config.ts";
import { endHeardAt, flappingWithin, type Incident, isOpen } from "../../core/incident.ts";
import type { PowerAction } from "../../core/power.ts";
import { isSilentAt } from "../../core/route.ts";
import type { Person } from "../../core/run.ts";
import { formatCount, formatDuration } from "../../messages/format.ts";
import type { Messages } from "../../messages/index.ts";
import type { Alerts } from "../../services/alerts/alerts.ts";
import { routeOf } from "../../services/alerts/routing.ts";
import type { PowerOrders } from "../../services/power/orders.ts";
import { lines, oneLine, tidy } from "../foreign-text.ts";
import { textLength, textLimit } from "../html.ts";
import {
  contentKey,
  incidentDetails,
  incidentDocument,
  labelOf,
  lastedMs,
  linkHtml,
  longestUrl,
  markOf,
  type Reader,
  stateText,
  timeText,
  titleLimits,
  titleOf,
  webLinks,
  wordsOf,
} from "../incident-text.ts";
import type { PowerCommand } from "../views/power.ts";
import type {
  ActionContext,
  CardAction,
  CardButton,
  CardDocument,
  CardKind,
  RenderContext,
  Rendering,
} from "./types.ts";

export interface IncidentCardDeps {
  readonly config: Pick<Config, "alerts" | "timezone">;
  readonly alerts: Alerts;
  /** Says what can be done about a server's power. Default: nothing. */
  readonly powerOrders?: Pick<PowerOrders, "actionsOf">;
}

/** Durations of the buttons that silence at once; milliseconds. */
export const quickSilences = { "silence-1h": 3_600_000, "silence-8h": 8 * 3_600_000 } as const;

/** The card of an incident: what is wrong, since when, who has it, and what can be done about it. */
export function incidentCard(deps: IncidentCardDeps): CardKind<Incident> {
  return {
    kind: "incident",
    render: (incident, context) => render(incident, context, deps),
    refusal,
    actions: {
      acknowledge: firstOrder(deps, "acknowledge", async ({ id }, by) => await deps.alerts.acknowledge(id, by)),
      "silence-1h": quickSilence(deps, "silence-1h"),
      "silence-8h": quickSilence(deps, "silence-8h"),
      "silence-choose": {
        role: "operator",
        toast: (_incident, messages) => messages.plain("toast-choose"),
        run: async ({ id }, { open }) => await open({ kind: "silence", state: { incident: id } }),
      },
      unsilence: unsilence(deps),
      close: firstOrder(deps, "close", async ({ id }, by) => await deps.alerts.close(id, by)),
      reboot: power("reboot"),
      "start-server": power("startserver"),
      "power-hard-reboot": power("reboot", "hard-reboot"),
      "power-hard-off": power("shutdown", "hard-shutdown"),
      details: {
        role: "viewer",
        isAnswer: true,
        toast: (_incident, messages) => messages.plain("toast-details"),
        run: async (incident, context) => await sayDetails(incident, context, deps),
      },
    },
  };
}

/** Opens the question about its server, as the command does; `only`: about this and nothing else. */
function power(command: PowerCommand, only?: PowerAction): CardAction<Incident> {
  return {
    role: "operator",
    toast: (_incident, messages) => messages.plain("toast-details"),
    run: async ({ labels }, { open }) => {
      const state = { command, server: labels["server"], ...(only === undefined ? {} : { only }) };
      await open({ kind: "power", state });
    },
  };
}

function order(toast: string, run: (incident: Incident, by: Person) => Promise<unknown>): CardAction<Incident> {
  return {
    role: "operator",
    toast: (_incident, messages) => messages.plain(toast),
    run: async (incident, { by }) => {
      await run(incident, by);
    },
  };
}

/** Of what is done once: the toast of a second press, before the first one is carried out, says who was first. */
const firstToasts = {
  acknowledge: { done: "toast-acknowledged", already: "toast-already-acknowledged" },
  close: { done: "toast-closed", already: "toast-already-closed" },
} as const;

function firstOrder(
  { alerts }: IncidentCardDeps,
  action: keyof typeof firstToasts,
  run: (incident: Incident, by: Person) => Promise<unknown>,
): CardAction<Incident> {
  const { done, already } = firstToasts[action];
  return {
    ...order(done, run),
    toast: async (incident, messages, by) => {
      const first = await alerts.claim(action, incident, by);
      return first ? messages.plain(already, { by: first.name }) : messages.plain(done);
    },
  };
}

/** Ends the silence of this one incident; one that covers others as well is shown first, with what it covers. */
function unsilence({ alerts, config }: IncidentCardDeps): CardAction<Incident> {
  return {
    role: "operator",
    toast: async (incident, messages) => {
      const { shown, next } = await alerts.silencesOn(incident);
      if (!shown) return messages.plain("toast-not-silenced");
      if (shown.identity === undefined) return messages.plain("toast-silence-of-many");
      if (!next) return messages.plain("toast-unsilenced");
      const until = timeText(next.until, { messages, timezone: config.timezone });
      return messages.plain("toast-unsilenced-but", { until, by: nameOf(next.by) });
    },
    run: async (incident, { by, open }) => {
      const { shown } = await alerts.silencesOn(incident);
      if (shown?.identity === undefined) {
        if (shown) await open({ kind: "silences", state: { only: shown.id } });
      } else await alerts.endSilence(shown.id, by);
    },
  };
}

function quickSilence({ alerts }: IncidentCardDeps, action: keyof typeof quickSilences): CardAction<Incident> {
  const durationMs = quickSilences[action];
  return {
    role: "operator",
    toast: (_incident, messages) =>
      messages.plain("toast-silenced", { duration: formatDuration(durationMs, messages.locale) }),
    run: async (incident, { by }) => {
      // Of what the presser saw: a double tap silences once.
      const seen = incident.history.length + (incident.forgotten ?? 0);
      await alerts.silence({ by, durationMs, incident, source: `${action}:${incident.id}:${seen}` });
    },
  };
}

async function sayDetails(incident: Incident, context: ActionContext, { config }: IncidentCardDeps): Promise<void> {
  const reader: Reader = { messages: context.messages, timezone: config.timezone };
  const html = incidentDetails(incident, reader);
  if (textLength(html) <= textLimit) return await context.reply({ html });
  const title = titleOf(incident, context.messages, titleLimits.card);
  await context.reply({
    html: context.messages.t("incident-title", { mark: markOf(incident), title }),
    document: { name: documentName(incident), text: incidentDocument(incident, reader) },
  });
}

function documentName({ id }: Incident): string {
  return `incident-${id}.txt`;
}

/** Why a button that is gone from the card does nothing. */
function refusal(incident: Incident, action: string, messages: Messages): string | undefined {
  const { status, closed, acknowledged, silenced } = incident;
  if (status === "resolved") return messages.plain("toast-already-resolved");
  if (status === "closed") return messages.plain("toast-already-closed", { by: closed?.by.name ?? "?" });
  if (action === "acknowledge" && acknowledged)
    return messages.plain("toast-already-acknowledged", { by: acknowledged.by.name });
  if (action.startsWith("silence-") && silenced)
    return messages.plain("toast-already-silenced", { by: silenced.by.name });
  if (action === "unsilence") return messages.plain("toast-not-silenced");
  return undefined;
}

function render(incident: Incident, context: RenderContext, deps: IncidentCardDeps): Rendering {
  const { messages, now } = context;
  const { timezone } = deps.config;
  const { html, whole } = compose(incident, { messages, timezone }, deps);
  const isQuiet = incident.flapping !== undefined || incident.silenced !== undefined;
  const isSilent = isQuiet || isSilentAt(routeOf(deps.config, incident)?.silent, now, timezone);
  const raise = isOpen(incident) && !isQuiet && !incident.acknowledged && incident.rings > 0 ? `${incident.rings}` : "";
  const reply = isQuiet ? undefined : goodNews(incident, context, deps);
  return {
    html,
    title: titleOf(incident, messages, titleLimits.list),
    buttons: buttons(incident, messages, deps),
    ...(whole ? { document: whole } : {}),
    ...(raise === "" ? {} : { raise }),
    ...(reply ? { reply } : {}),
    ...(isSilent ? { silent: true } : {}),
  };
}

/** An edit makes no sound: what is on an old card has to be said anew. */
function goodNews(incident: Incident, context: RenderContext, { config }: IncidentCardDeps): Rendering["reply"] {
  const { replyAfter } = config.alerts.resolved;
  const { postedAt, messages } = context;
  if (replyAfter === false || incident.status !== "resolved" || !postedAt) return;
  // By our own clock, as the card: the end may be told long after it.
  if (Date.parse(endHeardAt(incident) ?? incident.heardAt) - postedAt.getTime() < replyAfter) return;
  const title = titleOf(incident, messages, titleLimits.card);
  const duration = formatDuration(lastedMs(incident), messages.locale);
  const key = `resolved-${incident.times}`;
  return { key, html: messages.t("incident-good-news", { title, duration }) };
}

/** Most of a card's lines are short; the sender's text gets the room that they leave. */
function compose(
  incident: Incident,
  reader: Reader,
  deps: IncidentCardDeps,
): { readonly html: string; readonly whole: CardDocument | undefined } {
  const { messages } = reader;
  const title = titleOf(incident, messages, titleLimits.card);
  const head = [
    messages.t("incident-title", { mark: markOf(incident), title }),
    messages.t("incident-state", { state: stateText(incident, reader) }),
    ...labelLine(incident, messages),
  ].join("\n");
  const foot = [notes(incident, reader, deps).join("\n"), linkLine(incident, messages)].filter((block) => block !== "");
  const note = messages.t("card-cut");
  const room = textLimit - [head, ...foot, note].reduce((sum, block) => sum + textLength(block) + 2, 8);
  const text = tidy(wordsOf(incident.text, messages));
  const shown = lines(text, Math.min(room, longestText));
  const isCut = text.length > Math.min(room, longestText) || titleIsCut(incident, messages);
  const blocks = [
    head,
    ...(shown === "" ? [] : [messages.t("incident-text", { text: shown })]),
    ...(isCut ? [note] : []),
    ...foot,
  ];
  const whole = { name: documentName(incident), text: "", key: contentKey(incident) };
  return {
    html: blocks.join("\n\n"),
    whole: isCut ? { ...whole, text: incidentDocument(incident, reader) } : undefined,
  };
}

/** More than this is no reading on a phone at night: the rest is in the file. UTF-16 units. */
const longestText = 2500;

function titleIsCut({ title }: Incident, messages: Messages): boolean {
  return oneLine(wordsOf(title, messages)).length > titleLimits.card;
}

/** Labels that tell most, the first ones first. */
const tellingLabels = ["server", "instance", "host", "node", "service", "job", "namespace", "pod", "cluster", "env"];
/** Said by the title and the state. */
const saidElsewhere = new Set(["alertname", "severity"]);
const shownLabels = 4;

/** The most telling labels on one line; the others are in the details. */
function labelLine({ labels }: Incident, messages: Messages): string[] {
  const names = Object.keys(labels);
  const telling = tellingLabels.filter((name) => Object.hasOwn(labels, name));
  const others = names.filter((name) => !tellingLabels.includes(name) && !saidElsewhere.has(name));
  const shown = [...telling, ...others.slice(0, 20)]
    .flatMap((name) => {
      const value = oneLine(labels[name] ?? "", 60);
      return value === "" ? [] : [messages.t("incident-label", { name: oneLine(name, 40), value })];
    })
    .slice(0, shownLabels);
  return shown.length === 0 ? [] : [shown.join(" · ")];
}

/** Who has it, what keeps it quiet, what is to be known of its source. */
function notes(incident: Incident, reader: Reader, { config }: IncidentCardDeps): string[] {
  const { messages } = reader;
  const { acknowledged, silenced, flapping, staleSince, truncated = 0, stillReported = 0 } = incident;
  const notes: string[] = [];
  if (acknowledged && isOpen(incident))
    notes.push(
      messages.t("incident-acknowledged", { by: nameOf(acknowledged.by), at: timeText(acknowledged.at, reader) }),
    );
  if (silenced && isOpen(incident)) {
    const { by, until, reason } = silenced;
    const args = { by: nameOf(by), until: timeText(until, reader), reason: oneLine(reason ?? "", 200) };
    const why = args.reason === "" ? "incident-silenced" : "incident-silenced-because";
    notes.push(messages.t(silenced.held ? "incident-held" : why, args));
  }
  if (flapping) {
    const withinMs = flappingWithin(incident, config.alerts);
    const times = changesAtOnce(incident, withinMs);
    const within = formatDuration(withinMs, messages.locale);
    notes.push(messages.t("incident-flapping", { times, within }));
  }
  if (staleSince !== undefined) notes.push(messages.t("incident-stale", { since: timeText(staleSince, reader) }));
  if (truncated > 0) {
    const countText = formatCount(truncated, messages.locale);
    notes.push(messages.t("incident-truncated", { count: truncated, countText }));
  }
  if (stillReported > 0) notes.push(messages.t("incident-still-reported"));
  return notes;
}

/** Beginnings and ends within the window before the newest of them: the same at whatever time it is rendered. */
function changesAtOnce({ changes }: Incident, withinMs: number): number {
  const newest = Date.parse(changes.at(-1) ?? "");
  return changes.filter((at) => newest - Date.parse(at) <= withinMs).length;
}

function nameOf({ name }: Person): string {
  return oneLine(name, 64);
}

const shownLinks = 8;

function linkLine({ links }: Incident, messages: Messages): string {
  return webLinks(links)
    .filter(({ url }) => url.length <= longestUrl)
    .slice(0, shownLinks)
    .map((link) => linkHtml(link, messages))
    .join(" · ");
}

function buttons(incident: Incident, messages: Messages, deps: IncidentCardDeps): CardButton[][] {
  const button = (action: string): CardButton => ({ action, label: messages.plain(`button-${action}`) });
  if (!isOpen(incident)) return [[button("details")]];
  // Three of the longer labels in a row would be cut off on a phone.
  const [now, choose] = incident.silenced
    ? [[button("unsilence"), { action: "silence-choose", label: messages.plain("button-silence-longer") }], []]
    : [["silence-1h", "silence-8h"].map(button), [button("silence-choose")]];
  return [
    ...(incident.acknowledged ? [] : [[{ ...button("acknowledge"), style: "primary" as const }]]),
    now,
    [...choose, button("close"), button("details")],
    ...serverRows(incident, messages, deps),
  ];
}

/** Where the server is one whose power is ours to switch, what can be done about it. */
function serverRows(incident: Incident, messages: Messages, { powerOrders }: IncidentCardDeps): CardButton[][] {
  const server = labelOf(incident.labels, "server");
  const can = server === undefined ? [] : (powerOrders?.actionsOf(server) ?? []);
  const isLate = incident.source === "power";
  // What says itself that the server is off needs no reboot.
  const isOff = isLate && typeof incident.text === "object" && incident.text.key === "power-late-text-off";
  if (isOff && can.includes("start"))
    return [[{ action: "start-server", label: messages.plain("button-start-server") }]];
  if (!isLate) return can.includes("reboot") ? [[{ action: "reboot", label: messages.plain("button-reboot") }]] : [];
  // What was to go off is not to come up again.
  const isToBeOff = incident.labels["action"] === "shutdown" || incident.labels["action"] === "hard-shutdown";
  const [action, wanted] = isToBeOff
    ? (["power-hard-off", "hard-shutdown"] as const)
    : (["power-hard-reboot", "hard-reboot"] as const);
  return can.includes(wanted) ? [[{ action, label: messages.plain(`button-${action}`), style: "danger" }]] : [];
}
