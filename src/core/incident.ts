import type { Urgency } from "./card.ts";
import type { Person } from "./run.ts";
import { digest, type Link, type Severity, type Signal, severityRank } from "./signal.ts";
import type { Silence, Silenceable } from "./silence.ts";
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

export type Transition = "none" | "heard" | "opened" | "reopened" | "resolved" | "changed";

export interface Applied {
  readonly incident: Incident;
  readonly transition: Transition;
}

/**
 * What was said before an end may arrive after it, but not this much after; milliseconds. Just under a minute, so that a
 * sender which speaks every minute is believed at its next word.
 */
const lateCopyMs = 55_000;

/** Senders cut their times to whole seconds; milliseconds. */
const sameTimeMs = 1000;

const keptHistory = 60;
const keptChanges = 100;

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

/**
 * What a signal makes of the incident that is known under its identity. The signal alone decides nothing that an
 * older one could undo: for one beginning, its end wins over late copies of what was said before. What a source still
 * reports a minute after it has said that it is over, is not: an Alertmanager that hears nothing from Prometheus for some
 * minutes says so of everything.
 */
export function applySignal(
  known: Incident | undefined,
  signal: Signal,
  identity: string,
  settings: IncidentSettings,
  now: Date,
): Applied {
  if (signal.status === "info") return noted(known, signal, identity, settings, now);
  if (signal.status === "resolved") return ended(known, signal, identity, settings, now);
  if (!known) return { incident: opened(signal, identity, now), transition: "opened" };
  if (isOpen(known)) {
    const incident = repeated(known, signal, now);
    return { incident, transition: transitionOfRepeat(known, incident) };
  }
  const away = now.getTime() - Date.parse(endHeardAt(known) ?? known.heardAt);
  // Who names no beginning speaks of now, however soon after the end.
  const isOld = signal.startsAt !== undefined && !isLater(timeOf(signal.startsAt, now), known.startsAt, now);
  // A clock that was set makes nothing a late copy for hours.
  if (isOld && (known.status === "closed" || Math.abs(away) <= lateCopyMs)) return afterTheEnd(known, now);
  if (isUnseen(known)) return { incident: opened(signal, identity, now), transition: "opened" };
  // The same beginning is the same incident, however long it was thought to be over.
  if (isOld) return { incident: reopened(known, signal, settings, now, "contradicted"), transition: "reopened" };
  // What flaps stays one card.
  if (away > settings.reopenWithin && !known.flapping) {
    const incident = opened(signal, identity, now);
    // Its times are counted across incidents, or what comes and goes more slowly than they last would never flap.
    const { changes } = known;
    return { incident: changed({ ...incident, changes }, settings, now), transition: "opened" };
  }
  return { incident: reopened(known, signal, settings, now, "reopened"), transition: "reopened" };
}

/** An end that came before its beginning: remembered, never shown. */
export function isUnseen(incident: Incident): boolean {
  return incident.times === 0;
}

function timeOf(text: string | undefined, otherwise: Date): number {
  const at = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? otherwise.getTime() : at;
}

/** Clocks of senders may be ahead by so much, milliseconds. */
const clockTolerance = 300_000;

/** What lies far in the future comes of a wrong clock: once it is set, the times of now must count again. */
function newness(at: number, now: Date): number {
  return at > now.getTime() + clockTolerance ? at - 1e15 : at;
}

function isLater(at: number, than: string, now: Date): boolean {
  return newness(at, now) > newness(Date.parse(than), now);
}

/** The newest of some times, by the sender's clock. */
function newest(times: readonly number[], now: Date): string {
  const sorted = times.toSorted((a, b) => newness(b, now) - newness(a, now));
  return new Date(sorted[0] ?? now.getTime()).toISOString();
}

function incidentId(identity: string, startsAt: number): string {
  return digest(`${identity} ${startsAt}`, 12);
}

/** A sender's clock that is ahead would let things begin in the future. */
function began(signal: Signal, now: Date): string {
  return new Date(Math.min(timeOf(signal.startsAt, now), now.getTime())).toISOString();
}

function opened(signal: Signal, identity: string, now: Date): Incident {
  const at = now.toISOString();
  const startsAt = timeOf(signal.startsAt, now);
  const begin = began(signal, now);
  return {
    id: incidentId(identity, startsAt),
    identity,
    source: signal.source,
    status: "firing",
    ...content(signal),
    startsAt: new Date(startsAt).toISOString(),
    ...(signal.startsAt === undefined ? { undated: true } : {}),
    openedAt: begin,
    firedAt: begin,
    heardAt: at,
    repeats: signal.repeats ?? true,
    ...(signal.every === undefined ? {} : { every: signal.every }),
    times: 1,
    changes: [at],
    rings: 0,
    rangAt: at,
    history: [{ at: begin, event: "opened" }],
  };
}

function content(
  said: Pick<Signal, "severity" | "title" | "text" | "labels" | "links" | "truncated">,
): Pick<Incident, "severity" | "title" | "text" | "labels" | "links" | "truncated"> {
  const { severity, title, text, labels, links = [], truncated } = said;
  return {
    severity,
    title,
    labels,
    links,
    ...(text === undefined || text === "" ? {} : { text }),
    ...(truncated === undefined || truncated === 0 ? {} : { truncated }),
  };
}

