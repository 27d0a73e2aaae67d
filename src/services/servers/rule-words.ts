import type { Reason } from "../../core/rule-reasons.ts";
import type { Text } from "../../core/text.ts";

/** Reasons in one line: "CPU 97 % (> 90 %)". At most so many are told. */
export function reasonsText(reasons: readonly Reason[], most: number): Text {
  const [last, ...others] = reasons.slice(0, most).toReversed().map(reasonText);
  if (!last) return { key: "rule-nothing" };
  return others.reduce<Text>((rest, first) => ({ key: "rule-and", args: { first, rest } }), last);
}

function reasonText({ what, value, operator, limit, dimension }: Reason): Text {
  const isRate = what.kind === "function" && what.name === "rate";
  const shown = (amount: number): Text => valueText(amount, dimension, isRate);
  return {
    key: "rule-reason",
    args: { what: whatText(what), value: shown(value), operator, limit: shown(limit) },
  };
}

function whatText(what: Reason["what"]): Text {
  const metric: Text = { key: "rule-metric", args: { metric: what.metric } };
  if (what.kind === "metric") return metric;
  const name = what.name === "full_in" && what.metric === "disk_free" ? "empty_in" : what.name;
  return { key: "rule-function", args: { name, metric, window: durationText(what.windowMs / 1000) } };
}

/** A value in the unit in which people read it. What is per time of a rate is shown per hour, other bytes per second. */
function valueText(value: number, { base, perTime }: Reason["dimension"], isRate: boolean): Text {
  if (!Number.isFinite(value)) return { key: "rule-never" };
  if (base === "seconds" && perTime === 0) return durationText(value);
  const amount = isRate ? value * 3600 : value;
  const per = isRate ? (perTime === 2 ? "second-hour" : "hour") : perTime === 1 ? "second" : "none";
  const scaled = base === "bytes" ? scaledBytes(amount) : { value: amount, unit: base };
  return { key: "rule-value", args: { value: rounded(scaled.value), unit: scaled.unit, per } };
}

const byteUnits = ["B", "kB", "MB", "GB", "TB"] as const;

function scaledBytes(bytes: number): { value: number; unit: string } {
  let [value, index] = [bytes, 0];
  while (Math.abs(value) >= 999.5 && index < byteUnits.length - 1) {
    value /= 1000;
    index += 1;
  }
  return { value, unit: byteUnits[index] ?? "B" };
}

const [minute, hour, day] = [60, 3600, 86_400];

/** Seconds as a person writes them ("24 h", "7 d"), and what was measured in two digits. */
function durationText(seconds: number): Text {
  const isWhole = [minute, hour].some((unit) => seconds % unit === 0);
  const [unit, length] = durationUnit(seconds);
  const value = isWhole ? rounded(seconds / length) : Number((seconds / length).toPrecision(2));
  return { key: "rule-duration", args: { value, unit } };
}

function durationUnit(seconds: number): [unit: string, length: number] {
  if (seconds > 3 * day) return ["d", day];
  if (seconds >= 2 * hour || (seconds > 0 && seconds % hour === 0)) return ["h", hour];
  return seconds >= 2 * minute || (seconds > 0 && seconds % minute === 0) ? ["m", minute] : ["s", 1];
}

/** Three digits say enough. */
function rounded(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
