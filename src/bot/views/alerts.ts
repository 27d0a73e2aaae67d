import type { Config } from "../../app/config.ts";
import { type Incident, isUnseen, matchLabels } from "../../core/incident.ts";
import { formatMatcher, type Matcher, matchesAll } from "../../core/matchers.ts";
import { type Severity, severities, severityRank } from "../../core/signal.ts";
import { turns } from "../../lib/turns.ts";
import { formatCount, formatDuration } from "../../messages/format.ts";
import type { Messages } from "../../messages/index.ts";
import type { Incidents } from "../../state/incidents.ts";
import { answeredMs, type CardKind } from "../cards/types.ts";
import { oneLine } from "../foreign-text.ts";
import { lastedMs, markOf, serverOf, timeText, titleOf } from "../incident-text.ts";
import { pageOf, pageRow } from "./pages.ts";
import type { ViewButton, ViewContext, ViewKind, ViewPress, ViewShown } from "./types.ts";

export interface AlertsViewDeps {
  readonly config: Pick<Config, "timezone">;
  readonly incidents: Incidents;
  /** The incident's own card shows it and acts on it here as well. */
  readonly kinds: ReadonlyMap<string, CardKind<unknown>>;
}

/** What can have been done with an alert, as it is written in a filter. */
export const handledWays = ["acknowledged", "silenced"] as const;
export type Handled = (typeof handledWays)[number];

/** What /alerts shows. */
export interface AlertsState {
  readonly severities?: readonly Severity[];
  readonly matchers?: readonly Matcher[];
  /** Only those with which this has been done; of several, any of it. */
  readonly handled?: readonly Handled[];
  /** Those that have ended within so many milliseconds, instead of the open ones. */
  readonly endedWithin?: number;
  readonly page?: number;
  /** One of them with its actions, instead of the list. */
  readonly incident?: string;
}

const pageSize = 8;
const buttonsInRow = 4;
/** More ended ones are not looked through. */
const mostEnded = 10_000;
const lifeMs = 24 * 3_600_000;

/** /alerts: incidents one line each, most urgent first, and each of them with its actions. */
export function alertsView(deps: AlertsViewDeps): ViewKind<AlertsState> {
  return {
    kind: "alerts",
    role: "viewer",
    lifeMs,
    command: "/alerts",
    render: async (state, context) =>
      state.incident === undefined ? await list(state, context, deps) : await one(state.incident, context, deps),
    press: async (state, what, context) => await press(state, what, context, deps),
  };
}

async function press(
  state: AlertsState,
  what: string,
  context: ViewContext,
  deps: AlertsViewDeps,
): Promise<ViewPress<AlertsState>> {
  const [verb = "", ...rest] = what.split("-");
  const argument = rest.join("-");
  const { incident: _incident, ...listState } = state;
  switch (verb) {
    case "page":
      return { run: async () => ({ ...listState, page: Number(argument) || 0 }) };
    case "back":
      return { run: async () => listState };
    case "open":
      return { run: async () => ({ ...state, incident: argument }) };
    case "do":
      return await act(state, argument, context, deps);
    default:
      return { run: async () => state };
  }
}

/** Carries out what the incident's card would, if the card would still offer it. `argument`: "<incident>.<action>". */
async function act(
  state: AlertsState,
  argument: string,
  { messages, now }: ViewContext,
  { kinds, incidents, config }: AlertsViewDeps,
): Promise<ViewPress<AlertsState>> {
  const [id = "", name = ""] = argument.split(".");
  const card = kinds.get("incident");
  const action = card?.actions[name];
  const known = await incidents.read(id);
  if (!card || !action || !known) return { toast: messages.plain("toast-outdated"), run: async () => state };
  const { buttons } = card.render(known.incident, { messages, timezone: config.timezone, now });
  if (!buttons.flat().some((button) => button.action === name)) {
    const toast = card.refusal?.(known.incident, name, messages) ?? messages.plain("toast-outdated");
    return { toast, run: async () => state };
  }
  let isAnswered = false;
  return {
    toast: async (by) => {
      const what = `${name}:${id}:${known.version}`;
      isAnswered = action.isAnswer === true && (await incidents.claim(what, by, answeredMs)) !== undefined;
      return isAnswered ? messages.plain("toast-answered") : await action.toast(known.incident, messages, by);
    },
    role: action.role,
    run: async (context) => {
      if (!isAnswered) await action.run(known.incident, context);
      return state;
    },
  };
}

async function one(
  id: string,
  { messages, now }: ViewContext,
  { kinds, incidents, config }: AlertsViewDeps,
): Promise<ViewShown> {
  const known = await incidents.read(id);
  const card = kinds.get("incident");
  const back = [
    { what: "back", label: messages.plain("button-back") },
    { what: "refresh", label: messages.plain("button-refresh") },
  ];
  if (!known || !card) return { html: messages.t("alerts-gone"), rows: [back.slice(0, 1)] };
  const { html, buttons } = card.render(known.incident, { messages, timezone: config.timezone, now });
  const rows: ViewButton[][] = buttons.map((row) =>
    row.map(({ action, label, style }) => ({ what: `do-${id}.${action}`, label, ...(style ? { style } : {}) })),
  );
  return { html, rows: [...rows, back] };
}

