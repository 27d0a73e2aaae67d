import type { Look, LookFailure, ServerFacts, ServerReading, ServerStatus } from "./server.ts";
import type { Text } from "./text.ts";

/** Why looks give nothing now. */
export interface Failing {
  readonly kind: LookFailure;
  readonly reason: Text;
  /** When the first of the failed looks was taken. */
  readonly since: Date;
  /** How many looks have failed in a row. */
  readonly count: number;
  /** It stays so until a person changes something. */
  readonly permanent?: boolean | undefined;
  /** It is the provider's API that fails: of the server itself it says nothing. */
  readonly ofApi?: boolean | undefined;
}

/** A server that is neither on nor off. */
interface Away {
  readonly since: Date;
  readonly count: number;
}

/** What is known of a server now. */
export interface ServerState {
  readonly name: string;
  /** When it was looked at last, by our clock; whether that gave anything or not. */
  readonly lookedAt: Date;
  /** How long that look took; milliseconds. */
  readonly tookMs: number;
  /** Number of that look: whatever clocks say, one that has begun later has a greater one. */
  readonly look: number;
  /** The newest values, which stay while looks fail. */
  readonly reading?: ServerReading | undefined;
  /** When they came, by our clock. */
  readonly goodAt?: Date | undefined;
  /** Absent while looks succeed. */
  readonly failure?: Failing | undefined;
  /** What its provider says of it beside measurements, and when it was asked. */
  readonly facts?: ServerFacts | undefined;
  readonly factsAt?: Date | undefined;
  /** What it was doing when somebody said so last; undefined: nobody ever did. */
  readonly status?: ServerStatus | undefined;
  /** Since when, and on how many looks, it is on its way or worked on and nothing is measured; absent: it is not. */
  readonly away?: Away | undefined;
  /** Another name at its provider that was not told yet. */
  readonly untold?: ServerEvent | undefined;
  readonly bootedAt?: Date | undefined;
  /** Whose worker has looked. */
  readonly host?: string | undefined;
}

/** What happened to a server, as far as looks can tell. */
export type ServerEventKind = "booted" | "off" | "on" | "renamed" | "gone" | "back";

