import type { Config, ServerConfig } from "../../app/config.ts";
import { type Incident, isOpen } from "../../core/incident.ts";
import type { Clock } from "../../core/ports.ts";
import { isOver, type PowerOrder } from "../../core/power.ts";
import {
  independent,
  isLongEnough,
  isUnresponsive,
  mayActAgain,
  type Sign,
  seenUnresponsive,
  type Unresponsive,
} from "../../core/recovery.ts";
import { isChosen } from "../../core/rule-limits.ts";
import { covers, hostsIn, isActive } from "../../core/silence.ts";
import type { Logger } from "../../lib/logger.ts";
import type { PowerStates } from "../../state/power.ts";
import type { RecoveryStates, RecoveryTurn } from "../../state/recovery.ts";
import type { ServerStates } from "../../state/servers.ts";
import type { Silences } from "../../state/silences.ts";
import { recoveryAnswers } from "../power/look.ts";
import { type PowerOrders, powerOrderId } from "../power/orders.ts";
import { powerActionsOf } from "../power/servers.ts";
import { aliasesOf, type SurroundingsDeps, surroundingsOf } from "../power/surroundings.ts";
import { exportersByHost, incidentSigns, type Known, silenceSign } from "./signs.ts";

export interface RecoveryDeps extends SurroundingsDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly powerStates: Pick<PowerStates, "expected" | "read" | "unsettled">;
  readonly powerOrders: Pick<PowerOrders, "request">;
  readonly recoveryStates: RecoveryStates;
  readonly serverStates: Pick<ServerStates, "readAll">;
  readonly silences: Pick<Silences, "all">;
}

/** So long the chat is asked; milliseconds. */
const askMs = 30 * 60_000;
/** Who has taken a turn and ordered nothing for so long is gone; milliseconds. */
const turnMs = 120_000;

interface Candidate {
  readonly server: ServerConfig;
  readonly signs: readonly Sign[];
  readonly incidents: readonly Incident[];
  readonly aliases: readonly string[];
}

/**
 * Reboots servers that do not answer, or asks the chat whether to: where the configuration wants that, when enough
 * independent signs have said so for long enough, one server at a time. Off by default.
 */
export class Recovery {
  readonly #deps: RecoveryDeps;

  constructor(deps: RecoveryDeps) {
    this.#deps = deps;
  }

  /** Looks at all servers; called at every tick. Resolves with the server that was acted on. */
  async step(): Promise<string | undefined> {
    const { config, recoveryStates, clock } = this.#deps;
    const { auto, after } = config.recovery;
    const servers = config.servers.filter(
      (server) => powerActionsOf(server).includes("reboot") && isChosen(config.recovery, server),
    );
    const before = await recoveryStates.unresponsive();
    if (auto === "off" || servers.length === 0) {
      if (before.size > 0) await recoveryStates.remember(new Map(), before.keys());
      return undefined;
    }
    await recoveryStates.retain(new Set(config.servers.map(({ name }) => name)));
    const now = clock.now();
    const candidates = await this.#unresponsive(servers, now);
    const found = new Map<string, Unresponsive>();
    for (const { server } of candidates) found.set(server.name, seenUnresponsive(before.get(server.name), now));
    await recoveryStates.remember(found, before.keys());
    const ready = candidates
      .filter(({ server }) => isLongEnough(found.get(server.name) ?? { since: 0, lookedAt: 0, looks: 0 }, after))
      .toSorted((a, b) => (found.get(a.server.name)?.since ?? 0) - (found.get(b.server.name)?.since ?? 0));
    for (const candidate of ready) {
      const since = found.get(candidate.server.name)?.since ?? now.getTime();
      if (await this.#act(candidate, since, now)) return candidate.server.name;
    }
    return undefined;
  }

  /** Servers of which enough signs say that they do not answer. */
  async #unresponsive(servers: readonly ServerConfig[], now: Date): Promise<Candidate[]> {
    const { config, serverStates, incidents } = this.#deps;
    const states = await serverStates.readAll(config.servers.map(({ name }) => name));
    const known: Known = { config, states, now };
    const byHost = new Map<string, Incident[]>();
    for await (const incident of incidents.each(await incidents.openIds()))
      for (const host of isOpen(incident) ? new Set(hostsIn(incident.labels)) : [])
        (byHost.get(host) ?? newList(byHost, host)).push(incident);
    const exporters = exportersByHost(config);
    const candidates: Candidate[] = [];
    for (const server of servers) {
      const state = states.get(server.name);
      // The account itself fails, or its API: of the server nobody knows anything.
      if (!state || state.failure?.kind === "account" || state.failure?.kind === "gone") continue;
      // That it is off is seen and no silence; whoever has switched it off may have meant it.
      if (state.status !== undefined && state.status !== "on" && state.status !== "unknown") continue;
      const aliases = aliasesOf(server, state.facts);
      const names = new Set([server.name, ...aliases].map((name) => name.toLowerCase()));
      const its = [...new Set([...names].flatMap((name) => byHost.get(name) ?? []))];
      const all = [
        silenceSign(server, "silence", known) ?? [],
        [...names].flatMap((name) => exporters.get(name) ?? []).flatMap((one) => exporterSign(one, server, known)),
        incidentSigns(its, known),
      ].flat();
      const signs = independent(all);
      if (isUnresponsive(signs, config.recovery.signs)) candidates.push({ server, signs, incidents: its, aliases });
    }
    return candidates;
  }

