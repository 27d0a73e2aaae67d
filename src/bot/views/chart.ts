import type { Config } from "../../app/config.ts";
import { type FleetMark, type FleetStand, markOfStand, standOf } from "../../core/fleet.ts";
import { type Incident, isUnseen } from "../../core/incident.ts";
import type { MetricName } from "../../core/metric.ts";
import { limitsOf } from "../../core/rule-limits.ts";
import type { ServerState } from "../../core/server-state.ts";
import { formatBytes, formatCount, formatDuration, formatTime } from "../../messages/format.ts";
import type { Messages } from "../../messages/index.ts";
import { powerActionsOf } from "../../services/power/servers.ts";
import type { ChartThemes } from "../../state/chart-themes.ts";
import type { Incidents } from "../../state/incidents.ts";
import type { ServerHistory } from "../../state/server-history.ts";
import type { ServerStates } from "../../state/servers.ts";
import { type ChartData, chartOf, drawnMetrics, percentOf } from "../charts/model.ts";
import type { ChartPainter } from "../charts/painter.ts";
import { bandOf, hourMs, lineOf } from "../charts/series.ts";
import { type ChartThemeName, chartThemes, type Drawn } from "../charts/types.ts";
import { oneLine } from "../foreign-text.ts";
import { lastedMs, markOf, serverOf, titleOf } from "../incident-text.ts";
import { openByServer } from "./fleet-rows.ts";
import { fleetSigns, standWords, wholeMinutes } from "./fleet-table.ts";
import type { PowerChoice } from "./power.ts";
import type { ViewButton, ViewContext, ViewKind, ViewPress, ViewShown } from "./types.ts";

export interface ChartViewDeps {
  readonly config: Pick<Config, "servers" | "stats" | "rules" | "timezone">;
  readonly serverStates: Pick<ServerStates, "read" | "events">;
  readonly serverHistory: Pick<ServerHistory, "points" | "hours">;
  readonly incidents: Pick<Incidents, "openIds" | "each" | "endedIdsSince">;
  readonly chartThemes: Pick<ChartThemes, "read" | "write">;
  readonly painter: Pick<ChartPainter, "paint">;
}

/** Which picture is shown. */
export interface ChartState {
  readonly server: string;
  /** How far back it goes; milliseconds. */
  readonly range?: number;
  /** Absent: as whoever has opened it likes pictures. */
  readonly theme?: ChartThemeName;
}

const dayMs = 24 * hourMs;
const defaultRangeMs = dayMs;
/** The ranges that have a button. */
const ranges = [
  { name: "1h", ms: hourMs },
  { name: "24h", ms: dayMs },
  { name: "7d", ms: 7 * dayMs },
  { name: "30d", ms: 30 * dayMs },
] as const;

const lifeMs = 24 * hourMs;
/** The same picture is drawn once in so long; milliseconds. */
const sameForMs = 30_000;
/** More ended incidents of all servers are not looked through. */
const mostEnded = 2000;
const mostTitles = 3;
const mostBoots = 3;

/** With what a picture begins that somebody asks for. */
export async function chartState(
  { chartThemes: themes }: Pick<ChartViewDeps, "chartThemes">,
  userId: number,
  server: string,
  range?: number,
): Promise<ChartState> {
  const chosen = await themes.read(userId);
  const theme = chartThemes.find((name) => name === chosen);
  return { server, ...(range === undefined ? {} : { range }), ...(theme ? { theme } : {}) };
}

/** /stats web-1 24h: a server's values as a picture, which its buttons draw anew in the same message. */
export function chartView(deps: ChartViewDeps): ViewKind<ChartState> {
  return {
    kind: "chart",
    role: "viewer",
    lifeMs,
    command: "/stats",
    render: async (state, context) => await shown(state, context, deps),
    press: async (state, what, context) => press(state, what, context, deps),
  };
}

