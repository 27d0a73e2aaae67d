import {
  endHeardAt,
  type Incident,
  type IncidentSettings,
  isOpen,
  isUnseen,
  recentChanges,
  record,
  ring,
} from "./incident.ts";
import { isLater, newest, timeOf } from "./sender-time.ts";
import { digest, type Link, type Signal, severityRank } from "./signal.ts";

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

const keptChanges = 100;

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
