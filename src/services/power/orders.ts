import { createHash, randomUUID } from "node:crypto";
import type { Config } from "../../app/config.ts";
import type { Approval } from "../../core/approval.ts";
import { refusalToApprove } from "../../core/approval-decisions.ts";
import type { ChatTarget } from "../../core/card.ts";
import { AppError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import { isFollowed, isHard, isUndecided, type PowerAction, type PowerOrder, powerActions } from "../../core/power.ts";
import { hasRole } from "../../core/roles.ts";
import type { Person } from "../../core/run.ts";
import type { Text } from "../../core/text.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Producer } from "../../queue/producer.ts";
import type { Cards } from "../../state/cards.ts";
import type { PowerStates } from "../../state/power.ts";
import type { ServerStates } from "../../state/servers.ts";
import { placeOf } from "../alerts/routing.ts";
import type { Approvals } from "../approvals/approvals.ts";
import { momentOf } from "../approvals/moment.ts";
import { enqueueAnew } from "../places.ts";
import { expireOrder, isWaitOver, renewWishes, settleOrder } from "./passing.ts";
import { named, type PowerDecision, refusalOf } from "./refusals.ts";
import { findServer, powerActionsOf, requirePower } from "./servers.ts";
import { askedAnew } from "./settle.ts";
import { detailsOf, powerEntry, titleOf } from "./words.ts";

export interface PowerOrdersDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cards: Cards;
  readonly powerStates: PowerStates;
  readonly serverStates: Pick<ServerStates, "readAll">;
  readonly approvals: Approvals;
  readonly producer: Producer;
}

/** What somebody, or the program itself, wants of a server's power. */
export interface PowerRequest {
  readonly server: string;
  readonly action: PowerAction;
  /** Undefined: the program itself. */
  readonly by?: Person;
  /** Where the card is shown; default: the first chat. */
  readonly target?: ChatTarget;
  /** What makes it unique; the same source gives the same order. Default: random. */
  readonly source?: string;
  /** Of an order by recovery: the signs, and whether the configuration agrees to it by itself. */
  readonly why?: readonly Text[];
  readonly standing?: boolean;
  /** How long it may be confirmed; milliseconds. Default: as the policy for reboots says. */
  readonly waitMs?: number;
}

/** A worker that is being started is there within this time; milliseconds. */
const workerStartMs = 20_000;
/** A server that nobody could look at in this time is not waited for; milliseconds. */
const lookWithinMs = 120_000;

/** Id of the order that a source makes. */
export function powerOrderId(source: string): string {
  return createHash("sha256").update(`power ${source}`).digest("hex").slice(0, 12);
}

/** Takes orders about the power of servers, and what people decide about them. Asks no provider. */
export class PowerOrders {
  readonly #deps: PowerOrdersDeps;

  constructor(deps: PowerOrdersDeps) {
    this.#deps = deps;
  }

  /**
   * Records an order once, shows its card, and has a worker look at the server.
   * @throws AppError not-found, conflict when there is no such server, or its power is not ours to switch.
   */
  async request(request: PowerRequest): Promise<PowerOrder> {
    const { powerStates, cards, clock, config, logger } = this.#deps;
    const { action, by, source = randomUUID(), why, standing, waitMs, target = placeOf(config) } = request;
    const server = requirePower(config, request.server, action);
    const id = powerOrderId(source);
    if (!(await powerStates.read(id))) {
      const now = clock.now();
      const order: PowerOrder = {
        id,
        server: server.name,
        action,
        trigger: by ? "chat" : "recovery",
        ...(why ? { why } : {}),
        ...(standing ? { standing } : {}),
        ...(by ? { requestedBy: by } : {}),
        ...(waitMs === undefined ? {} : { waitMs }),
        ...(target ? { chat: target } : {}),
        status: "looking",
        createdAt: now.toISOString(),
        expiresAt: new Date(now.getTime() + lookWithinMs).toISOString(),
        looks: 0,
        fence: 0,
        stages: {},
      };
      if (await powerStates.create(order, now, [powerEntry(order, "requested", now, { by })]))
        logger.warn({ power: id, server: server.name, action, by: by?.id }, "power of a server: asked for");
    }
    // Card and job are made again when it exists already: a kill in between leaves neither of them out.
    if (target) await cards.place(powerStates.ref(id), target, "reply", clock.now());
    const current = await powerStates.get(id);
    await this.enqueue(current);
    return current;
  }