function noted(
  known: Incident | undefined,
  signal: Signal,
  identity: string,
  settings: IncidentSettings,
  now: Date,
): Applied {
  const incident: Incident = { ...opened(signal, identity, now), status: "noted", endedAt: now.toISOString() };
  // With a name and without a time it is the sender's next attempt, or its next word about the same.
  const isNamed = signal.fingerprint !== undefined && signal.startsAt === undefined;
  if (!isNamed && known?.id === incident.id) return { incident: known, transition: "none" };
  const isSame = known !== undefined && isNamed && now.getTime() - Date.parse(known.heardAt) <= settings.reopenWithin;
  if (!isSame) return { incident, transition: "opened" };
  const said = withContent(known, signal);
  const transition = transitionOfRepeat(known, said);
  return transition === "heard" ? { incident: known, transition: "none" } : { incident: said, transition };
}

/** What of a repetition is worth a new look of the card. */
function transitionOfRepeat(known: Incident, repeatedly: Incident): Transition {
  const same = JSON.stringify(content(known)) === JSON.stringify(content(repeatedly));
  return same && known.staleSince === undefined ? "heard" : "changed";
}

/** Each of several watchers links to itself: who was heard first stays, or the card would change with every repetition. */
function linksOf(known: Incident, { links = [] }: Signal): readonly Link[] {
  const kinds = (all: readonly Link[]): string => all.map(({ kind }) => kind).join();
  return kinds(known.links) === kinds(links) ? known.links : links;
}

/** What the newest signal says of it. */
function withContent(known: Incident, signal: Signal): Incident {
  const { truncated: _truncated, text: _text, ...rest } = known;
  return { ...rest, ...content({ ...signal, links: linksOf(known, signal) }) };
}

function repeated(known: Incident, signal: Signal, now: Date): Incident {
  const knownStart = Date.parse(known.startsAt);
  const { staleSince, ...heard } = withContent(known, signal);
  let incident: Incident = {
    ...heard,
    startsAt: newest([knownStart, timeOf(signal.startsAt, new Date(knownStart))], now),
    ...(signal.startsAt === undefined ? { undated: true } : {}),
    heardAt: now.toISOString(),
    repeats: signal.repeats ?? true,
    ...(signal.every === undefined ? {} : { every: signal.every }),
  };
  if (staleSince !== undefined) incident = record(incident, now, { event: "heard" });
  if (signal.severity === known.severity) return incident;
  incident = record(incident, now, { event: "severity", detail: signal.severity });
  return severityRank(signal.severity) < severityRank(known.severity) ? worse(incident, now) : incident;
}

/** Who has taken on less has not taken this on. */
function worse(incident: Incident, now: Date): Incident {
  const { acknowledged, ...rest } = incident;
  return ring(acknowledged ? record(rest, now, { event: "unacknowledged" }) : incident, now);
}

/** It begins again, or has never been over: `contradicted` by the source itself. */
function reopened(
  known: Incident,
  signal: Signal,
  settings: IncidentSettings,
  now: Date,
  event: "reopened" | "contradicted",
): Incident {
  const { endedAt: _endedAt, closed: _closed, acknowledged: _acknowledged, stillReported: _still, ...ended } = known;
  const { undated: _undated, ...rest } = ended;
  const told = repeated(rest, signal, now);
  const incident: Incident = {
    ...told,
    status: "firing",
    // The end that was wrong must not hide the next one.
    startsAt: event === "contradicted" ? new Date(timeOf(signal.startsAt, now)).toISOString() : told.startsAt,
    firedAt: began(signal, now),
    times: known.times + 1,
  };
  return ring(changed(record(incident, now, { event }), settings, now), now);
}

/** The source has not noticed yet that it is over, or somebody has closed what goes on. */
function afterTheEnd(known: Incident, now: Date): Applied {
  if (known.status !== "closed") return { incident: known, transition: "none" };
  const stillReported = (known.stillReported ?? 0) + 1;
  // The first time is news; the rest is counted.
  const transition = stillReported === 1 ? "changed" : "heard";
  return { incident: { ...known, stillReported, heardAt: now.toISOString() }, transition };
}

