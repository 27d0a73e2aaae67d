import { type MetricName, metricUnits } from "./metric.ts";

/**
 * What a value in a rule is measured in: percent, bytes, seconds or a bare number, once or twice per time. Values are
 * kept in these units; what is per time, per second: 1 %/h is 1/3600.
 */
export interface Dimension {
  readonly base: "percent" | "bytes" | "number" | "seconds";
  readonly perTime: 0 | 1 | 2;
}

const ofUnits = {
  percent: { base: "percent", perTime: 0 },
  bytes: { base: "bytes", perTime: 0 },
  number: { base: "number", perTime: 0 },
  seconds: { base: "seconds", perTime: 0 },
  "bytes-per-second": { base: "bytes", perTime: 1 },
} as const satisfies Readonly<Record<(typeof metricUnits)[MetricName], Dimension>>;

export function dimensionOf(metric: MetricName): Dimension {
  return ofUnits[metricUnits[metric]];
}

export function sameDimension(a: Dimension, b: Dimension): boolean {
  return a.base === b.base && a.perTime === b.perTime;
}

/** How a value of this dimension is written, for whoever has written another one. */
export function exampleOf({ base, perTime }: Dimension): string {
  const value = { percent: "5%", bytes: perTime === 0 ? "10 GB" : "5 MB", number: "2", seconds: "24h" }[base];
  if (perTime === 0) return value;
  if (base === "bytes") return perTime === 1 ? `${value}/s` : `${value}/s/h`;
  return value + "/h".repeat(perTime);
}

const sizes: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
  KBIT: 125,
  MBIT: 125e3,
  GBIT: 125e6,
};

/** Seconds. */
const times: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** What one of a unit is; undefined when it is none. */
export function unitOf(word: string): { readonly base: Dimension["base"]; readonly factor: number } | undefined {
  if (word === "%") return { base: "percent", factor: 1 };
  const time = Object.hasOwn(times, word) ? times[word] : undefined;
  if (time !== undefined) return { base: "seconds", factor: time };
  const upper = word.toUpperCase();
  const size = Object.hasOwn(sizes, upper) ? sizes[upper] : undefined;
  return size === undefined ? undefined : { base: "bytes", factor: size };
}

/** Seconds of the time behind a slash, "h" in "%/h"; undefined when it is none. */
export function timeOf(word: string): number | undefined {
  return Object.hasOwn(times, word) ? times[word] : undefined;
}

/** Most and least that a metric can be. */
export function rangeOf(metric: MetricName): readonly [least: number, most: number] {
  return [0, metricUnits[metric] === "percent" ? 100 : Number.POSITIVE_INFINITY];
}