  /** Orders its reboot, or asks for it. False: not now. */
  async #act(candidate: Candidate, since: number, now: Date): Promise<boolean> {
    const { recoveryStates, config, logger } = this.#deps;
    const { server, signs } = candidate;
    const found = await recoveryStates.turn();
    const order = found && (await this.#deps.powerStates.read(found.order));
    if (order && !isOver(order)) return false;
    const isNew = found !== undefined && !order && Math.abs(now.getTime() - found.at) < turnMs;
    // Killed between taking its turn and ordering: the same once more. Another worker may be about to order its own.
    if (isNew) return found.server === server.name && (await this.#order(found));
    const why = await this.#hindrance(candidate, now);
    if (why !== undefined) {
      logger.info({ server: server.name, why }, "recovery: not now");
      return false;
    }
    const source = `recovery:${server.name}:${since}`;
    const last = await recoveryStates.last(server.name);
    const wasOrdered = order !== undefined || found?.server !== server.name;
    const wasSpared = order?.server === server.name && isSpared(order);
    // It has to be silent anew for as long before it is looked at once more.
    if (wasSpared && found?.source === source) await recoveryStates.remember(new Map(), [server.name]);
    const mayAct = wasSpared ? found?.source !== source : mayActAgain(last, config.recovery.every, now);
    if (wasOrdered && !mayAct) return false;
    const turn: RecoveryTurn = {
      server: server.name,
      source,
      order: powerOrderId(source),
      why: signs.map(({ text }) => text),
      standing: config.recovery.auto === "on",
      at: now.getTime(),
    };
    if (!(await recoveryStates.take(turn, found, last))) return false;
    logger.warn(
      { server: server.name, signs: signs.map((sign) => sign.class), auto: config.recovery.auto },
      "recovery",
    );
    return await this.#order(turn);
  }

  async #order({ server, source, why, standing }: RecoveryTurn): Promise<boolean> {
    const waitMs = standing ? {} : { waitMs: askMs };
    await this.#deps.powerOrders.request({ server, action: "reboot", source, why, standing, ...waitMs });
    return true;
  }

  /** Why nothing is done about it now: somebody is at it, or something is under way there. */
  async #hindrance({ server, incidents, aliases }: Candidate, now: Date): Promise<string | undefined> {
    const { powerStates, silences } = this.#deps;
    const open = (await powerStates.unsettled()).filter((order) => isAbout(order, server.name));
    if (open.length > 0) return "an order about its power is open";
    if ((await powerStates.expected(server.name)) === "off") return "it was switched off";
    if (incidents.some(({ acknowledged }) => acknowledged)) return "somebody has taken it on";
    if (incidents.some(({ silenced }) => silenced)) return "an alert of it is silenced";
    const matchLabels = { ...server.labels, server: server.name, severity: "critical", source: "watch" };
    const about = { identity: "", matchLabels, firedAt: now.toISOString() };
    const active = (await silences.all()).filter((silence) => isActive(silence, now));
    if (active.some((silence) => covers(silence, about))) return "it is silenced";
    const state = { providerName: undefined, addresses: aliases };
    const { work, processes, isOnlyWorker } = await surroundingsOf(this.#deps, server, state);
    if (isOnlyWorker) return "the only worker is on it";
    if (processes.length > 0) return "a process on it is alive";
    return work.length > 0 ? "something is under way there" : undefined;
  }
}

function exporterSign(exporter: ServerConfig, server: ServerConfig, known: Known): Sign[] {
  const sign = exporter.name === server.name ? undefined : silenceSign(exporter, "exporter", known);
  return sign ? [sign] : [];
}

/** Nothing was done, as it had come back by itself, or could not be looked at just then. */
function isSpared({ status, standing, error }: PowerOrder): boolean {
  if (error?.text?.key === recoveryAnswers) return status === "refused" || status === "failed";
  return status === "refused" && standing === true && error !== undefined && error.code !== "conflict";
}

function isAbout(order: PowerOrder, server: string): boolean {
  return order.server === server;
}

function newList<T>(lists: Map<string, T[]>, key: string): T[] {
  const list: T[] = [];
  lists.set(key, list);
  return list;
}
