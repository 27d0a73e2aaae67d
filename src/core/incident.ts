import type { Urgency } from "./card.ts";
import type { Person } from "./run.ts";
import type { Link, Severity } from "./signal.ts";
import type { Silenceable } from "./silence.ts";
import type { Text } from "./text.ts";

/**
 * `firing`: it is so now. `resolved`: the source has said that it is over. `closed`: a person has said so. `noted`: it
 * merely happened, there is no end to wait for.
 */
export type IncidentStatus = "firing" | "resolved" | "closed" | "noted";

/** What happened to an incident, for its history. */
export type IncidentEvent =
  | "opened"
  | "reopened"
  | "contradicted"
  | "resolved"
  | "acknowledged"
  | "unacknowledged"
  | "closed"
  | "silenced"
  | "unsilenced"
  | "severity"
  | "flapping"
  | "settled"
  | "stale"
  | "heard";

export interface HistoryEntry {
  readonly at: string;
  readonly event: IncidentEvent;
  readonly by?: Person;
  /** Until when, for `silenced`; the severity, for `severity`. */
  readonly detail?: string;
}

/** Something that is or was wrong: the entity behind the incident cards. Times are ISO 8601, by our own clock unless said otherwise. */
export interface Incident {
  readonly id: string;
  /** See `identityOf`. */
  readonly identity: string;
  readonly source: string;
  readonly status: IncidentStatus;
  readonly severity: Severity;
  readonly title: string | Text;
  readonly text?: string | Text;
  readonly labels: Readonly<Record<string, string>>;
  readonly links: readonly Link[];
  /** Newest beginning or end that a signal has named, by the sender's clock: what began until then is about the past. */
  readonly startsAt: string;
  /** Its signals name no beginning: `startsAt` is by our own clock, and every end of the sender's is about it. */
  readonly undated?: boolean;
  /** When it began, by the sender's clock where it says. */
  readonly openedAt: string;
  /** When it began the last time. */
  readonly firedAt: string;
  /** When it ended, by the sender's clock where it says. When that was heard: `endHeardAt`. */
  readonly endedAt?: string;
  /** When the source was last heard about it. */
  readonly heardAt: string;
  /** Whether the source repeats itself, so that its silence means something. */
  readonly repeats: boolean;
  /** How often its source looks at it; milliseconds. Absent: all the time. */
  readonly every?: number;
  /** How often it has begun. */
  readonly times: number;
  readonly acknowledged?: { readonly by: Person; readonly at: string };
  readonly closed?: { readonly by: Person; readonly at: string };
  /** Reports of the same beginning since a person has closed it. */
  readonly stillReported?: number;
  readonly silenced?: {
    readonly silence: string;
    readonly by: Person;
    readonly until: string;
    readonly reason?: string;
    /** It is explained by something that was ordered, and held back until that is over. */
    readonly held?: true;
  };
  /** Times of the newest beginnings and ends, within the window of `flapping`. */
  readonly changes: readonly string[];
  readonly flapping?: { readonly since: string };
  readonly staleSince?: string;
  readonly truncated?: number;
  /** Counts what is worth ringing for again: another number, and the card is posted anew. */
  readonly rings: number;
  readonly rangAt: string;
  /** Oldest first; the first one and the newest ones. */
  readonly history: readonly HistoryEntry[];
  /** How many entries of the history were left out after the first. */
  readonly forgotten?: number;
}

/** Milliseconds and counts from `alerts:` of the configuration. */
export interface IncidentSettings {
  /** What fires again so soon is the same incident. */
  readonly reopenWithin: number;
  readonly staleAfter: number;
  readonly flapping: { readonly changes: number; readonly within: number };
}

const keptHistory = 60;

/** Labels that routes and silences may ask for: the sender's, and what we know of it. */
export function matchLabels(about: Pick<Incident, "labels" | "severity" | "source">): Readonly<Record<string, string>> {
  return { ...about.labels, severity: about.severity, source: about.source };
}

/** What silences look at. */
export function silenceable(
  incident: Pick<Incident, "identity" | "firedAt" | "labels" | "severity" | "source">,
): Silenceable {
  const { identity, firedAt } = incident;
  return { identity, firedAt, matchLabels: matchLabels(incident) };
}

export function isOpen(incident: Pick<Incident, "status">): boolean {
  return incident.status === "firing";
}

/** When its end was heard, by our own clock. Undefined while it is open. */
export function endHeardAt(incident: Pick<Incident, "status" | "endedAt" | "heardAt">): string | undefined {
  if (isOpen(incident)) return undefined;
  return incident.status === "resolved" ? incident.heardAt : (incident.endedAt ?? incident.heardAt);
}

/** How urgent it is that the chat shows the newest state, which `before` has become. */
export function incidentUrgency(incident: Incident, before?: Incident): Urgency {
  // That it begins to flap, and how bad it is, is news; that it comes and goes is none any more.
  if (incident.flapping) return before && isStillFlapping(incident, before) ? "quiet" : "normal";
  return incident.severity === "critical" && isOpen(incident) && !incident.silenced ? "critical" : "normal";
}

function isStillFlapping(incident: Incident, before: Incident): boolean {
  return before.flapping !== undefined && before.severity === incident.severity;
}

/** An end that came before its beginning: remembered, never shown. */
export function isUnseen(incident: Incident): boolean {
  return incident.times === 0;
}

/** Beginnings and ends within the window. */
export function recentChanges(incident: Incident, settings: IncidentSettings, now: Date): readonly string[] {
  const within = flappingWithin(incident, settings);
  return incident.changes.filter((at) => now.getTime() - Date.parse(at) <= within);
}

/**
 * The window in which beginnings and ends are counted; milliseconds. What is looked at so seldom that it could never
 * change as often within it gets the time in which every other look may change it.
 */
export function flappingWithin(
  { every = 0 }: Pick<Incident, "every">,
  { flapping }: Pick<IncidentSettings, "flapping">,
): number {
  return Math.max(flapping.within, 2 * flapping.changes * every);
}

/** Adds to the history. */
export function record(incident: Incident, now: Date, entry: Omit<HistoryEntry, "at">): Incident {
  const history = [...incident.history, { at: now.toISOString(), ...entry }];
  if (history.length <= keptHistory) return { ...incident, history };
  // The beginning is always told.
  return { ...incident, history: history.toSpliced(1, 1), forgotten: (incident.forgotten ?? 0) + 1 };
}

/** Worth ringing for: not what flaps, what is silenced, or what somebody has acknowledged. */
export function ring(incident: Incident, now: Date): Incident {
  if (incident.flapping || incident.silenced || incident.acknowledged) return incident;
  return { ...incident, rings: incident.rings + 1, rangAt: now.toISOString() };
}
