import type { RuleConditions } from "./rule-check.ts";
import { holds } from "./rule-holds.ts";
import { gapIntervals, type RuleView, valueIn } from "./rule-series.ts";

/** Times are milliseconds since 1970; those of readings by the clock that has measured them. */
interface Seen {
  /** The newest reading at which it was known whether the rule holds. */
  readonly at: number;
  /** When that came, by our clock. */
  readonly heardAt: number;
  /** The first reading at which it held. */
  readonly since: number;
}

/**
 * Where a rule is at a server. Absent: it does not hold. `pending`: it holds, not for long enough yet. `over`: it has
 * cleared, which has not been told yet.
 */
export type RuleState =
  | (Seen & { readonly phase: "pending" })
  | (Seen & {
      readonly phase: "firing";
      /** When nothing new was first seen where something was due, by our clock. */
      readonly missedSince?: number;
      /** Since then there is no data: what was last known still stands. */
      readonly noDataSince?: number;
    })
  | (Seen & { readonly phase: "over"; readonly why: OverReason });

/** `cleared`: it does not hold any more. Otherwise there is no rule any more that could hold: not of this text, not for this server. */
export type OverReason = "cleared" | "changed" | "removed";

export interface RuleTimes {
  /** So long it has to hold on every reading; milliseconds. */
  readonly for: number;
  /** Milliseconds between two readings. */
  readonly every: number;
}

/** Nothing came for so many intervals: a firing rule says so. */
const silentIntervals = 3;
/** What a provider tells may be so old when it comes; milliseconds. */
const lagMs = 15 * 60_000;
/** Before that somebody has looked, and again so many intervals later: a clock that was set makes nobody silent. */
const missedIntervals = 1.5;
/** Polls come a little early or late: part of an interval by which `for` may be short. */
const jitter = 0.1;

/**
 * What a reading makes of a rule at a server. `view`: the newest reading, undefined when there is none. What is over
 * stays so until that has been told. Gives the very same object when nothing changes.
 */
export function stepRule(
  rule: RuleConditions,
  times: RuleTimes,
  view: RuleView | undefined,
  state: RuleState | undefined,
  now: number,
): RuleState | undefined {
  if (state?.phase === "over") return state;
  if (!isNews(view, times, state, now)) return withoutNews(state, times, now);
  const fires = holds(rule.when, (expression) => valueIn(view, expression));
  if (state?.phase === "firing") {
    // What still holds is not over, whatever else is said of it.
    const clears =
      fires !== true && (rule.clear ? holds(rule.clear, (expression) => valueIn(view, expression)) : negated(fires));
    if (clears === undefined || (fires === undefined && !clears)) return withoutNews(state, times, now);
    const { at, heardAt } = view;
    const { since } = state;
    return clears ? { phase: "over", at, heardAt, since, why: "cleared" } : { phase: "firing", at, heardAt, since };
  }
  if (fires === undefined) return withoutNews(state, times, now);
  return fires ? held(view, state, times) : undefined;
}

function negated(value: boolean | undefined): boolean | undefined {
  return value === undefined ? undefined : !value;
}

/** A reading that has not been looked at, and is of now. */
function isNews(
  view: RuleView | undefined,
  { every }: RuleTimes,
  state: RuleState | undefined,
  now: number,
): view is RuleView {
  if (!view || Math.abs(now - view.heardAt) > gapIntervals * every) return false;
  if (Math.abs(now - view.at) > Math.max(lagMs, gapIntervals * every)) return false;
  if (!state || view.at > state.at) return true;
  // A reading of the future was taken by a clock that has been set back since.
  return view.at < state.at && state.at > now + every;
}

/** It holds at a reading: goes on holding, or begins to. */
function held({ at, heardAt }: RuleView, state: RuleState | undefined, times: RuleTimes): RuleState {
  const gap = state ? at - state.at : 0;
  const goesOn = state !== undefined && gap >= 0 && gap <= gapIntervals * times.every;
  const since = goesOn ? state.since : at;
  const isLong = at - since >= times.for - jitter * times.every;
  return { phase: times.for === 0 || isLong ? "firing" : "pending", at, heardAt, since };
}

/** Nothing is known that was not known before. */
function withoutNews(state: RuleState | undefined, { every }: RuleTimes, now: number): RuleState | undefined {
  if (!state) return undefined;
  const silent = now - state.heardAt;
  // Of a clock that was set back: it begins anew with the next reading.
  if (state.phase === "pending") return silent > gapIntervals * every || silent < -every ? undefined : state;
  if (state.phase === "over" || state.noDataSince !== undefined || silent <= silentIntervals * every) return state;
  const { missedSince } = state;
  if (missedSince === undefined || missedSince > now) return { ...state, missedSince: now };
  return now - missedSince >= missedIntervals * every ? { ...state, noDataSince: state.heardAt } : state;
}
