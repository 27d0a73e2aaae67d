import { type Incident, type IncidentSettings, isOpen, recentChanges, record, ring } from "./incident.ts";
import type { Person } from "./run.ts";
import type { Silence } from "./silence.ts";

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