  async read(id: string): Promise<PowerOrder | undefined> {
    return await this.#deps.powerStates.read(id);
  }

  /** Why somebody's decision would not count at this moment; undefined: it would. */
  refusal(order: PowerOrder, what: PowerDecision, by: Person): Text | undefined {
    const { config, clock } = this.#deps;
    return refusalOf(config, order, what, by, clock.now());
  }

  /** Whether a worker is there for it; one gets some time to start. */
  isServed({ createdAt }: PowerOrder, workerHosts: ReadonlySet<string>, now: Date): boolean {
    return now.getTime() - Date.parse(createdAt) < workerStartMs || workerHosts.size > 0;
  }

  /**
   * Who has seen how the server stands wants it: approvals are asked for. Where one approval is enough, and theirs
   * counts, and no name is to be typed, this is it.
   * @throws AppError conflict when it is not ready, when who has asked may not, or when the same is asked for already.
   */
  async confirm(id: string, by: Person, target: ChatTarget): Promise<PowerOrder> {
    const { powerStates, config, clock, approvals } = this.#deps;
    const order = await this.#allowed(id, "confirm", by);
    const mine =
      order.requestedBy === undefined
        ? await powerStates.update(id, "reply", clock.now(), (current) =>
            current.requestedBy ? current : { ...current, requestedBy: by },
          )
        : order;
    // Two who press at once: it is the first one's.
    if (mine.requestedBy?.id !== by.id)
      throw refused({ key: "power-refused-not-yours", args: named(mine.requestedBy) });
    const approval = await this.#ask(mine, target, by);
    const moment = momentOf({ config, clock }, approval.policyName);
    const isTheirs = approval.policy.requesterCounts && refusalToApprove(approval, by, moment) === undefined;
    if (approval.status === "open" && isTheirs && !isHard(mine.action))
      await approvals.decide(approval.id, "approve", by);
    return await this.#asked(mine, approval.id);
  }

  /** The configuration agrees to it by itself: no person is asked. @throws as `confirm` */
  async confirmStanding(id: string): Promise<PowerOrder> {
    const order = await this.#deps.powerStates.get(id);
    if (order.status !== "ready" || !order.standing) return order;
    return await this.#asked(order, (await this.#ask(order, order.chat)).id);
  }

  /** Takes it back, before it was begun. */
  async cancel(id: string, by: Person): Promise<PowerOrder> {
    const { powerStates, approvals, clock } = this.#deps;
    const order = await this.#allowed(id, "cancel", by);
    if (order.status === "asked" && order.approval !== undefined) {
      const { refused: late } = await approvals.withdraw(order.approval, by);
      // Begun at this very moment: how it goes on is on its card.
      if (late !== undefined) return await powerStates.get(id);
    }
    const now = clock.now();
    return await powerStates.update(
      id,
      "reply",
      now,
      (current) =>
        isUndecided(current) ? { ...current, status: "cancelled", finishedAt: now.toISOString() } : current,
      undefined,
      (current) => (current.status === "cancelled" ? [powerEntry(current, "cancelled", now, { by })] : []),
    );
  }

  /** Has the server looked at once more. */
  async lookAgain(id: string, by: Person): Promise<PowerOrder> {
    const { powerStates, clock } = this.#deps;
    await this.#allowed(id, "look", by);
    const now = clock.now();
    const again = await powerStates.update(id, "reply", now, (current) => {
      if (this.refusal(current, "look", by)) return current;
      return askedAnew(current, by, now, new Date(now.getTime() + lookWithinMs));
    });
    await this.enqueue(again);
    return again;
  }

  /** What is tried next about a server that has not come back: an order of its own, once for each. */
  async next(id: string, action: PowerAction, by: Person, target: ChatTarget): Promise<PowerOrder> {
    const { powerStates, clock } = this.#deps;
    const order = await this.#allowed(id, "next", by);
    const next = await this.request({
      server: order.server,
      action,
      by,
      target,
      source: `next:${id}:${action}:${by.id}`,
    });
    await powerStates.update(id, "reply", clock.now(), (current) =>
      current.next ? current : { ...current, next: next.id },
    );
    return next;
  }

