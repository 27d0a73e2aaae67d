import { randomUUID } from "node:crypto";
import type { Config } from "../../app/config.ts";
import type { Urgency } from "../../core/card.ts";
import { AppError } from "../../core/errors.ts";
import { type Incident, incidentUrgency, isOpen, isUnseen, silenceable } from "../../core/incident.ts";
import { acknowledge, applySilence, close } from "../../core/incident-life.ts";
import { applySignal, type Transition } from "../../core/incident-signal.ts";
import type { Matcher } from "../../core/matchers.ts";
import type { Clock } from "../../core/ports.ts";
import { isSilentAt } from "../../core/route.ts";
import type { Person } from "../../core/run.ts";
import { digest, identityOf, type Signal, severityRank } from "../../core/signal.ts";
import { covers, type Hold, isActive, type Silence, silenceFor } from "../../core/silence.ts";
import type { Logger } from "../../lib/logger.ts";
import { turns } from "../../lib/turns.ts";
import type { Cards } from "../../state/cards.ts";
import type { Incidents, KnownIncident, Saved } from "../../state/incidents.ts";
import type { Silences } from "../../state/silences.ts";
import type { Storms } from "../../state/storms.ts";
import { routeOf, targetOf } from "./routing.ts";

export interface AlertsDeps {
  readonly config: Pick<Config, "alerts" | "telegram" | "timezone">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cards: Cards;
  readonly incidents: Incidents;
  readonly silences: Silences;
  readonly storms: Storms;
}

/** What became of signals: how many brought which transition. */
export type Received = Readonly<Partial<Record<Transition, number>>>;

/** A change of an incident by somebody or something: the same object for none. */
type Change = (incident: Incident) => Incident;

export interface SilenceOrder {
  readonly by: Person;
  readonly durationMs: number;
  readonly reason?: string;
  /** Either what it covers, or the one incident, or what something explains that was ordered. */
  readonly matchers?: readonly Matcher[];
  readonly incident?: Incident;
  readonly hold?: Hold;
  /** What makes the order unique: the same source gives the same silence. Default: random. */
  readonly source?: string;
}

/** Incidents that are changed at the same time by one order or one message. */
const atOnce = 32;
/** Longer than a press takes from its answer to its work; milliseconds. */
const claimMs = 15_000;
/** How often a change is tried again because somebody else was faster. */
const mostAttempts = 200;

/**
 * The one way by which anything becomes an incident or changes one: signals, buttons, commands, the clock. When a
 * method resolves, the change and everything that has to be shown because of it are in Redis.
 */
