import { isStale, type ServerState } from "./server-state.ts";
import { type Severity, severityRank } from "./signal.ts";

/** How a server stands, at a glance; the worst first. `none`: nobody has looked yet. */
export const serverMarks = ["red", "amber", "none", "green"] as const;
export type ServerMark = (typeof serverMarks)[number];

/** What a mark goes by, beside what is known of the server. */
export interface MarkContext {
  /** Milliseconds between two looks. */
  readonly every: number;
  readonly now: Date;
  /** Of its open incidents, the most severe. */
  readonly worst?: Severity | undefined;
}

/** One failed look may be an accident of the network. */
const failuresInARow = 2;

export function serverMark(state: ServerState | undefined, { every, now, worst }: MarkContext): ServerMark {
  if (worst === "critical") return "red";
  if (!state) return worst ? "amber" : "none";
  const { status, failure } = state;
  if (status === "off" || status === "blocked" || status === "removed" || failure?.kind === "gone") return "red";
  // Of the server itself a provider whose API fails says nothing.
  if (failure && !failure.ofApi && failure.kind !== "account" && failure.count >= failuresInARow) return "red";
  const isWell = status === undefined || status === "on";
  return failure || worst === "warning" || !isWell || isStale(state, every, now) ? "amber" : "green";
}

/** Counts the open incidents of each server, by the label that names it; the most severe of each. */
export function worstByServer(
  incidents: readonly { readonly severity: Severity; readonly labels: Readonly<Record<string, string>> }[],
): ReadonlyMap<string, { readonly count: number; readonly worst: Severity }> {
  const found = new Map<string, { count: number; worst: Severity }>();
  for (const { severity, labels } of incidents) {
    const server = Object.hasOwn(labels, "server") ? labels["server"] : undefined;
    if (server === undefined) continue;
    const known = found.get(server);
    const isWorse = !known || severityRank(severity) < severityRank(known.worst);
    found.set(server, { count: (known?.count ?? 0) + 1, worst: isWorse ? severity : known.worst });
  }
  return found;
}

/** Worst first, then by name. */
export function byMark(
  a: { readonly mark: ServerMark; readonly name: string },
  b: { readonly mark: ServerMark; readonly name: string },
): number {
  const order = serverMarks.indexOf(a.mark) - serverMarks.indexOf(b.mark);
  return order === 0 ? a.name.localeCompare(b.name, "en", { numeric: true }) : order;
}