function press(
  state: ChartState,
  what: string,
  { messages }: ViewContext,
  { chartThemes: themes }: ChartViewDeps,
): ViewPress<ChartState> {
  const [verb = "", argument = ""] = what.split("-");
  switch (verb) {
    case "range": {
      const range = Number(argument);
      return { run: async () => ({ ...state, range: range > 0 ? range : defaultRangeMs }) };
    }
    case "theme": {
      const theme = chartThemes.find((name) => name === argument);
      if (!theme) break;
      return {
        toast: messages.plain(`toast-stats-theme-${theme}`),
        run: async ({ by }) => {
          await themes.write(by.id, theme);
          return { ...state, theme };
        },
      };
    }
    case "incidents":
      return {
        run: async ({ open }) => {
          const matchers = [{ label: "server", operator: "=", value: state.server }];
          await open({ kind: "alerts", state: { matchers } });
          return undefined;
        },
      };
    case "reboot":
      return {
        role: "operator",
        run: async ({ open }) => {
          await open({ kind: "power", state: { command: "reboot", server: state.server } satisfies PowerChoice });
          return undefined;
        },
      };
    case "refresh":
      return { run: async () => state };
    default:
  }
  return { toast: messages.plain("toast-outdated"), run: async () => state };
}

async function shown(state: ChartState, context: ViewContext, deps: ChartViewDeps): Promise<ViewShown> {
  const { messages, now } = context;
  const server = deps.config.servers.find(({ name }) => name === state.server);
  if (!server) return { html: messages.t("stats-gone", { name: oneLine(state.server, 64) }), rows: [] };
  const { timezone } = deps.config;
  const range = state.range ?? defaultRangeMs;
  const theme = state.theme ?? "dark";
  const known = await deps.serverStates.read(server.name);
  const open = (await openByServer(deps.incidents)).get(server.name) ?? [];
  const stand = standOf(known, deps.config.stats.every, now);
  const mark = markOfStand(stand, known, open);
  const data = await read(server, known, stand, range, now, deps);
  const chart = chartOf(data, { messages, timezone, theme });
  const png = await deps.painter.paint(chart);
  const lines = captionLines({ name: server.name, mark, stand, known, open, boots: chart.boots }, context, timezone);
  return {
    html: lines.join("\n"),
    picture: { name: `${server.name}-${rangeName(range)}.png`, png },
    rows: buttons(state, server, open.length, messages),
  };
}

type Server = ChartViewDeps["config"]["servers"][number];

async function read(
  server: Server,
  known: ServerState | undefined,
  stand: FleetStand,
  range: number,
  now: Date,
  deps: ChartViewDeps,
): Promise<ChartData> {
  // Whoever asks again within half a minute, and nothing new is known, is given the same.
  const to = new Date(Math.ceil(now.getTime() / sameForMs) * sameForMs);
  const from = new Date(to.getTime() - range);
  const [lines, incidents, events] = await Promise.all([
    readLines(server.name, from, to, range, deps),
    incidentsOf(server.name, from, deps),
    deps.serverStates.events(server.name, new Date(0), to),
  ]);
  const limits = limitsOf(deps.config.rules, server);
  return { name: server.name, from, to, lines, limits, incidents, events, bootedAt: known?.bootedAt, stand };
}

/** Every reading where all of them are still there, else hours. */
async function readLines(
  name: string,
  from: Date,
  to: Date,
  range: number,
  { serverHistory, config }: ChartViewDeps,
): Promise<Map<MetricName, Drawn[]>> {
  const { every, keep } = config.stats;
  if (range <= Math.min(keep.raw, 7 * dayMs)) {
    const points = await serverHistory.points(name, drawnMetrics, from, to);
    return new Map([...points].map(([metric, its]) => [metric, lineOf(its, every)]));
  }
  const hours = await serverHistory.hours(name, drawnMetrics, from, to);
  return new Map([...hours].map(([metric, its]) => [metric, bandOf(its)]));
}

async function incidentsOf(name: string, from: Date, { incidents }: ChartViewDeps): Promise<Incident[]> {
  const [open, ended] = await Promise.all([incidents.openIds(), incidents.endedIdsSince(from, mostEnded)]);
  const found: Incident[] = [];
  for await (const incident of incidents.each([...open, ...ended]))
    if (incident.status !== "noted" && !isUnseen(incident) && serverOf(incident)?.value === name) found.push(incident);
  return found;
}

interface Caption {
  readonly name: string;
  readonly mark: FleetMark;
  readonly stand: FleetStand;
  readonly known: ServerState | undefined;
  readonly open: readonly Incident[];
  readonly boots: readonly number[];
}

