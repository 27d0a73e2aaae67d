import type { FleetMark, FleetRow, FleetStand } from "../../core/fleet.ts";
import type { Trend, TrendMetric } from "../../core/fleet-trend.ts";
import { formatDuration } from "../../messages/format.ts";
import { escapeHtml, type Messages } from "../../messages/index.ts";

export const fleetSigns: Readonly<Record<FleetMark, string>> = {
  red: "🔴",
  amber: "🟡",
  unknown: "⚪",
  off: "⚫",
  green: "🟢",
};

const arrows: Readonly<Record<Trend, string>> = {
  "up-fast": "↑",
  up: "↗",
  steady: "→",
  down: "↘",
  "down-fast": "↓",
};

export type Trends = Readonly<Partial<Record<TrendMetric, Trend>>>;

/** Phones show 34 characters in a line of a table before they break it: 3 for the sign, 11 for the name, 4 columns of 5. */
const nameWidth = 11;
const columnWidth = 4;
const columns = ["cpu", "memory", "disk", "load"] as const;

/** The table, one line each, in a type of one width. */
export function tableHtml(
  rows: readonly FleetRow[],
  trends: ReadonlyMap<string, Trends>,
  messages: Messages,
  now: Date,
): string {
  const heads = columns.map((column) =>
    messages
      .plain(`stats-column-${column}`)
      .padStart(columnWidth - 1)
      .padEnd(columnWidth),
  );
  const head = `   ${messages.plain("stats-column-server").padEnd(nameWidth)} ${heads.join(" ")}`;
  const lines = rows.map((row) => rowText(row, trends.get(row.name) ?? {}, messages, now));
  return `<pre>${escapeHtml([head, ...lines].map((line) => line.trimEnd()).join("\n"))}</pre>`;
}

function rowText({ name, mark, stand }: FleetRow, trends: Trends, messages: Messages, now: Date): string {
  const begin = `${fleetSigns[mark]} ${shortName(name).padEnd(nameWidth)} `;
  if (stand.kind !== "on") return begin + standWords(stand, messages, now);
  const { cpu, memory, disk, load, load_per_core } = stand.metrics;
  const word = stand.status === "on" ? undefined : messages.plain(`stats-status-${stand.status}`);
  if (word !== undefined && [cpu, memory, disk, load].every((value) => value === undefined)) return begin + word;
  return (
    begin +
    [
      cell(percent(cpu), trends.cpu),
      cell(percent(memory), trends.memory),
      cell(percent(disk), trends.disk),
      cell(loadOf(load ?? load_per_core, messages), trends.load_per_core),
    ].join(" ")
  );
}

function cell(value: string | undefined, trend: Trend | undefined): string {
  const text = (value ?? "–").padStart(columnWidth - 1);
  return text + (value === undefined || trend === undefined ? " " : arrows[trend]);
}

function percent(value: number | undefined): string | undefined {
  return value === undefined ? undefined : String(Math.round(value));
}

/** "0.5", "12", "340": three characters. */
function loadOf(value: number | undefined, { locale }: Messages): string | undefined {
  if (value === undefined) return undefined;
  if (value >= 9.95) return String(Math.min(999, Math.round(value)));
  return value.toFixed(1).replace(".", locale === "ru" ? "," : ".");
}

/** What is said instead of values, where there are none that count as now. */
export function standWords(stand: Exclude<FleetStand, { kind: "on" }>, messages: Messages, now: Date): string {
  if (stand.kind === "never") return messages.plain("stats-never");
  if (stand.kind === "off") return messages.plain(`stats-status-${stand.status}`);
  const what = messages.plain(`stats-silent-${stand.ofApi ? "account" : (stand.why ?? "old")}`);
  if (!stand.since) return what;
  return `${what} ${formatDuration(roughly(now.getTime() - stand.since.getTime()), messages.locale)}`;
}

const hourMs = 3_600_000;

/** In one unit alone, as there is no room for two. */
function roughly(ms: number): number {
  const unit = ms < hourMs ? 60_000 : ms < 36 * hourMs ? hourMs : 24 * hourMs;
  const rounded = Math.floor(ms / unit) * unit;
  // A day and some hours are hours in this table, which durations are not: a day it is.
  return rounded > 24 * hourMs && unit === hourMs ? 24 * hourMs : rounded;
}

/** Names that share their beginning differ in their end: both are kept. */
function shortName(name: string): string {
  return name.length <= nameWidth ? name : `${name.slice(0, nameWidth - 5)}…${name.slice(-4)}`;
}

export function wholeMinutes(ms: number): number {
  return ms < 60_000 ? Math.max(0, Math.round(ms / 1000) * 1000) : Math.round(ms / 60_000) * 60_000;
}
