import type { Config } from "../../app/config.ts";
import { type FleetStand, markOfStand, standOf } from "../../core/fleet.ts";
import { type Incident, isUnseen } from "../../core/incident.ts";
import type { MetricName } from "../../core/metric.ts";
import { endsOn } from "../../core/power.ts";
import { limitsOf } from "../../core/rule-limits.ts";
import type { ServerState } from "../../core/server-state.ts";
import { formatCount, formatDuration } from "../../messages/format.ts";
import type { Messages } from "../../messages/index.ts";
import { powerActionsOf } from "../../services/power/servers.ts";
import type { ChartThemes } from "../../state/chart-themes.ts";
import type { Incidents } from "../../state/incidents.ts";
import type { PowerStates } from "../../state/power.ts";
import type { ServerHistory } from "../../state/server-history.ts";
import type { ServerStates } from "../../state/servers.ts";
import { type ChartData, chartOf, drawnMetrics } from "../charts/model.ts";
import type { ChartPainter } from "../charts/painter.ts";
import { bandOf, hourMs, lineOf } from "../charts/series.ts";
import { type ChartThemeName, chartThemes, type Drawn } from "../charts/types.ts";
import { oneLine } from "../foreign-text.ts";
import { serverOf } from "../incident-text.ts";
import { captionLines } from "./chart-caption.ts";
import { openByServer } from "./fleet-rows.ts";
import type { PowerChoice } from "./power.ts";
import type { ViewButton, ViewContext, ViewKind, ViewPress, ViewShown } from "./types.ts";

export interface ChartViewDeps {
  readonly config: Pick<Config, "servers" | "stats" | "rules" | "timezone">;
  readonly serverStates: Pick<ServerStates, "read" | "events">;
  readonly serverHistory: Pick<ServerHistory, "points" | "hours">;
  readonly incidents: Pick<Incidents, "openIds" | "each" | "endedIdsSince">;
  readonly powerStates: Pick<PowerStates, "list">;
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
/** Nor older orders. */
const mostOrders = 200;

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
          const matchers = [{ label: argument, operator: "=", value: state.server }];
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
    rows: buttons(state, server, open, messages),
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
  const [lines, incidents, events, restarts] = await Promise.all([
    readLines(server.name, from, to, range, deps),
    incidentsOf(server.name, from, deps),
    deps.serverStates.events(server.name, new Date(0), to),
    restartsOf(server.name, deps),
  ]);
  const limits = limitsOf(deps.config.rules, server);
  const { bootedAt } = known ?? {};
  return { name: server.name, from, to, lines, limits, incidents, events, bootedAt, restarts, stand };
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

async function restartsOf(name: string, { powerStates }: ChartViewDeps): Promise<NonNullable<ChartData["restarts"]>> {
  return (await powerStates.list(mostOrders)).flatMap(({ server, action, stages: { ordered, booting, answering } }) => {
    const seen = booting ?? answering;
    if (server !== name || !endsOn(action) || ordered === undefined || seen === undefined) return [];
    return [{ ordered: new Date(ordered), seen: new Date(seen) }];
  });
}

function rangeName(ms: number): string {
  return ranges.find((range) => range.ms === ms)?.name ?? formatDuration(ms, "en").replaceAll(" ", "");
}

function buttons(
  { range = defaultRangeMs, theme = "dark" }: ChartState,
  server: Server,
  open: readonly Incident[],
  messages: Messages,
): ViewButton[][] {
  const other = theme === "dark" ? "light" : "dark";
  const choices = ranges.map(({ name, ms }) => {
    const label = messages.plain(`stats-range-${name}`);
    return { what: `range-${ms}`, label: ms === range ? `• ${label}` : label };
  });
  const listed = { n: open.length, count: formatCount(open.length, messages.locale) };
  // Senders have different names for the label; the list is asked for by that of one of them.
  const label = open[0] && serverOf(open[0])?.label;
  const further: ViewButton[] = [
    ...(label === undefined
      ? []
      : [{ what: `incidents-${label}`, label: messages.plain("button-stats-incidents", listed) }]),
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
