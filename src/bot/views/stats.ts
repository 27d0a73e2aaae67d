import { createHash } from "node:crypto";
import type { Config } from "../../app/config.ts";
import { type FleetRow, type FleetSummary, summaryOf } from "../../core/fleet.ts";
import { type Trend, type TrendMetric, trendOf, trendRules } from "../../core/fleet-trend.ts";
import { formatMatcher, type Matcher, matchesAll } from "../../core/matchers.ts";
import { formatCount, formatDuration } from "../../messages/format.ts";
import type { Messages } from "../../messages/index.ts";
import type { ServerHistory } from "../../state/server-history.ts";
import { oneLine } from "../foreign-text.ts";
import { timeText } from "../incident-text.ts";
import { type ChartViewDeps, chartState } from "./chart.ts";
import { type FleetDeps, fleetRows } from "./fleet-rows.ts";
import { fleetSigns, type Trends, tableHtml, wholeMinutes } from "./fleet-table.ts";
import { digestOf, pageOf, pageRow } from "./pages.ts";
import type { ViewButton, ViewContext, ViewKind, ViewPress, ViewShown } from "./types.ts";

export interface StatsViewDeps extends FleetDeps, Pick<ChartViewDeps, "chartThemes"> {
  readonly config: Pick<Config, "servers" | "stats" | "timezone">;
  readonly serverHistory: Pick<ServerHistory, "windows">;
}

/** What /stats shows. */
export interface StatsState {
  /** Of the names; in small letters. */
  readonly part?: string;
  /** On labels; `server` and `provider` count as labels. */
  readonly matchers?: readonly Matcher[];
  readonly page?: number;
}

const pageSize = 20;
/** Servers of a page that have a button: those that are looked at first. */
const mostButtons = 6;
const buttonsInRow = 3;
const lifeMs = 24 * 3_600_000;
/** What is looked at about once a second may be so old; milliseconds. */
const pulseMs = 15_000;
const longestLabel = 20;

/** /stats: the whole fleet as one table, red ones first, and each server's picture. */
export function statsView(deps: StatsViewDeps): ViewKind<StatsState> {
  const pulses = new Map<string, { readonly at: number; readonly pulse: Promise<string> }>();
  return {
    kind: "stats",
    role: "viewer",
    lifeMs,
    command: "/stats",
    render: async (state, context) => await table(state, context, deps),
    // Of thousands of servers this is work: one answer does for all views that ask for the same.
    pulse: async (state, now) => {
      const key = JSON.stringify({ ...state, page: 0 });
      const known = pulses.get(key);
      if (known && Math.abs(now.getTime() - known.at) < pulseMs) return await known.pulse;
      for (const [old, { at }] of pulses) if (Math.abs(now.getTime() - at) >= pulseMs) pulses.delete(old);
      const pulse = pulseOf(state, deps, now);
      pulses.set(key, { at: now.getTime(), pulse });
      pulse.catch(() => pulses.delete(key));
      return await pulse;
    },
    press: async (state, what, context) => press(state, what, context, deps),
  };
}

/** Which servers stand how: values alone change with every look, and are what Refresh is for. */
async function pulseOf(state: StatsState, deps: StatsViewDeps, now: Date): Promise<string> {
  const rows = await fleetRows(wanted(state, deps), deps, now);
  const marks = rows.map(({ name, mark, stand }) => `${name} ${mark} ${stand.kind}`).join("\n");
  return createHash("sha256").update(marks).digest("base64url").slice(0, 16);
}

function press(state: StatsState, what: string, { messages }: ViewContext, deps: StatsViewDeps): ViewPress<StatsState> {
  const [verb = "", argument = ""] = what.split("-");
  if (verb === "page") return { run: async () => ({ ...state, page: Number(argument) || 0 }) };
  const server = deps.config.servers.find(({ name }) => digestOf(name) === argument);
  if (verb !== "chart" || !server) return { toast: messages.plain("toast-outdated"), run: async () => state };
  return {
    run: async ({ open, by }) => {
      await open({ kind: "chart", state: await chartState(deps, by.id, server.name) });
      return undefined;
    },
  };
}

