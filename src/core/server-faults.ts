import type { ServerState } from "./server-state.ts";
import type { Severity } from "./signal.ts";
import type { Text } from "./text.ts";

/**
 * Why nothing is known of a server. `deleted`: its provider has no such server; `off`, `blocked`: so its provider says;
 * `stuck`: it is neither on nor off for long; `api`: its provider's API fails for this one; the others are those of looks.
 */
export type FaultKind =
  | "deleted"
  | "blocked"
  | "off"
  | "stuck"
  | "unreachable"
  | "refused"
  | "garbage"
  | "no-data"
  | "api";

export interface ServerFault {
  readonly kind: FaultKind;
  readonly severity: Severity;
  /** What the look said. */
  readonly reason?: Text | undefined;
  readonly since?: Date | undefined;
}

/** One failed look is a mishap, two in a row are a fault. */
const looksInARow = 2;

/** A server that is on its way or worked on may take so long; milliseconds, and looks. */
const awayMs = 20 * 60_000;
const awayLooks = 3;

/** An API that is away for so long is critical: nobody knows how the servers are; milliseconds. */
const apiCriticalAfterMs = 15 * 60_000;

/** What is wrong with looking at a server, as far as it is its own fault; undefined: nothing, or nothing yet. */
export function serverFault({ status, failure, away, lookedAt }: ServerState): ServerFault | undefined {
  if (failure?.kind === "gone") return { kind: "deleted", severity: "critical", ...told(failure) };
  if (status === "removed") return { kind: "deleted", severity: "critical" };
  if (status === "blocked") return { kind: "blocked", severity: "critical" };
  if (status === "off") return { kind: "off", severity: "critical" };
  if (!failure && away && away.count >= awayLooks && lookedAt.getTime() - away.since.getTime() >= awayMs)
    return { kind: "stuck", severity: "warning", since: away.since };
  if (!failure || failure.kind === "account" || failure.count < looksInARow) return undefined;
  if (failure.ofApi) return { kind: "api", severity: "warning", ...told(failure) };
  const severity = failure.kind === "unreachable" ? "critical" : "warning";
  return { kind: failure.kind, severity, ...told(failure) };
}

function told({ reason, since }: NonNullable<ServerState["failure"]>): Pick<ServerFault, "reason" | "since"> {
  return { reason, since };
}

/** An account of which no server can be looked at. */
export interface AccountFault {
  /** `token`: a person has to do something before it works again. */
  readonly kind: "token" | "api";
  readonly severity: Severity;
  readonly reason: Text;
  readonly since: Date;
}

/**
 * Whether an account is what fails, by the states of its servers: those looked at last fail with it, and there were two
 * such looks or one that says it will stay so. What was looked at before that says nothing any more, whatever the clocks
 * say: looks are counted.
 */
export function accountFault(states: readonly ServerState[], now: Date): AccountFault | undefined {
  const failing = states.flatMap(({ look, failure }) => (failure?.kind === "account" ? [{ ...failure, look }] : []));
  const lastGood = Math.max(0, ...states.flatMap((state) => (isMeasured(state) ? [state.look] : [])));
  const since = failing.filter(({ look }) => look > lastGood).toSorted((a, b) => b.look - a.look);
  const [newest] = since;
  if (!newest) return undefined;
  const looks = since.reduce((sum, { count }) => sum + count, 0);
  if (looks < looksInARow && !newest.permanent) return undefined;
  const began = new Date(Math.min(...since.map((one) => one.since.getTime())));
  const isLong = now.getTime() - began.getTime() >= apiCriticalAfterMs;
  return {
    kind: newest.permanent ? "token" : "api",
    severity: newest.permanent || isLong ? "critical" : "warning",
    reason: newest.reason,
    since: began,
  };
}

/** Of one that is off an account may know although it measures nothing any more: only values show that it works. */
function isMeasured({ failure, reading }: ServerState): boolean {
  return failure === undefined && Object.keys(reading?.metrics ?? {}).length > 0;
}