  /** What can be asked of the power of this server now. */
  actionsOf(server: string): readonly PowerAction[] {
    const found = findServer(this.#deps.config, server);
    return found ? powerActionsOf(found) : [];
  }

  /** An approval has ended: what has waited for it learns that. */
  async settle(approval: Approval): Promise<void> {
    if (!(powerActions as readonly string[]).includes(approval.action)) return;
    const { order: id } = Object(approval.args) as { readonly order?: string };
    const order = id === undefined ? undefined : await this.read(id);
    if (order?.approval === approval.id) await settleOrder(this.#deps, order, approval);
  }

  /** What was not decided in time, approvals that have ended, and work whose job is gone. Resolves with what was enqueued. */
  async step(): Promise<string[]> {
    const { powerStates, approvals, clock } = this.#deps;
    const enqueued: string[] = [];
    for (const open of await powerStates.unsettled()) {
      let current = open;
      if (open.approval !== undefined && (open.status === "asked" || open.status === "ordering")) {
        const approval = await approvals.read(open.approval);
        current = await settleOrder(this.#deps, open, approval && approvals.settled(approval));
      }
      const now = clock.now();
      if (isWaitOver(current, now)) current = await expireOrder(this.#deps, current.id, now);
      if (await this.enqueue(current)) enqueued.push(current.id);
    }
    await renewWishes(this.#deps);
    await powerStates.prune();
    return enqueued;
  }

  /** Puts its job into the queue, where there is something to do and none is there yet. */
  async enqueue(order: PowerOrder): Promise<boolean> {
    if (order.status !== "looking" && !isFollowed(order) && !isStandingReady(order)) return false;
    return await enqueueAnew(this.#deps.producer, "power", { orderId: order.id }, { id: `power-${order.id}` });
  }

  async #ask(order: PowerOrder, target: ChatTarget | undefined, by?: Person): Promise<Approval> {
    const { approvals, config, powerStates } = this.#deps;
    const { id, server, action, look, looks } = order;
    if (!look) throw refused({ key: "power-refused-confirm" });
    const busy = await powerStates.busyWith(server);
    if (busy && busy.id !== id) throw refused({ key: "error-power-busy", args: { server, id: busy.id } });
    const { approval } = await approvals.request({
      action,
      args: { order: id, server, action },
      target: server,
      identity: look.identity,
      title: titleOf(order),
      details: detailsOf(order, config.timezone),
      destructive: isHard(action),
      ...(by ? { requestedBy: by } : { standing: "recovery" as const }),
      // One for each look: what is confirmed once more was looked at once more.
      source: `power:${id}:${looks}`,
      ...(target ? { place: target } : {}),
    });
    return approval;
  }

  async #asked(order: PowerOrder, approval: string): Promise<PowerOrder> {
    const { powerStates, clock, approvals } = this.#deps;
    const asked = await powerStates.update(order.id, "reply", clock.now(), (current) => {
      if (current.status !== "ready" || current.looks !== order.looks) return current;
      const { expiresAt: _, ...rest } = current;
      return { ...rest, status: "asked", approval };
    });
    // It may have ended before this was on record.
    const ended = await approvals.read(approval);
    return ended ? await settleOrder(this.#deps, asked, approvals.settled(ended)) : asked;
  }

  async #allowed(id: string, what: PowerDecision, by: Person): Promise<PowerOrder> {
    const { powerStates, config } = this.#deps;
    const order = await powerStates.get(id);
    const role = config.telegram?.users.find((user) => user.id === by.id)?.role;
    if (!(role && hasRole(role, "operator"))) throw refused({ key: "error-approval-requester" });
    const why = this.refusal(order, what, by);
    if (why) throw refused(why);
    return order;
  }
}

function refused(text: Text): AppError {
  return new AppError("conflict", text.key, { text });
}

function isStandingReady({ status, standing }: PowerOrder): boolean {
  return status === "ready" && standing === true;
}
