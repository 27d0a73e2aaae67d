import { type DrillItem, type DrillLimit, type DrillLimits, type DrillReason, trendOf } from "../core/drill.ts";
import type { Text } from "../core/text.ts";
import { formatBytes, formatCount, formatDuration } from "../messages/format.ts";
import type { Messages } from "../messages/index.ts";
import { oneLine } from "./foreign-text.ts";

/** Of a reason from outside, as much is shown; all of it is in the log. */
const longestReason = 300;

const arrows = { up: "↑", down: "↓", level: "→" } as const;

/** One backup of a drill, as lines of HTML: what became of it, and beneath how it went before. */
export function drillItemLines(item: DrillItem, limits: DrillLimits, messages: Messages): string[] {
  const { name, status, copy, reason, differences } = item;
  const { locale } = messages;
  const storage = copy?.storage ?? "";
  const size = formatBytes(copy?.bytes ?? 0, locale);
  switch (status) {
    case "waiting":
      return [messages.t(copy ? "drill-item-waiting" : "drill-item-waiting-none", { name, storage, size })];
    case "running":
      return [messages.t("drill-item-running", { name, what: runningWords(item, messages) })];
    case "passed": {
      const mark = item.over ? "⚠️" : "✅";
      const times = timeWords(item, limits, messages);
      return [
        messages.t("drill-item-passed", { mark, name, times, counted: countedWords(item, messages), size, storage }),
        ...trendLine(item, messages),
      ];
    }
    case "failed": {
      const counted = { count: differences ?? 0, countText: formatCount(differences ?? 0, locale) };
      const why = reason ? reasonWords(reason, messages) : messages.plain("drill-differences", counted);
      return [messages.t("drill-item-failed", { name, storage, reason: why }), ...ageLine(item, limits, messages)];
    }
    case "undrilled":
      return [
        messages.t("drill-item-undrilled", { name, reason: reason ? reasonWords(reason, messages) : "?" }),
        ...ageLine(item, limits, messages),
      ];
    case "left-out":
      return [messages.t("drill-item-left-out", { name, reason: reason ? reasonWords(reason, messages) : "?" })];
    case "cancelled":
      return [messages.t("drill-item-cancelled", { name })];
  }
}

function runningWords({ phase = "waiting", progress }: DrillItem, messages: Messages): string {
  const what = messages.plain(`verify-phase-${phase}`);
  if (!progress || progress.total === 0) return what;
  const { locale } = messages;
  const percent = Math.floor((100 * progress.bytes) / progress.total);
  const sizes = { read: formatBytes(progress.bytes, locale), total: formatBytes(progress.total, locale) };
  return messages.plain("drill-progress", { what, ...sizes, percent });
}

/** "RTO 41s, RPO 3h 2m"; what is beyond its limit is marked and says which. */
function timeWords(item: DrillItem, limits: DrillLimits, messages: Messages): string {
  const word = (which: DrillLimit, ms: number | undefined): string[] => {
    if (ms === undefined) return [];
    const value = formatDuration(ms, messages.locale);
    const limit = formatDuration(limits[which], messages.locale);
    return [
      messages.plain(item.over?.includes(which) ? `drill-over-${which}` : `drill-time-${which}`, { value, limit }),
    ];
  };
  return [...word("rto", item.rtoMs), ...word("rpo", item.rpoMs)].join(", ");
}

/** Of what was not restored, at least how old it is. */
function ageLine(item: DrillItem, limits: DrillLimits, messages: Messages): string[] {
  const { rtoMs: _, ...rest } = item;
  const words = timeWords(rest, limits, messages);
  return words === "" ? [] : [messages.t("drill-beneath", { words })];
}

function countedWords({ compared = {} }: DrillItem, messages: Messages): string {
  for (const what of ["rows", "keys", "entries", "objects"] as const) {
    const count = compared[what];
    if (count !== undefined)
      return messages.plain(`drill-counted-${what}`, { count, countText: formatCount(count, messages.locale) });
  }
  return messages.plain("drill-uncounted");
}

/** Both times in former drills and in this one, oldest first, and where they go. */
function trendLine({ rtoMs, rpoMs, former, formerAges }: DrillItem, messages: Messages): string[] {
  const part = (which: DrillLimit, value: number | undefined, before: readonly number[] = []): string[] => {
    const trend = value === undefined ? undefined : trendOf(value, before);
    if (value === undefined || !trend) return [];
    const values = [...before, value].map((ms) => formatDuration(ms, messages.locale));
    const args = { values: values.join(messages.plain("drill-between")), arrow: arrows[trend] };
    return [messages.plain(`drill-trend-${which}`, args)];
  };
  const parts = [...part("rto", rtoMs, former), ...part("rpo", rpoMs, formerAges)];
  return parts.map((words) => messages.t("drill-beneath", { words }));
}

/** A sentence that an older or newer version wrote may have a key that is not known here. */
function reasonWords({ message, text }: DrillReason, messages: Messages): Text | string {
  if (!text || !messages.has(text.key)) return oneLine(message, longestReason);
  const short = Object.entries(text.args ?? {}).map(([name, value]) => {
    return [name, typeof value === "string" ? oneLine(value, longestReason) : value] as const;
  });
  return { key: text.key, args: Object.fromEntries(short) };
}