export class Alerts {
  readonly #deps: AlertsDeps;
  /** The last one at work on an identity. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(deps: AlertsDeps) {
    this.#deps = deps;
  }

  /** Applies signals, the most severe first. Those of one identity are applied in their order. */
  async receive(signals: readonly Signal[]): Promise<Received> {
    const silences = await this.#activeSilences();
    const groups = Map.groupBy(signals, identityOf);
    const urgencyOf = (group: readonly Signal[]): number => Math.min(...group.map((one) => severityRank(one.severity)));
    const received: Partial<Record<Transition, number>> = {};
    const ordered = [...groups].toSorted(([, a], [, b]) => urgencyOf(a) - urgencyOf(b));
    await inParallel(ordered, async ([identity, group]) => {
      await this.#inTurn(identity, async () => {
        for (const signal of group) {
          const transition = await this.#apply(identity, signal, silences);
          received[transition] = (received[transition] ?? 0) + 1;
        }
      });
    });
    return received;
  }

  /** Of hundreds that speak of one thing at once each would make the others begin anew: here they wait for each other. */
  async #inTurn(identity: string, work: () => Promise<void>): Promise<void> {
    const done = (this.#turns.get(identity) ?? Promise.resolve()).then(work);
    // Whoever comes next has its own errors.
    const settled = done.catch(() => undefined);
    this.#turns.set(identity, settled);
    try {
      await done;
    } finally {
      if (this.#turns.get(identity) === settled) this.#turns.delete(identity);
    }
  }

  async acknowledge(id: string, by: Person): Promise<Incident> {
    return await this.change(id, (incident) => acknowledge(incident, by, this.#now()), "reply");
  }

  async close(id: string, by: Person): Promise<Incident> {
    return await this.change(id, (incident) => close(incident, by, this.#now()), "reply");
  }

  /**
   * Notes that `by` is about to do something to an incident as it is now. Gives whoever was a moment faster: so of two
   * presses only one is told that it did what both ask for. Both may be carried out, the second changes nothing.
   */
  async claim(action: string, { id, times }: Incident, by: Person): Promise<Person | undefined> {
    return await this.#deps.incidents.claim(`${action}:${id}:${times}`, by, claimMs);
  }

  /** Acknowledges everything that fires in a storm. Returns how many `by` has taken on: not those of somebody faster. */
  async acknowledgeStorm(storm: string, by: Person): Promise<number> {
    const { incidents, storms } = this.#deps;
    let taken = 0;
    const firing = incidents.each(await storms.members(storm));
    await inParallel(firing, async (incident) => {
      if (!isOpen(incident) || incident.acknowledged) return;
      const changed = await this.#tryChange(incident.id, (current) => acknowledge(current, by, this.#now()), "reply");
      if (changed?.isChanged) taken += 1;
    });
    return taken;
  }

  /** Begins a silence and puts it on everything open that it covers. */
  async silence(order: SilenceOrder): Promise<Silence> {
    const now = this.#now();
    const { by, reason, matchers = [], incident, hold, source = randomUUID() } = order;
    const silence: Silence = {
      id: silenceId(source),
      matchers,
      ...(incident ? { identity: incident.identity, ...titleOf(incident) } : {}),
      ...(hold ? { hold, title: hold.server } : {}),
      by,
      ...(reason === undefined || reason === "" ? {} : { reason }),
      createdAt: now.toISOString(),
      until: new Date(now.getTime() + order.durationMs).toISOString(),
    };
    if (!(await this.#deps.silences.create(silence))) return (await this.#deps.silences.read(silence.id)) ?? silence;
    await this.#resilence(silence, "reply");
    return silence;
  }

  /** Ends a silence now. @throws AppError not-found when there is none of this id. */
  async endSilence(id: string, by: Person): Promise<Silence> {
    const { silences, logger } = this.#deps;
    const silence = await silences.read(id);
    if (!silence)
      throw new AppError("not-found", `there is no silence ${id}`, { text: { key: "error-silence-unknown" } });
    const now = this.#now();
    if (!isActive(silence, now)) return silence;
    const ended = { ...silence, until: now.toISOString() };
    await silences.end(ended, by);
    logger.info({ silence: id, by: by.id }, "a silence was ended");
    await this.#resilence(ended, "normal", by);
    return ended;
  }

  /** The silence that an incident shows, and the one that would keep it quiet after that. */
  async silencesOn(incident: Incident): Promise<{ readonly shown?: Silence; readonly next?: Silence }> {
    const active = await this.#activeSilences();
    const id = incident.silenced?.silence;
    const shown = active.find((silence) => silence.id === id);
    const others = active.filter((silence) => silence.id !== id);
    const next = silenceOf(incident, others, this.#now());
    return { ...(shown ? { shown } : {}), ...(next ? { next } : {}) };
  }

  /** Looks at the silences of an incident anew. For what the clock has ended. */
  async renewSilence(id: string): Promise<Incident> {
    const silences = await this.#activeSilences();
    return await this.change(id, (incident) => this.#withSilence(incident, silences));
  }

  /**
   * Applies `change` to the newest state; repeated when somebody else was faster.
   * @throws AppError not-found when the incident is not known any more.
   */
  async change(id: string, change: Change, urgency?: Urgency): Promise<Incident> {
    const changed = await this.#tryChange(id, change, urgency);
    if (changed) return changed.incident;
    throw new AppError("not-found", `incident ${id} is not known`, { text: { key: "error-incident-unknown" } });
  }

  /** The same; undefined for an incident that is not known, and whether it was this change that has made a difference. */
  async #tryChange(
    id: string,
    change: Change,
    urgency?: Urgency,
  ): Promise<{ readonly incident: Incident; readonly isChanged: boolean } | undefined> {
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const known = await this.#deps.incidents.read(id);
      if (!known) return undefined;
      const incident = change(known.incident);
      if (incident === known.incident) return { incident, isChanged: false };
      // What has ended long ago may have a successor under its identity; only that one is found by it.
      const newest = await this.#deps.incidents.find(incident.identity);
      if (newest && newest.incident.id !== id) return { incident: known.incident, isChanged: false };
      if (await this.#save(incident, known, "changed", urgency)) return { incident, isChanged: true };
    }
    throw new AppError("conflict", `incident ${id} changes too fast`, { permanent: false });
  }

  /** Shows what should be on a card and is on none. */
  async show(id: string): Promise<void> {
    const known = await this.#deps.incidents.read(id);
    if (known && shouldShow(known.incident) && (await targetOf(this.#deps, known.incident)))
      await this.#save(known.incident, known, "changed");
  }

  async #apply(identity: string, signal: Signal, silences: readonly Silence[]): Promise<Transition> {
    const { incidents, config } = this.#deps;
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const now = this.#now();
      const known = await incidents.find(identity);
      const applied = applySignal(known?.incident, signal, identity, config.alerts, now);
      if (applied.incident === known?.incident) return applied.transition;
      // The same event told once more, after a newer one.
      const isNew = applied.incident.id !== known?.incident.id;
      if (signal.status === "info" && isNew && (await incidents.read(applied.incident.id))) return "none";
      const incident = this.#withSilence(applied.incident, silences);
      const news = incident === applied.incident ? applied.transition : louder(applied.transition);
      if (
        await this.#save(incident, known, news, isDetail(applied.transition, incident, known) ? "progress" : undefined)
      )
        return applied.transition;
    }
    throw new AppError("conflict", `an incident of ${signal.source} changes too fast`, { permanent: false });
  }

  async #save(
    incident: Incident,
    known: KnownIncident | undefined,
    transition: Transition,
    urgency: Urgency = incidentUrgency(incident, known?.incident),
  ): Promise<Saved | undefined> {
    const { incidents, config, logger } = this.#deps;
    const show = shouldShow(incident) ? await targetOf(this.#deps, incident) : undefined;
    const quiet = transition === "heard" || transition === "none";
    const now = this.#now();
    const silent = routeOf(config, incident)?.silent;
    const audible = !isSilentAt(silent, now, config.timezone);
    const showing = { urgency, quiet, show, silent, audible, storm: config.alerts.storm };
    const saved = await incidents.save(incident, known, showing, now);
    if (saved && !quiet)
      logger.info(
        { incident: incident.id, source: incident.source, severity: incident.severity, transition },
        "incident",
      );
    if (saved?.began !== undefined) logger.warn({ storm: saved.began }, "a storm has begun");
    return saved;
  }

  #withSilence(incident: Incident, silences: readonly Silence[], endedBy?: Person): Incident {
    const now = this.#now();
    return applySilence(incident, silenceOf(incident, silences, now), now, endedBy);
  }

  /** Puts the silences in force on everything open that one of them, new or ended by somebody, is about. */
  async #resilence(changed: Silence, urgency: Urgency, endedBy?: Person): Promise<void> {
    const silences = await this.#activeSilences();
    const { incidents } = this.#deps;
    const turn = turns();
    await inParallel(incidents.each(await incidents.openIds()), async (incident) => {
      await turn();
      if (!covers(changed, silenceable(incident))) return;
      await this.#tryChange(incident.id, (current) => this.#withSilence(current, silences, endedBy), urgency);
    });
  }

  async #activeSilences(): Promise<Silence[]> {
    const now = this.#now();
    return (await this.#deps.silences.all()).filter((silence) => isActive(silence, now));
  }

  #now(): Date {
    return this.#deps.clock.now();
  }
}

/** Works through a list, several at a time, in its order. */
async function inParallel<T>(list: Iterable<T> | AsyncIterable<T>, work: (one: T) => Promise<void>): Promise<void> {
  // One iterator for all: each takes the next one that nobody has.
  const queue = (async function* () {
    yield* list;
  })();
  const worker = async (): Promise<void> => {
    for await (const one of queue) await work(one);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** Id of the silence that an order with this source makes. */
export function silenceId(source: string): string {
  return digest(`silence ${source}`, 8);
}

/** The silence in force on an incident. */
export function silenceOf(incident: Incident, silences: readonly Silence[], now: Date): Silence | undefined {
  return silenceFor(silences, silenceable(incident), now);
}

/** Other words about what is known: however often they change, they must not take the room of what is new. */
function isDetail(transition: Transition, incident: Incident, known: KnownIncident | undefined): boolean {
  if (transition !== "changed" || incident.flapping) return false;
  return isOpen(incident) && incident.rings === known?.incident.rings;
}

/** A repetition that finds a silence begun or ended is worth a look. */
function louder(transition: Transition): Transition {
  return transition === "heard" || transition === "none" ? "changed" : transition;
}

/** What has to be on a card. What has ended is shown where it was shown before. */
function shouldShow(incident: Incident): boolean {
  return (isOpen(incident) || incident.status === "noted") && !incident.silenced && !isUnseen(incident);
}

function titleOf({ title }: Incident): { title?: string } {
  return typeof title === "string" ? { title } : {};
}
