import type { Config } from "../../app/config.ts";
import { flappingWithin, type Incident, incidentUrgency, isOpen } from "../../core/incident.ts";
import { applySilence, applyTime, repeat } from "../../core/incident-life.ts";
import type { Clock } from "../../core/ports.ts";
import { isActive } from "../../core/silence.ts";
import { type Alerts, type AlertsDeps, silenceOf } from "./alerts.ts";
import { routeOf, targetOf } from "./routing.ts";

/** How long not too many may have begun at once until a storm counts as over: twice its window, and at least a minute. */
function calmMs(within: number): number {
  return Math.max(2 * within, 60_000);
}

/** So many ended incidents are remembered at most, however young. */
const mostEnded = 50_000;
/** Ended incidents forgotten at a time. */
const forgetAtOnce = 500;
/** What is open is looked at so often; milliseconds. */
const openEveryMs = 15_000;

export interface KeeperDeps extends AlertsDeps {
  readonly config: AlertsDeps["config"] & Pick<Config, "stats">;
  readonly alerts: Alerts;
}

/**
 * What time makes of incidents: stale, calm again, no longer silenced, ringing again; the end of storms; what is
 * forgotten. It runs in the bot, since only a bot can tell of it: with every worker dead the alerts still work.
 * Several may do it at once; every change is atomic.
 */
export class AlertKeeper {
  readonly #deps: KeeperDeps;
  readonly #clock: Clock;
  #openAt = 0;

  constructor(deps: KeeperDeps) {
    this.#deps = deps;
    this.#clock = deps.clock;
  }

  /** Does what is due: called every few seconds. */
  async step(): Promise<void> {
    await this.#showHidden();
    await this.#endStorms();
    const now = this.#clock.now().getTime();
    // A clock that was set back must not stop it.
    if (now - this.#openAt >= openEveryMs || now < this.#openAt) {
      this.#openAt = now;
      await this.#lookAtOpen();
      await this.#forget();
      await this.#deps.silences.prune(this.#clock.now());
    }
    // Once for all that has just been looked at.
    await this.#ringStorms();
  }

  /** Reported by a process that knows no chats, or in a silence that is over. */
  async #showHidden(): Promise<void> {
    const { incidents, alerts } = this.#deps;
    for await (const incident of incidents.each(await incidents.hiddenIds())) {
      if (incident.silenced && Date.parse(incident.silenced.until) <= this.#clock.now().getTime())
        await alerts.renewSilence(incident.id);
      else await alerts.show(incident.id);
    }
  }

  async #lookAtOpen(): Promise<void> {
    const { incidents, silences, alerts, config } = this.#deps;
    const now = this.#clock.now();
    const active = (await silences.all()).filter((silence) => isActive(silence, now));
    const settle = (incident: Incident): Incident =>
      repeat(applyTime(incident, config.alerts, now), routeOf(config, incident)?.repeat, now);
    const look = async (incident: Incident): Promise<void> => {
      // Also what began while a silence was being made.
      if (applySilence(incident, silenceOf(incident, active, now), now) !== incident)
        await alerts.renewSilence(incident.id);
      if (settle(incident) !== incident) await alerts.change(incident.id, settle);
    };
    for await (const incident of incidents.each(await incidents.openIds())) await look(incident);
    for (const incident of await this.#justEnded(now)) await look(incident);
  }

  /** What has ended and may still be said to flap. */
  async #justEnded(now: Date): Promise<Incident[]> {
    const { incidents, config } = this.#deps;
    const within = flappingWithin({ every: config.stats.every }, config.alerts);
    const from = new Date(now.getTime() - within - openEveryMs * 4);
    return (await incidents.endedSince(from, 1000)).filter(({ flapping }) => flapping !== undefined);
  }

  async #endStorms(): Promise<void> {
    const { storms, config, logger } = this.#deps;
    const now = this.#clock.now();
    for (const storm of await storms.raging()) {
      if (!(await storms.end(storm, calmMs(config.alerts.storm.within), now))) continue;
      logger.info({ storm: storm.id }, "a storm is over");
      await this.#releaseCriticals(storm.id);
    }
  }

  async #ringStorms(): Promise<void> {
    const { storms } = this.#deps;
    for (const storm of await storms.ringsDue(this.#clock.now())) await storms.ring(storm, this.#clock.now());
  }

  /** Criticals that found no room in the storm get cards of their own, unless they would be a storm by themselves. */
  async #releaseCriticals(storm: string): Promise<void> {
    const { storms, incidents, config } = this.#deps;
    const { incidents: limit } = config.alerts.storm;
    const firing: Incident[] = [];
    for await (const incident of incidents.each(await storms.members(storm))) {
      if (incident.severity === "critical" && isOpen(incident)) firing.push(incident);
      if (firing.length > limit) return;
    }
    for (const incident of firing) {
      const target = await targetOf(this.#deps, incident);
      if (target) await incidents.release(incident, storm, target, incidentUrgency(incident), this.#clock.now());
    }
  }

  async #forget(): Promise<void> {
    const { incidents, storms, cards, config } = this.#deps;
    const now = this.#clock.now();
    const before = new Date(now.getTime() - config.alerts.keep);
    const tooMany = (await incidents.endedCount()) - mostEnded;
    const old = await incidents.endedIds(before, forgetAtOnce);
    const surplus = tooMany > 0 ? await incidents.oldestEnded(Math.min(tooMany, forgetAtOnce)) : [];
    for (const id of new Set([...old, ...surplus])) await incidents.forget(id);
    for (const id of await storms.known(before)) {
      if ((await storms.members(id, 1)).length > 0) continue;
      await storms.forget(id);
      await cards.remove(storms.ref(id));
    }
  }
}