export interface ServerEvent {
  readonly at: Date;
  readonly kind: ServerEventKind;
  /** Of `renamed`: what its provider called it before, and calls it now. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** A look, with what is written down of it. */
export type NotedLook = Look & { readonly host?: string };

export interface Next {
  readonly state: ServerState;
  readonly events: readonly ServerEvent[];
}

/** What a look makes of what was known. `number`: see `ServerState.look`. */
export function afterLook(before: ServerState | undefined, look: NotedLook, number: number, now: Date): Next {
  const { name, tookMs, host } = look;
  const looked = { name, lookedAt: now, tookMs, look: number, ...(host === undefined ? {} : { host }) };
  return "failure" in look ? afterFailure(before, look, looked) : afterReading(before, look.reading, looked);
}

type Looked = Pick<ServerState, "name" | "lookedAt" | "tookMs" | "look" | "host">;

function afterFailure(
  before: ServerState | undefined,
  { failure: kind, reason, permanent, ofApi }: Extract<NotedLook, { readonly failure: LookFailure }>,
  looked: Looked,
): Next {
  const now = looked.lookedAt;
  // What the account's fault was says nothing of the server's own.
  const known = (before?.failure?.kind === "account") === (kind === "account") ? before?.failure : undefined;
  const count = (known?.count ?? 0) + 1;
  // A clock that was set back must not let it have begun in the future.
  const since = known && known.since <= now ? known.since : now;
  const flags = { ...(permanent ? { permanent } : {}), ...(ofApi ? { ofApi } : {}) };
  const state = { ...before, ...looked, failure: { kind, reason, since, count, ...flags } };
  const isNews = kind === "gone" && before?.failure?.kind !== "gone";
  return { state, events: isNews ? [{ at: now, kind: "gone" }] : [] };
}

function afterReading(before: ServerState | undefined, reading: ServerReading, looked: Looked): Next {
  const { failure, away, ...rest } = before ?? {};
  const now = looked.lookedAt;
  const bootedAt = bootOf(reading);
  const events: ServerEvent[] = [...statusEvents(before?.status, reading.status, now)];
  if (failure?.kind === "gone") events.push({ at: now, kind: "back" });
  if (before && bootedAt && hasBooted(before, reading, now)) events.push({ at: bootedAt, kind: "booted" });
  const state: ServerState = {
    ...rest,
    ...looked,
    reading,
    goodAt: now,
    ...(reading.status === undefined ? {} : { status: reading.status }),
    ...(bootedAt ? { bootedAt } : {}),
    ...(isAway(reading) ? { away: stillAway(away, now) } : {}),
  };
  return { state, events };
}

const passing: ReadonlySet<ServerStatus> = new Set(["starting", "stopping", "rebooting", "busy"]);

function isAway({ status, metrics }: ServerReading): boolean {
  return status !== undefined && passing.has(status) && Object.keys(metrics).length === 0;
}

/** A clock that was set back must not let it have begun in the future. */
function stillAway(away: Away | undefined, now: Date): Away {
  return { since: away && away.since <= now ? away.since : now, count: (away?.count ?? 0) + 1 };
}

/** What its provider says makes of what was known. Undefined: it does not know the server. */
export function afterFacts(before: ServerState | undefined, name: string, facts: ServerFacts, now: Date): Next {
  const known = before?.facts?.providerName;
  const events: ServerEvent[] = [...statusEvents(before?.status, facts.status, now)];
  const { untold: owed, ...rest } = before ?? { name, lookedAt: now, tookMs: 0, look: 0 };
  let untold = owed;
  if (known !== undefined && facts.providerName !== undefined && known !== facts.providerName) {
    const renamed: ServerEvent = { at: now, kind: "renamed", from: known, to: facts.providerName };
    events.push(renamed);
    // Of what was not told yet the name that people know is the first one.
    untold = { ...renamed, from: owed?.from ?? known };
    if (untold.from === untold.to) untold = undefined;
  }
  const status = facts.status === undefined ? {} : { status: facts.status };
  return { state: { ...rest, facts, factsAt: now, ...status, ...(untold ? { untold } : {}) }, events };
}

function statusEvents(before: ServerStatus | undefined, after: ServerStatus | undefined, at: Date): ServerEvent[] {
  if (before === undefined || after === undefined || before === after) return [];
  if (after === "off") return [{ at, kind: "off" }];
  return before === "off" && after === "on" ? [{ at, kind: "on" }] : [];
}

/** When the system was started: as it says, else by how long it runs. */
function bootOf({ at, bootedAt, metrics }: ServerReading): Date | undefined {
  if (bootedAt) return bootedAt;
  return metrics.uptime === undefined ? undefined : new Date(at.getTime() - metrics.uptime * 1000);
}

/** Clocks are set and times are rounded: what differs by less is the same start; milliseconds. */
const sameBootMs = 30_000;

/**
 * Whether the system was started between two readings. The time of its start moves with its clock as well; how long it
 * runs does not: a system that was started since cannot have been running for longer than that.
 */
export function hasBooted(before: ServerState, reading: ServerReading, now: Date): boolean {
  const bootedAt = bootOf(reading);
  if (!before.bootedAt || !bootedAt || bootedAt.getTime() - before.bootedAt.getTime() <= sameBootMs) return false;
  const { uptime } = reading.metrics;
  const runningFor = before.reading?.metrics.uptime;
  if (uptime === undefined || runningFor === undefined) return true;
  const elapsed = now.getTime() - (before.goodAt?.getTime() ?? 0);
  return uptime < runningFor || uptime * 1000 <= elapsed + sameBootMs;
}

/**
 * When the newest values were measured: a provider's may be minutes old when they come. Never later than they came, where
 * its clock is ahead. Undefined: there are none.
 */
export function measuredAt({ reading, goodAt }: Pick<ServerState, "reading" | "goodAt">): Date | undefined {
  if (!reading) return goodAt;
  return goodAt && goodAt < reading.at ? goodAt : reading.at;
}

/** Whether newest values are too old to speak of now, as a table or a metric does: three intervals without any. */
export function isStale({ goodAt }: Pick<ServerState, "goodAt">, every: number, now: Date): boolean {
  return goodAt === undefined || now.getTime() - goodAt.getTime() > 3 * every;
}
