import type { MetricName } from "../../src/core/metric.ts";
import { type RuleConditions, readRule } from "../../src/core/rule-check.ts";
import type { RuleView } from "../../src/core/rule-series.ts";
import { type RuleState, stepRule } from "../../src/core/rule-state.ts";
import type { Columns } from "../../src/core/series.ts";

/** Five minutes: between two readings of these series. */
export const every = 300_000;
/** When they begin. */
export const begin = Date.parse("2026-11-20T00:00:00Z");

/** The same numbers in [0, 1) each time. */
export function randomly(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A value for each reading, as long as wanted: `value(index, noise)`, where noise is around 0 with a deviation of about 1. */
export function recorded(
  count: number,
  value: (index: number, noise: number) => number | undefined,
  seed = 1,
): (number | undefined)[] {
  const random = randomly(seed);
  const noise = (): number => (random() + random() + random() + random() - 2) * Math.sqrt(3);
  return Array.from({ length: count }, (_, index) => {
    const found = value(index, noise());
    // As it comes out of the history.
    return found === undefined ? undefined : Math.fround(found);
  });
}

/** A busy web server: quiet at night, busy by day, with bursts. */
export function webServerCpu(count: number, seed = 1): (number | undefined)[] {
  let burst = 0;
  return recorded(
    count,
    (index, noise) => {
      burst = burst * 0.8 + (noise > 2.2 ? 30 : 0);
      const day = 25 + 20 * Math.sin((index / 288 - 0.3) * 2 * Math.PI);
      return Math.min(100, Math.max(1, day + 4 * noise + burst));
    },
    seed,
  );
}

/** A disk that fills by `perHour` percent and, if wanted, is cleared by as much every `rotated` readings. */
export function fillingDisk(
  count: number,
  { from, perHour, rotated, noise: loud = 0.05 }: { from: number; perHour: number; rotated?: number; noise?: number },
): (number | undefined)[] {
  return recorded(count, (index, noise) =>
    Math.min(100, from + ((rotated === undefined ? index : index % rotated) / 12) * perHour + loud * noise),
  );
}

function columns(values: readonly (number | undefined)[]): Columns {
  const known = values.flatMap((value, index) => (value === undefined ? [] : [{ at: begin + index * every, value }]));
  return {
    times: Float64Array.from(known, ({ at }) => at),
    values: Float32Array.from(known, ({ value }) => value),
  };
}

/** What a rule sees at a reading of these series. */
export function viewOf(series: Partial<Record<MetricName, readonly (number | undefined)[]>>, index: number): RuleView {
  const all = Object.entries(series) as [MetricName, readonly (number | undefined)[]][];
  const values = Object.fromEntries(
    all.flatMap(([metric, its]) => (its[index] === undefined ? [] : [[metric, its[index]]])),
  );
  const at = begin + index * every;
  return {
    at,
    heardAt: at + 2000,
    every,
    values,
    series: (metric) => columns((series[metric] ?? []).slice(0, index + 1)),
  };
}

export function ruleOf(when: string, clear?: string): RuleConditions {
  const read = readRule({ when, clear }, { every, raw: 7 * 86_400_000 });
  if ("problem" in read) throw new Error(`${when}: ${JSON.stringify(read)}`);
  return read;
}

/**
 * Plays series before a rule, reading by reading; one where nothing is known is none. Gives what became of it: "20
 * firing" at the reading with that index, "over" when it cleared.
 */
export function play(
  { when, clear, for: wanted = 0 }: { when: string; clear?: string; for?: number },
  series: Partial<Record<MetricName, readonly (number | undefined)[]>>,
): string[] {
  const rule = ruleOf(when, clear);
  const told: string[] = [];
  let state: RuleState | undefined;
  const count = Math.max(...Object.values(series).map((values) => values.length));
  let seen: RuleView | undefined;
  for (let index = 0; index < count; index++) {
    if (Object.values(series).some((values) => values[index] !== undefined)) seen = viewOf(series, index);
    const before = state;
    state = stepRule(rule, { for: wanted, every }, seen, state, begin + index * every + 3000);
    if (state?.phase !== before?.phase) told.push(`${index} ${state?.phase ?? "quiet"}`);
    if (state?.phase === "firing" && before?.phase === "firing" && hasData(state) !== hasData(before))
      told.push(`${index} ${hasData(state) ? "data" : "no data"}`);
    if (state?.phase === "over") state = undefined;
  }
  return told;
}

function hasData(state: RuleState): boolean {
  return state.phase !== "firing" || state.noDataSince === undefined;
}
