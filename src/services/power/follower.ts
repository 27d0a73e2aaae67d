import type { ServerConfig } from "../../app/config.ts";
import { toAppError } from "../../core/errors.ts";
import { isOpen } from "../../core/incident.ts";
import { endsOn, isFollowed, isOver, type PowerOrder } from "../../core/power.ts";
import { evidenceOf } from "../../core/power-evidence.ts";
import { isNews, type PowerObservation, progressed } from "../../core/power-progress.ts";
import { identityOf } from "../../core/signal.ts";
import type { Text } from "../../core/text.ts";
import type { JobContext, JobOutcome } from "../../queue/contracts.ts";
import type { Producer } from "../../queue/producer.ts";
import type { Incidents } from "../../state/incidents.ts";
import type { Alerts } from "../alerts/alerts.ts";
import { pollSoon } from "../servers/polls.ts";
import { endHold } from "./hold.ts";
import { lateSignal, overSignal } from "./late.ts";
import { lookAt, type PowerFacts, type PowerLookDeps, powerFor, readFacts } from "./look.ts";
import type { PowerOrders } from "./orders.ts";
import { companionsOf, isReadingOn, lookThrough } from "./seeing.ts";
import { findServer, targetOf } from "./servers.ts";
import { aliasesOf, incidentsOf } from "./surroundings.ts";
import { type PowerEvent, powerEntry } from "./words.ts";

export interface PowerFollowerDeps extends PowerLookDeps {
  readonly alerts: Alerts;
  readonly incidents: Pick<Incidents, "find" | "each" | "openIds">;
  readonly powerOrders: Pick<PowerOrders, "confirmStanding">;
  readonly producer: Pick<Producer, "enqueue">;
}

/** Milliseconds between two looks: while it is on its way, and later. */
const everyMs = 10_000;
const lateEveryMs = 60_000;
/** For one look; milliseconds. */
const lookMs = 20_000;

/** Watches a server from the question whether it may be switched until it is back. Each step is short and harmless when done twice. */
export class PowerFollower {
  readonly #deps: PowerFollowerDeps;

  constructor(deps: PowerFollowerDeps) {
    this.#deps = deps;
  }