function captionLines(
  { name, mark, stand, known, open, boots }: Caption,
  { messages, now }: ViewContext,
  timezone: string,
): string[] {
  const { locale } = messages;
  const isOn = stand.kind === "on";
  const word = isOn ? messages.plain(`stats-status-${stand.status}`) : standWords(stand, messages, now);
  const up = isOn ? upWords(known, messages, now) : [];
  const head = [messages.t("stats-caption", { mark: fleetSigns[mark], name: oneLine(name, 64) }), word, ...up];
  const values = isOn ? valueWords(stand, messages) : [];
  const reason =
    !isOn && known?.failure ? [oneLine(messages.plain(known.failure.reason.key, known.failure.reason.args), 200)] : [];
  const at = known?.goodAt;
  const age = at && formatDuration(wholeMinutes(now.getTime() - at.getTime()), locale);
  const time = formatTime(now, locale, timezone);
  const titles = open.slice(0, mostTitles).map((incident) =>
    messages.t("stats-incident", {
      mark: markOf(incident),
      title: titleOf(incident, messages, 80),
      lasted: formatDuration(wholeMinutes(lastedMs(incident, now)), locale),
    }),
  );
  const more = open.length - titles.length;
  const starts = boots.slice(-mostBoots).map((boot) => formatTime(new Date(boot), locale, timezone));
  return [
    head.join(" · "),
    ...(values.length === 0 ? [] : [values.join(" · ")]),
    ...reason.map((text) => messages.t("stats-reason", { text })),
    ...titles,
    ...(more > 0 ? [messages.t("list-more", { count: formatCount(more, locale) })] : []),
    ...(starts.length === 0 ? [] : [messages.t("stats-boots", { times: starts.join(", ") })]),
    age === undefined ? messages.t("stats-at", { at: time }) : messages.t("stats-measured", { at: time, age }),
  ];
}

function upWords(known: ServerState | undefined, messages: Messages, now: Date): string[] {
  if (!known?.bootedAt) return [];
  const ms = now.getTime() - known.bootedAt.getTime();
  return ms <= 0 ? [] : [messages.t("stats-up", { up: formatDuration(wholeMinutes(ms), messages.locale) })];
}

function valueWords({ metrics }: FleetStand & { readonly kind: "on" }, messages: Messages): string[] {
  const { locale } = messages;
  const percents = (["cpu", "memory", "disk"] as const).flatMap((metric) => {
    const value = metrics[metric];
    if (value === undefined) return [];
    const free = metric === "disk" ? metrics.disk_free : undefined;
    const text = messages.t(`stats-value-${metric}`, { value: percentOf(value, messages) });
    return [free === undefined ? text : `${text} (${messages.t("stats-free", { free: formatBytes(free, locale) })})`];
  });
  const load = metrics.load ?? metrics.load_per_core;
  if (load === undefined) return percents;
  const value = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }).format(load);
  return [...percents, messages.t("stats-value-load", { value })];
}

function rangeName(ms: number): string {
  return ranges.find((range) => range.ms === ms)?.name ?? formatDuration(ms, "en").replaceAll(" ", "");
}

function buttons(
  { range = defaultRangeMs, theme = "dark" }: ChartState,
  server: Server,
  incidents: number,
  messages: Messages,
): ViewButton[][] {
  const other = theme === "dark" ? "light" : "dark";
  const choices = ranges.map(({ name, ms }) => {
    const label = messages.plain(`stats-range-${name}`);
    return { what: `range-${ms}`, label: ms === range ? `• ${label}` : label };
  });
  const listed = { n: incidents, count: formatCount(incidents, messages.locale) };
  const further: ViewButton[] = [
    ...(incidents === 0 ? [] : [{ what: "incidents", label: messages.plain("button-stats-incidents", listed) }]),
    ...(powerActionsOf(server).includes("reboot")
      ? [{ what: "reboot", label: messages.plain("button-stats-reboot"), style: "danger" as const }]
      : []),
  ];
  const again: ViewButton[] = [
    { what: "refresh", label: messages.plain("button-refresh") },
    { what: `theme-${other}`, label: other === "light" ? "☀️" : "🌙" },
  ];
  return [choices, again, ...(further.length === 0 ? [] : [further])];
}
