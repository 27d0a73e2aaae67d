import { nextTime } from "./schedule.ts";

/** What is expected of a heartbeat: `every` (milliseconds) or `cron`, and `grace` (milliseconds) on top. */
export interface HeartbeatRule {
  readonly every?: number | undefined;
  readonly cron?: string | undefined;
  /** IANA time zone of `cron`. */
  readonly timezone: string;
  readonly grace: number;
}

/** One sign of life. */
export interface Ping {
  /** `success`: a run has ended well, or there is nothing but the sign. `log`: only words. */
  readonly kind: "success" | "start" | "fail" | "log";
  /** Pairs a start with its end. */
  readonly run?: string | undefined;
  /** Exit status that was reported. */
  readonly exit?: number | undefined;
  /** The last of what it has said. */
  readonly output?: string | undefined;
}

/** A run that has begun and not ended. Times are milliseconds since 1970, by the clock of whoever heard it. */
export interface OpenRun {
  readonly run?: string;
  readonly at: number;
}

/** Why a heartbeat is missed. `since`: when it became so, or when it failed. */
export type Down =
  | { readonly reason: "late"; readonly since: number; readonly due: number; readonly last?: number }
  | { readonly reason: "unfinished"; readonly since: number; readonly start: number }
  | { readonly reason: "failed"; readonly since: number; readonly exit?: number; readonly tookMs?: number };

/** What is remembered of a heartbeat. Times are milliseconds since 1970. */
export interface HeartbeatState {
  /** The schedule that `from` was taken for. */
  readonly schedule: string;
  /** Nothing is owed for times before this: when it became known, or was configured anew. */
  readonly from: number;
  readonly lastSuccess?: number;
  /** How long the last finished run took; milliseconds. */
  readonly tookMs?: number;
  /** Oldest first. */
  readonly runs: readonly OpenRun[];
  /** The last words, of any ping. */
  readonly output?: string;
  readonly down?: Down;
}

/** So many open runs are remembered. */
const mostRuns = 20;

/** A job by the clock may come so much before its time, as clocks differ; milliseconds. */
const earlyMs = 30_000;

/** Another clock may be ahead by so much; milliseconds. */
const skewMs = 60_000;

/** What a heartbeat starts with: it owes nothing yet. Known ones are taken as they are, unless their schedule is another one. */
export function knownHeartbeat(rule: HeartbeatRule, known: HeartbeatState | undefined, now: Date): HeartbeatState {
  const schedule = JSON.stringify([rule.every, rule.cron, rule.cron === undefined ? undefined : rule.timezone]);
  if (!known) return { schedule, from: now.getTime(), runs: [] };
  const state = withinTime(known, now);
  return state.schedule === schedule ? state : { ...state, schedule, from: now.getTime() };
}

/** A clock that was ahead and has been set back must not keep the heartbeat waiting: nothing lies in the future. */
function withinTime(state: HeartbeatState, now: Date): HeartbeatState {
  const most = now.getTime();
  const isAhead = (at: number | undefined): boolean => at !== undefined && at > most + skewMs;
  if (![state.from, state.lastSuccess, ...state.runs.map(({ at }) => at)].some(isAhead)) return state;
  const { lastSuccess } = state;
  return {
    ...state,
    from: Math.min(state.from, most),
    ...(lastSuccess === undefined ? {} : { lastSuccess: Math.min(lastSuccess, most) }),
    runs: state.runs.map((run) => ({ ...run, at: Math.min(run.at, most) })),
  };
}

/** What a sign of life makes of what is known. */
export function applyPing(state: HeartbeatState, ping: Ping, now: Date): HeartbeatState {
  const at = now.getTime();
  const { output: _output, ...rest } = state;
  const heard: HeartbeatState = ping.output ? { ...rest, output: ping.output } : ping.kind === "log" ? state : rest;
  if (ping.kind === "log") return heard;
  if (ping.kind === "start") {
    // The same run begins once, however often it is said; without a name the newest start counts.
    const others = state.runs.filter(({ run }) => run !== ping.run);
    const run: OpenRun = { at, ...(ping.run === undefined ? {} : { run: ping.run }) };
    return { ...heard, runs: [...others, run].slice(-mostRuns) };
  }
  const begun = state.runs.find(({ run }) => run === ping.run);
  const tookMs = begun ? Math.max(0, at - begun.at) : undefined;
  const runs = remaining(state, ping.run);
  if (ping.kind === "fail") {
    const down: Down = {
      reason: "failed",
      // After the last good sign, whichever of two clocks has taken them.
      since: Math.max(at, (state.lastSuccess ?? Number.NEGATIVE_INFINITY) + 1),
      ...(ping.exit === undefined ? {} : { exit: ping.exit }),
      ...(tookMs === undefined ? {} : { tookMs }),
    };
    return { ...heard, runs, down };
  }
  const { down: _down, tookMs: _took, ...well } = heard;
  return {
    ...well,
    runs,
    lastSuccess: Math.max(at, state.lastSuccess ?? at),
    ...(tookMs === undefined ? {} : { tookMs }),
  };
}

/** An end without a name ends everything; one with a name its own run, and what was told as missed before. */
function remaining({ runs, down }: HeartbeatState, name: string | undefined): readonly OpenRun[] {
  if (name === undefined) return [];
  const told = down?.reason === "unfinished" ? down.start : Number.NEGATIVE_INFINITY;
  return runs.filter(({ at, run }) => run !== name && at > told);
}

/** When the next sign of life is due, without its grace; milliseconds since 1970. */
export function dueAt(rule: HeartbeatRule, state: HeartbeatState): number {
  const base = Math.max(state.from, state.lastSuccess ?? state.from);
  if (rule.cron === undefined) return base + (rule.every ?? Number.POSITIVE_INFINITY);
  const early = state.lastSuccess === base ? Math.min(rule.grace, earlyMs) : 0;
  return nextTime(rule.cron, rule.timezone, new Date(base + early))?.getTime() ?? Number.POSITIVE_INFINITY;
}

/**
 * Why the heartbeat is missed at `now`, if it is. What is missed stays so until a sign of life comes. `backSince`: when
 * the watch itself came back, having been away; signs may have been lost before, so it waits for another grace.
 */
export function judge(rule: HeartbeatRule, state: HeartbeatState, now: Date, backSince?: number): Down | undefined {
  if (state.down) return state.down;
  const again =
    backSince === undefined || backSince > now.getTime() ? Number.NEGATIVE_INFINITY : backSince + rule.grace;
  const late = (deadline: number): boolean => now.getTime() >= Math.max(deadline, again);
  const oldest = state.runs[0];
  if (oldest && late(oldest.at + rule.grace))
    return { reason: "unfinished", since: oldest.at + rule.grace, start: oldest.at };
  const due = dueAt(rule, state);
  if (!late(due + rule.grace)) return undefined;
  const last = state.lastSuccess;
  return { reason: "late", since: due + rule.grace, due, ...(last === undefined ? {} : { last }) };
}