/** The servers that a filter means, in the order of the configuration. */
export function wanted({ part, matchers = [] }: StatsState, { config }: Pick<StatsViewDeps, "config">) {
  return config.servers.filter(
    ({ name, provider, labels }) =>
      (part === undefined || name.toLowerCase().includes(part)) &&
      matchesAll(matchers, { ...labels, server: name, provider }),
  );
}

async function table(state: StatsState, context: ViewContext, deps: StatsViewDeps): Promise<ViewShown> {
  const { messages, now } = context;
  if (deps.config.servers.length === 0) return { html: messages.t("stats-none-configured"), rows: [] };
  const rows = await fleetRows(wanted(state, deps), deps, now);
  const { page, pages, from } = pageOf(state.page, rows.length, pageSize);
  const shown = rows.slice(from, from + pageSize);
  const filter = [...(state.part === undefined ? [] : [state.part]), ...(state.matchers ?? []).map(formatMatcher)];
  const head = [
    summaryLine(summaryOf(rows), messages, now),
    ...(filter.length === 0 ? [] : [messages.t("stats-filter", { filter: oneLine(filter.join(" "), 200) })]),
  ];
  const foot = messages.t(pages > 1 ? "stats-page" : "stats-at", {
    at: timeText(now.toISOString(), { messages, timezone: deps.config.timezone }),
    page: formatCount(page + 1, messages.locale),
    pages: formatCount(pages, messages.locale),
  });
  const body = shown.length === 0 ? [] : [tableHtml(shown, await trendsOf(shown, deps, now), messages, now)];
  return { html: [head.join("\n"), ...body, foot].join("\n"), rows: buttons(shown, page, pages, messages) };
}

function summaryLine(summary: FleetSummary, messages: Messages, now: Date): string {
  const { locale } = messages;
  const count = (value: number): string => formatCount(value, locale);
  const parts = [messages.t("stats-summary", { total: summary.total, text: count(summary.total) })];
  for (const what of ["on", "off", "silent", "never"] as const)
    if (summary[what] > 0) parts.push(messages.t(`stats-count-${what}`, { count: count(summary[what]) }));
  if (summary.oldest) {
    const age = formatDuration(wholeMinutes(now.getTime() - summary.oldest.getTime()), locale);
    parts.push(messages.t("stats-oldest", { age }));
  }
  return parts.join(" · ");
}

/** Of the servers of one page: nobody waits for what is not shown. */
async function trendsOf(
  rows: readonly FleetRow[],
  { serverHistory }: StatsViewDeps,
  now: Date,
): Promise<Map<string, Trends>> {
  const names = rows.flatMap(({ name, stand }) => (stand.kind === "on" ? [name] : []));
  const metrics = Object.keys(trendRules) as TrendMetric[];
  const longest = Math.max(...metrics.map((metric) => trendRules[metric].windowMs));
  const windows = await serverHistory.windows(names, metrics, new Date(now.getTime() - longest), now);
  return new Map(
    [...windows].map(([name, series]) => {
      const pairs = metrics.map((metric) => [metric, trendOf(series.get(metric) ?? [], metric, now)] as const);
      const known = pairs.filter((pair): pair is readonly [TrendMetric, Trend] => pair[1] !== undefined);
      return [name, Object.fromEntries(known)];
    }),
  );
}

function buttons(rows: readonly FleetRow[], page: number, pages: number, messages: Messages): ViewButton[][] {
  const charts = rows.slice(0, mostButtons).map(({ name, mark }) => ({
    what: `chart-${digestOf(name)}`,
    label: `${fleetSigns[mark]} ${oneLine(name, longestLabel)}`,
  }));
  const chartRows: ViewButton[][] = [];
  for (let start = 0; start < charts.length; start += buttonsInRow)
    chartRows.push(charts.slice(start, start + buttonsInRow));
  const refresh = { what: `page-${page}`, label: messages.plain("button-refresh") };
  return [...chartRows, [...pageRow(page, pages, messages), refresh]];
}
