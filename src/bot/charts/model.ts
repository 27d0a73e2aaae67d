import type { FleetStand } from "../../core/fleet.ts";
import type { Incident } from "../../core/incident.ts";
import type { MetricName } from "../../core/metric.ts";
import type { RuleLimit } from "../../core/rule-limits.ts";
import type { ServerEvent } from "../../core/server-state.ts";
import { formatDuration, formatRate, formatSpan } from "../../messages/format.ts";
import type { Messages } from "../../messages/index.ts";
import type { Chart, ChartLine, ChartPanel, ChartSpan, ChartThemeName, Drawn } from "./types.ts";

/** What a picture is made of. */
export interface ChartData {
  readonly name: string;
  readonly from: Date;
  readonly to: Date;
  readonly lines: ReadonlyMap<MetricName, readonly Drawn[]>;
  readonly limits: readonly RuleLimit[];
  readonly incidents: readonly Incident[];
  /** All that are known, also from before. */
  readonly events: readonly ServerEvent[];
  readonly bootedAt?: Date | undefined;
  readonly stand: FleetStand;
  /** By orders of Vakhta's own: asked for, and seen to start. */
  readonly restarts?: readonly { readonly ordered: Date; readonly seen: Date }[];
}

interface ChartReader {
  readonly messages: Messages;
  readonly timezone: string;
  readonly theme: ChartThemeName;
}

/** The metrics that are drawn. */
export const drawnMetrics = ["cpu", "memory", "disk", "network_in", "network_out"] as const;
type DrawnMetric = (typeof drawnMetrics)[number];

interface LineKind {
  readonly metric: DrawnMetric;
  readonly colour: ChartLine["colour"];
}

const panels: readonly {
  readonly name: string;
  readonly unit: ChartPanel["unit"];
  readonly lines: readonly LineKind[];
}[] = [
  { name: "cpu", unit: "percent", lines: [{ metric: "cpu", colour: "cpu" }] },
  { name: "memory", unit: "percent", lines: [{ metric: "memory", colour: "memory" }] },
  { name: "disk", unit: "percent", lines: [{ metric: "disk", colour: "disk" }] },
  {
    name: "network",
    unit: "bytes-per-second",
    lines: [
      { metric: "network_in", colour: "in" },
      { metric: "network_out", colour: "out" },
    ],
  },
];

const dayMs = 86_400_000;

/** Starts that are told of by several signs are one; milliseconds. */
const sameBootMs = 90_000;

/** The picture of a server, in the reader's words. */
export function chartOf(data: ChartData, { messages, timezone, theme }: ChartReader): Chart {
  const { from, to, name } = data;
  const span = formatSpan(from, to, messages.locale, timezone);
  const ms = to.getTime() - from.getTime();
  const length = ms === dayMs ? messages.plain("stats-range-24h") : formatDuration(ms, messages.locale);
  return {
    theme,
    locale: messages.locale,
    timezone,
    title: name,
    subtitle: `${length} · ${span}`,
    from: from.getTime(),
    to: to.getTime(),
    panels: panels.map(({ name: panel, unit, lines }) => ({
      title: messages.plain(`chart-${panel}`),
      unit,
      lines: lines.map((line) => lineOfKind(line, unit, data, messages)),
      thresholds: data.limits.filter(({ metric }) => lines.some((line) => line.metric === metric)),
    })),
    spans: [...incidentSpans(data), ...offSpans(data)],
    boots: bootsOf(data),
    words: {
      noData: messages.plain("chart-no-data"),
      limit: messages.plain("chart-limit"),
      incident: messages.plain("chart-incident"),
      boot: messages.plain("chart-boot"),
      off: messages.plain("chart-off"),
      range: messages.plain("chart-range"),
    },
  };
}

function lineOfKind(
  { metric, colour }: LineKind,
  unit: ChartPanel["unit"],
  { lines, stand }: ChartData,
  messages: Messages,
): ChartLine {
  const points = lines.get(metric) ?? [];
  const newest = stand.kind === "on" ? stand.metrics[metric] : undefined;
  let greatest: number | undefined;
  for (const { value, max } of points) {
    const most = max ?? value;
    if (most !== undefined && (greatest === undefined || most > greatest)) greatest = most;
  }
  const format = (value: number): string =>
    unit === "percent" ? percentOf(value, messages) : formatRate(value, messages.locale);
  const args = {
    now: newest === undefined ? "–" : format(newest),
    max: greatest === undefined ? "" : format(greatest),
    known: `${newest === undefined ? "" : "now"}${greatest === undefined ? "" : "max"}`,
  };
  // Of two lines in one panel there is room for the newest values alone.
  const key = unit === "percent" ? "chart-label" : `chart-label-${colour}`;
  return { colour, label: messages.plain(key, args).trim(), points };
}

/** "87%": as the language writes it. */
export function percentOf(value: number, { locale }: Messages): string {
  return new Intl.NumberFormat(locale, { style: "percent" }).format(value / 100);
}

function incidentSpans({ incidents, from, to }: ChartData): ChartSpan[] {
  return incidents.flatMap(({ openedAt, endedAt, severity }) => {
    const [began, ended] = [Date.parse(openedAt), endedAt === undefined ? to.getTime() : Date.parse(endedAt)];
    if (severity === "info" || ended < from.getTime() || began > to.getTime()) return [];
    return [{ from: Math.max(began, from.getTime()), to: Math.min(ended, to.getTime()), what: severity }];
  });
}

/** From each time that it went off until it was on again. */
function offSpans({ events, from, to }: ChartData): ChartSpan[] {
  const spans: ChartSpan[] = [];
  let since: number | undefined;
  const end = (at: number): void => {
    if (since !== undefined && at >= from.getTime() && since <= to.getTime())
      spans.push({ from: Math.max(since, from.getTime()), to: Math.min(at, to.getTime()), what: "off" });
    since = undefined;
  };
  for (const { kind, at } of events) {
    if (kind === "off") since ??= at.getTime();
    if (kind === "on" || kind === "booted") end(at.getTime());
  }
  end(to.getTime());
  return spans;
}

function bootsOf({ events, bootedAt, restarts = [], from, to }: ChartData): number[] {
  const all = [...events.flatMap(({ kind, at }) => (kind === "booted" ? [at] : [])), ...(bootedAt ? [bootedAt] : [])];
  // Where nobody tells when the system was started, the watch over an order does.
  for (const { ordered, seen } of restarts) {
    const [first, last] = [ordered.getTime() - sameBootMs, seen.getTime() + sameBootMs];
    if (!all.some((at) => at.getTime() >= first && at.getTime() <= last)) all.push(seen);
  }
  const times = all.map((at) => at.getTime()).filter((at) => at >= from.getTime() && at <= to.getTime());
  return times
    .toSorted((a, b) => a - b)
    .filter((at, index, sorted) => index === 0 || at - (sorted[index - 1] ?? 0) > sameBootMs);
}