  /** Takes the next step, and says when there is another one. */
  async execute(id: string, { signal }: Pick<JobContext, "signal">): Promise<JobOutcome> {
    let order = await this.#deps.powerStates.read(id);
    if (order?.status === "looking") order = await lookAt(this.#deps, order, signal);
    // Nobody has to agree: the configuration does.
    if (order?.status === "ready" && order.standing) order = await this.#deps.powerOrders.confirmStanding(id);
    if (order && isFollowed(order)) {
      order = await this.#follow(order, signal);
      if (isFollowed(order)) return { later: isLongWait(order) ? lateEveryMs : everyMs };
    }
    return { done: { power: id, status: order?.status ?? "unknown" } };
  }

  async #follow(order: PowerOrder, signal: AbortSignal): Promise<PowerOrder> {
    const { powerStates, config } = this.#deps;
    const server = findServer(config, order.server);
    const look = server ? await this.#look(order, server, signal) : this.#gone(order);
    if (look.status !== undefined) await powerStates.seen(order.server, look.status, look.at);
    const other = order.status === "late" ? await powerStates.busyWith(order.server) : undefined;
    const change = (current: PowerOrder): PowerOrder => {
      if (!isFollowed(current)) return current;
      // Another order has taken its place.
      if (other && other.id !== current.id)
        return { ...current, status: "lost", next: current.next ?? other.id, finishedAt: look.at.toISOString() };
      return progressed(current, look);
    };
    await this.#tell(order, change(order));
    const after = await powerStates.update(
      order.id,
      (after) => (isNews(order, after) ? "reply" : "progress"),
      look.at,
      change,
      undefined,
      (after) => this.#entries(order, after, look.at),
    );
    // Else tables would show it as it was on its way until its turn comes.
    if (server && isOver(after)) await pollSoon(this.#deps, server, `power-${after.id}`);
    return after;
  }

  /** Told before it is recorded: killed in between, it is told once more, which is heard as the same. */
  async #tell(before: PowerOrder, after: PowerOrder): Promise<void> {
    const { alerts, clock, powerStates, logger } = this.#deps;
    const { status, stages, server } = after;
    const isBack = stages.answering !== undefined || (!endsOn(after.action) && stages.down !== undefined);
    if (status === "late" && after.late?.cause !== before.late?.cause) {
      logger.warn({ power: after.id, server, cause: after.late?.cause }, "a server is not back in time");
      await alerts.receive([lateSignal(after)]);
    }
    if (isBack && (await this.#isSaidToBeLate(after))) await alerts.receive([overSignal(after, clock.now())]);
    if (!endsOn(after.action) && (status === "unknown" || status === "late" || status === "lost") && !isBack)
      await powerStates.wantNothing(server, after.id);
    // What still fires is shown: it is over, or it is not what was to be waited for.
    if (isOver(after) || status === "late") await endHold(this.#deps, after);
    if (isOver(after)) logger.warn({ power: after.id, server, status }, "an order about a server's power has ended");
  }

  /** By this order, or by one before it. */
  async #isSaidToBeLate(order: PowerOrder): Promise<boolean> {
    const known = await this.#deps.incidents.find(identityOf(lateSignal(order)));
    return known !== undefined && isOpen(known.incident);
  }

  #entries(before: PowerOrder, after: PowerOrder, at: Date) {
    const events: Readonly<Partial<Record<PowerOrder["status"], PowerEvent>>> = {
      done: "done",
      late: "late",
      lost: "lost",
      unknown: "lost",
    };
    const event = before.status === after.status ? undefined : events[after.status];
    return event ? [powerEntry(after, event, at, after.late ? { why: after.late.cause } : {})] : [];
  }

  /** A server that is not configured any more cannot be watched. */
  #gone({ server }: PowerOrder): PowerObservation {
    const blind = { key: "error-power-no-server", args: { server } };
    return { at: this.#deps.clock.now(), blind, alerts: 0 };
  }

  async #look(order: PowerOrder, server: ServerConfig, signal: AbortSignal): Promise<PowerObservation> {
    const { clock, config, provider } = this.#deps;
    const limited = AbortSignal.any([signal, AbortSignal.timeout(lookMs)]);
    const aliases = aliasesOf(server, order.look);
    const alerts = (await incidentsOf(this.#deps, server.name, aliases)).length;
    const companions = companionsOf(config, server, aliases);
    const own = this.#facts(order, limited);
    const others = companions.map(async (one) => await lookThrough(provider(one.provider), one, limited));
    const [told, ...seen] = await Promise.all([own, ...others]);
    signal.throwIfAborted();
    const mine =
      "facts" in told && told.facts.status === "on"
        ? await lookThrough(provider(server.provider), server, limited)
        : undefined;
    signal.throwIfAborted();
    // What answers on the machine itself says more than its provider's statistics.
    const looks = [...seen, mine].flatMap((look) => (look ? [look] : []));
    const read = looks.find(isReadingOn);
    const failed = looks.find((look) => "failure" in look && !look.ofApi);
    const found = {
      at: clock.now(),
      alerts,
      ...(read && "reading" in read ? { reading: read.reading } : {}),
      ...(!read && failed && "failure" in failed ? { failure: failed.failure } : {}),
    };
    if (!("facts" in told)) return { ...found, blind: told.blind };
    const evidence =
      order.status === "unclear" && order.intent
        ? evidenceOf(order.action, order.intent, { status: told.facts.status, log: told.log })
        : undefined;
    return { ...found, status: told.facts.status ?? "unknown", ...(evidence === "done" ? { happened: true } : {}) };
  }

  async #facts(order: PowerOrder, signal: AbortSignal): Promise<PowerFacts | { readonly blind: Text }> {
    try {
      const { server, power } = powerFor(this.#deps, order);
      if (order.status === "unclear") return await readFacts(power, server, signal);
      return { facts: await power.facts(targetOf(server), signal), log: undefined };
    } catch (error) {
      const { message, text } = toAppError(error, "provider-unreachable");
      return { blind: text ?? { key: "error-internal", args: { reason: message } } };
    }
  }
}

/** It may take hours: nobody looks at the card every second. */
function isLongWait({ status, late, seen }: PowerOrder): boolean {
  return status === "late" && seen !== undefined && Date.parse(seen.at) - Date.parse(late?.at ?? seen.at) > 10 * 60_000;
}
