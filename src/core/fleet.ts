import type { MetricValues } from "./metric.ts";
import type { LookFailure, ServerStatus } from "./server.ts";
import { measuredAt, type ServerState } from "./server-state.ts";
import type { Severity } from "./signal.ts";

/** How urgent it is to look at a server, from the most to the least. */
export const fleetMarks = ["red", "amber", "unknown", "off", "green"] as const;
export type FleetMark = (typeof fleetMarks)[number];

/**
 * What is known of a server now. Values are there only while they are: `silent` says since when they are not, and what
 * looks have failed with; without a failure nobody has looked for too long. `at`: when they were measured.
 */
export type FleetStand =
  | { readonly kind: "on"; readonly metrics: MetricValues; readonly status: ServerStatus; readonly at: Date }
  | { readonly kind: "off"; readonly status: ServerStatus }
  | { readonly kind: "silent"; readonly why?: LookFailure | undefined; readonly ofApi: boolean; readonly since?: Date }
  | { readonly kind: "never" };

/** A server in the table of all. */
export interface FleetRow {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly mark: FleetMark;
  readonly stand: FleetStand;
  /** Incidents of it that are open and not kept quiet. */
  readonly incidents: number;
}

/** A reading that is older than so many intervals says nothing about now. */
const freshFor = 2.5;
/** A look can fail for many reasons that are over at the next one. */
const failuresToTell = 2;

/** How a server stands. `everyMs`: how often it is looked at. */
export function standOf(state: ServerState | undefined, everyMs: number, now: Date): FleetStand {
  if (!state) return { kind: "never" };
  const { status, failure, reading, goodAt } = state;
  const at = goodAt ?? reading?.at;
  // Whoever is switched off gives no values: that is no silence. What an API says of nobody says nothing, and what was
  // off is gone when it says so.
  const isKnown = !failure?.ofApi && failure?.kind !== "gone";
  if ((status === "off" || status === "removed") && isKnown) return { kind: "off", status };
  if (failure) {
    const since = at === undefined || at > failure.since ? failure.since : at;
    return { kind: "silent", why: failure.kind, ofApi: failure.ofApi === true, since };
  }
  if (!reading || !at) return { kind: "never" };
  if (now.getTime() - at.getTime() > freshFor * everyMs) return { kind: "silent", ofApi: false, since: at };
  return { kind: "on", metrics: reading.metrics, status: status ?? "on", at: measuredAt(state) ?? at };
}

/** At a glance: by its open incidents, and by what is known of it. */
export function markOfStand(
  stand: FleetStand,
  state: ServerState | undefined,
  incidents: readonly { readonly severity: Severity }[],
): FleetMark {
  if (incidents.some(({ severity }) => severity === "critical")) return "red";
  const hasWarning = incidents.some(({ severity }) => severity === "warning");
  switch (stand.kind) {
    case "never":
      return hasWarning ? "amber" : "unknown";
    case "off":
      return hasWarning ? "amber" : "off";
    case "silent": {
      const isTold = stand.why === undefined || stand.why === "gone" || (state?.failure?.count ?? 0) >= failuresToTell;
      return isTold && !stand.ofApi ? "red" : "amber";
    }
    case "on":
      if (stand.status === "blocked") return "red";
      return hasWarning || stand.status !== "on" ? "amber" : "green";
  }
}

/** Red ones first, then amber ones; the rest by name, with numbers in their order. */
export function redFirst(a: FleetRow, b: FleetRow): number {
  return rank(a) - rank(b) || byName.compare(a.name, b.name);
}

function rank({ mark }: FleetRow): number {
  return mark === "red" ? 0 : mark === "amber" ? 1 : 2;
}

const byName = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** How many of them stand how, and when the oldest of the readings was taken that count as now. */
export interface FleetSummary {
  readonly total: number;
  readonly on: number;
  readonly off: number;
  readonly silent: number;
  readonly never: number;
  readonly red: number;
  readonly oldest?: Date;
}

/** One line about all of them. */
export function summaryOf(rows: readonly FleetRow[]): FleetSummary {
  const counts = { on: 0, off: 0, silent: 0, never: 0 };
  let red = 0;
  let oldest: Date | undefined;
  for (const { stand, mark } of rows) {
    counts[stand.kind] += 1;
    if (mark === "red") red += 1;
    if (stand.kind === "on" && (!oldest || stand.at < oldest)) oldest = stand.at;
  }
  return { total: rows.length, ...counts, red, ...(oldest ? { oldest } : {}) };
}