function ended(
  known: Incident | undefined,
  signal: Signal,
  identity: string,
  settings: IncidentSettings,
  now: Date,
): Applied {
  const startsAt = timeOf(signal.startsAt, known ? new Date(known.startsAt) : now);
  // Nothing that is reported now can end later than now.
  const endsAt = Math.min(timeOf(signal.endsAt, new Date(startsAt)), now.getTime());
  const at = now.toISOString();
  if (!known) {
    const unseen = opened(signal, identity, now);
    const reach = newest([startsAt, endsAt - 1], now);
    const end: Incident = { ...unseen, status: "resolved", endedAt: at, startsAt: reach, times: 0, history: [] };
    return { incident: end, transition: "heard" };
  }
  // What began before this end belongs to it, however late it is told.
  const reach = newest([Date.parse(known.startsAt), startsAt, endsAt - 1], now);
  if (!isOpen(known)) return endedAgain({ ...known, startsAt: reach }, known, now);
  // The end of an earlier time, arrived late; unless it ended after this one began.
  const reaches = new Date(Math.max(startsAt + sameTimeMs, endsAt - 1)).toISOString();
  if (!known.undated && isLater(Date.parse(known.startsAt), reaches, now))
    return { incident: known, transition: "none" };
  const { staleSince: _stale, truncated: _truncated, ...rest } = known;
  // By the clock that has told the beginning.
  const isDated = signal.endsAt !== undefined && !known.undated;
  const end = isDated ? Math.max(endsAt, Date.parse(known.firedAt)) : now.getTime();
  const incident: Incident = {
    ...rest,
    ...(signal.text === undefined || signal.text === "" ? {} : { text: signal.text }),
    status: "resolved",
    endedAt: new Date(end).toISOString(),
    heardAt: at,
    startsAt: reach,
  };
  // Something may have happened to it between its end and the news of it.
  const told = new Date(Math.max(end, ...known.history.slice(-1).map((entry) => Date.parse(entry.at))));
  return { incident: changed(record(incident, told, { event: "resolved" }), settings, now), transition: "resolved" };
}

/** The end of what has ended: news only when it went on after somebody had closed it. */
function endedAgain(incident: Incident, known: Incident, now: Date): Applied {
  if (known.stillReported !== undefined) {
    const { stillReported: _still, ...rest } = incident;
    return { incident: record(rest, now, { event: "resolved" }), transition: "changed" };
  }
  if (incident.startsAt === known.startsAt) return { incident: known, transition: "none" };
  return { incident, transition: "heard" };
}

/** Notes a beginning or an end, and whether there were too many of them. */
function changed(incident: Incident, settings: IncidentSettings, now: Date): Incident {
  const changes = [...recentChanges(incident, settings, now), now.toISOString()].slice(-keptChanges);
  const next = { ...incident, changes };
  if (incident.flapping || changes.length < settings.flapping.changes) return next;
  return record({ ...next, flapping: { since: changes[0] ?? now.toISOString() } }, now, { event: "flapping" });
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

/** Somebody has taken it on. The same object when there is nothing to take. */
export function acknowledge(incident: Incident, by: Person, now: Date): Incident {
  if (!isOpen(incident) || incident.acknowledged) return incident;
  return record({ ...incident, acknowledged: { by, at: now.toISOString() } }, now, { event: "acknowledged", by });
}

/** Somebody says that it is over. */
export function close(incident: Incident, by: Person, now: Date): Incident {
  if (!isOpen(incident)) return incident;
  const { staleSince: _stale, ...rest } = incident;
  const at = now.toISOString();
  return record({ ...rest, status: "closed", endedAt: at, closed: { by, at } }, now, { event: "closed", by });
}

/** Puts the silence in force on the incident, or takes the one that is over from it; `endedBy`: who has ended that. */
export function applySilence(incident: Incident, silence: Silence | undefined, now: Date, endedBy?: Person): Incident {
  if (silence) {
    const { silenced } = incident;
    if (silenced?.silence === silence.id && silenced.until === silence.until) return incident;
    const { id, by, until, reason, hold } = silence;
    const kept = { silence: id, by, until, ...(reason === undefined ? {} : { reason }) };
    const next: Incident = { ...incident, silenced: hold ? { ...kept, held: true } : kept };
    return isOpen(incident) ? record(next, now, { event: "silenced", by, detail: until }) : next;
  }
  if (!incident.silenced) return incident;
  const { silenced: _silenced, ...rest } = incident;
  if (!isOpen(incident)) return rest;
  return ring(record(rest, now, { event: "unsilenced", ...(endedBy ? { by: endedBy } : {}) }), now);
}

/** What time alone makes of an incident: stale, no longer flapping. The same object when it makes nothing. */
export function applyTime(incident: Incident, settings: IncidentSettings, now: Date): Incident {
  let next = incident;
  const unheard = now.getTime() - Date.parse(incident.heardAt);
  if (isOpen(incident) && incident.repeats && incident.staleSince === undefined && unheard >= settings.staleAfter)
    next = record({ ...next, staleSince: incident.heardAt }, now, { event: "stale" });
  // It has to be calmer than what made it flap, or it would go to and fro about flapping as well.
  if (next.flapping && recentChanges(next, settings, now).length <= settings.flapping.changes / 2) {
    const { flapping: _flapping, ...calm } = next;
    next = record(calm, now, { event: "settled" });
    if (isOpen(next)) next = ring(next, now);
  }
  return next;
}

/** Still firing and nobody has taken it on: rings again after `every` milliseconds. */
export function repeat(incident: Incident, every: number | undefined, now: Date): Incident {
  if (every === undefined || !isOpen(incident) || now.getTime() - Date.parse(incident.rangAt) < every) return incident;
  return ring(incident, now);
}