async function list(state: AlertsState, context: ViewContext, deps: AlertsViewDeps): Promise<ViewShown> {
  const { messages, now } = context;
  const all = state.endedWithin === undefined ? await openOnes(state, deps) : await endedOnes(state, now, deps);
  const { page, pages, from } = pageOf(state.page, all.total, pageSize);
  const shown = await all.read(from, pageSize);
  const lines = shown.map((incident, index) => line(incident, from + index + 1, state, context, deps));
  const cutNote = all.isCut
    ? [messages.t("alerts-newest-only", { count: formatCount(mostEnded, messages.locale) })]
    : [];
  const head = [title(state, all.total, messages), ...cutNote, ...filterLine(state, messages)].join("\n");
  const at = timeText(now.toISOString(), { messages, timezone: deps.config.timezone });
  const foot = messages.t(pages > 1 ? "alerts-page" : "alerts-at", {
    at,
    page: formatCount(page + 1, messages.locale),
    pages: formatCount(pages, messages.locale),
  });
  const numbers = shown.map(({ id }, index) => ({ what: `open-${id}`, label: String(from + index + 1) }));
  const rows: ViewButton[][] = [];
  for (let start = 0; start < numbers.length; start += buttonsInRow)
    rows.push(numbers.slice(start, start + buttonsInRow));
  rows.push([...pageRow(page, pages, messages), { what: `page-${page}`, label: messages.plain("button-refresh") }]);
  return { html: [head, ...(lines.length > 0 ? [lines.join("\n")] : []), foot].join("\n\n"), rows };
}

/** How many there are, and a part of them. */
interface Found {
  readonly total: number;
  /** There were more to look through than the newest of them. */
  readonly isCut?: boolean;
  read(from: number, count: number): Promise<readonly Incident[]>;
}

async function openOnes(state: AlertsState, { incidents }: AlertsViewDeps): Promise<Found> {
  return found((await wantedOf(await incidents.openIds(), state, incidents)).toSorted(mostUrgentFirst), incidents);
}

/** What somebody keeps quiet comes last; of the rest the most severe, and of these the newest. */
function mostUrgentFirst(a: Place, b: Place): number {
  return Number(a.isSilenced) - Number(b.isSilenced) || a.rank - b.rank || (a.openedAt < b.openedAt ? 1 : -1);
}

async function endedOnes(state: AlertsState, now: Date, { incidents }: AlertsViewDeps): Promise<Found> {
  const since = new Date(now.getTime() - (state.endedWithin ?? 0));
  const ids = await incidents.endedIdsSince(since, mostEnded + 1);
  const wanted = await wantedOf(ids.slice(0, mostEnded), state, incidents);
  return { ...found(wanted, incidents), isCut: ids.length > mostEnded };
}

/** Where in the list an incident belongs; thousands of them are never all in memory. */
interface Place {
  readonly id: string;
  readonly isSilenced: boolean;
  readonly rank: number;
  readonly openedAt: string;
}

async function wantedOf(ids: readonly string[], state: AlertsState, incidents: Incidents): Promise<Place[]> {
  const wanted: Place[] = [];
  const turn = turns();
  for await (const incident of incidents.each(ids)) {
    const { id, severity, openedAt, silenced } = incident;
    if (!isUnseen(incident) && isWanted(incident, state))
      wanted.push({ id, isSilenced: silenced !== undefined, rank: severityRank(severity), openedAt });
    await turn();
  }
  return wanted;
}

function found(places: readonly Place[], incidents: Incidents): Found {
  const ids = places.map(({ id }) => id);
  return { total: ids.length, read: async (from, count) => await incidents.readAll(ids.slice(from, from + count)) };
}

function isFiltered({ severities: wanted = [], matchers = [], handled = [] }: AlertsState): boolean {
  return wanted.length + matchers.length + handled.length > 0;
}

function isWanted(incident: Incident, state: AlertsState): boolean {
  const { severities: wanted = severities, matchers = [], handled = [] } = state;
  const isHandled = handled.length === 0 || handled.some((how) => incident[how] !== undefined);
  return isHandled && wanted.includes(incident.severity) && matchesAll(matchers, matchLabels(incident));
}

function title(state: AlertsState, count: number, messages: Messages): string {
  const { endedWithin } = state;
  const args = { count: formatCount(count, messages.locale) };
  if (endedWithin !== undefined)
    return messages.t("alerts-ended", { ...args, window: formatDuration(endedWithin, messages.locale) });
  if (count > 0) return messages.t("alerts-open", args);
  return messages.t(isFiltered(state) ? "alerts-none-such" : "alerts-none");
}

function filterLine(
  { severities: wanted = [], matchers = [], handled = [] }: AlertsState,
  messages: Messages,
): string[] {
  const filter = [...wanted, ...handled, ...matchers.map(formatMatcher)].join(" ");
  return filter === "" ? [] : [messages.t("alerts-filter", { filter: oneLine(filter, 300) })];
}

function wholeSeconds(ms: number): number {
  return Math.round(ms / 1000) * 1000;
}

/** "3. 🔴 Disk full · 12m · web-1 · 👤 bob" */
function line(
  incident: Incident,
  number: number,
  { endedWithin }: AlertsState,
  { messages, now }: ViewContext,
  { config }: AlertsViewDeps,
): string {
  const { acknowledged, closed, endedAt } = incident;
  const parts = [
    messages.t("alerts-line", {
      number: formatCount(number, messages.locale),
      mark: markOf(incident),
      title: titleOf(incident, messages, 70),
    }),
  ];
  const add = (text: string): number => parts.push(messages.t("alerts-part", { text }));
  if (endedWithin !== undefined && endedAt !== undefined)
    add(timeText(endedAt, { messages, timezone: config.timezone }));
  if (incident.status !== "noted") add(formatDuration(wholeSeconds(lastedMs(incident, now)), messages.locale));
  const server = serverOf(incident);
  if (server) parts.push(messages.t("alerts-server", { server: oneLine(server.value, 40) }));
  const who = closed?.by ?? acknowledged?.by;
  if (who) add(`👤 ${oneLine(who.name, 30)}`);
  return parts.join(" · ");
}
