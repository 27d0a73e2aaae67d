import { createHash, randomUUID } from "node:crypto";
import type { z } from "zod";
import type { Config } from "../../app/config.ts";
import {
  type Approval,
  type ApprovalStep,
  bindingOf,
  type Identity,
  isOver,
  type Moment,
  type Refusal,
  type StandingPolicy,
} from "../../core/approval.ts";
import {
  approve,
  cancel,
  confirm,
  giveReason,
  refusalToApprove,
  refusalToCancel,
  refusalToReject,
  reject,
  settle,
  withdraw,
} from "../../core/approval-decisions.ts";
import { reachableApprovals, requestRole } from "../../core/approval-policy.ts";
import type { ChatTarget } from "../../core/card.ts";
import { AppError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import { hasRole } from "../../core/roles.ts";
import type { Person } from "../../core/run.ts";
import type { Text } from "../../core/text.ts";
import type { Logger } from "../../lib/logger.ts";
import { redact, redactText } from "../../lib/redaction.ts";
import type { Producer } from "../../queue/producer.ts";
import type { ApprovalStates, Prompt } from "../../state/approvals.ts";
import type { Cards } from "../../state/cards.ts";
import { placeOf } from "../alerts/routing.ts";
import { enqueueAnew } from "../places.ts";
import { type ActionContracts, actions } from "./actions.ts";
import { momentOf } from "./moment.ts";

export interface ApprovalsDeps<C extends ActionContracts> {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cards: Pick<Cards, "resolveChat">;
  readonly approvalStates: ApprovalStates;
  readonly producer: Producer;
  /** Told of one that is over: what has waited for it need not wait for the clock. */
  ended?(approval: Approval): Promise<void>;
  /** Default: those of the program. */
  readonly actions?: C;
}

/** Something dangerous that somebody wants done. */
export interface ApprovalOrder<C extends ActionContracts, N extends keyof C> {
  readonly action: N;
  readonly args: z.input<C[N]["args"]>;
  /** Name of the target: it is shown, and typed. */
  readonly target: string;
  /** Of the target, as it was when all of this was looked at. */
  readonly identity: Identity;
  /** What is to be done, in a few words and without markup. */
  readonly title: Text;
  /** What people should know before they agree, a line each. */
  readonly details?: readonly Text[];
  /** Default true. */
  readonly destructive?: boolean;
  /** The host whose worker has to do it; undefined: any. */
  readonly host?: string | undefined;
  /** Undefined: the program itself. */
  readonly requestedBy?: Person;
  /** The setting by which nobody has to agree; only for what the program itself asks for. */
  readonly standing?: StandingPolicy;
  /** What makes it unique: the same source gives the same approval. Default: random. */
  readonly source?: string;
  /** Where it was asked for; default: the first chat. */
  readonly place?: ChatTarget;
}

/** What people decide with the buttons of the card. */
export const decisions = { approve, reject, cancel } as const;
export type Decision = keyof typeof decisions;

const refusals = { approve: refusalToApprove, reject: refusalToReject, cancel: refusalToCancel } as const;

/** Finished ones are remembered so long; the audit log keeps what was done. Milliseconds. */
const keepMs = 90 * 86_400_000;

/** The one door for dangerous orders: takes them, and what people decide about them. Carries nothing out itself. */
export class Approvals<C extends ActionContracts = typeof actions> {
  readonly #deps: ApprovalsDeps<C>;

  constructor(deps: ApprovalsDeps<C>) {
    this.#deps = deps;
  }

  /**
   * Records an order once, with its card where those can see it who have to agree. Returns it, and where that is.
   * @throws AppError conflict when who has asked may not, when it can never be approved, or when the same is asked for
   * already.
   */
  async request<N extends keyof C & string>(
    order: ApprovalOrder<C, N>,
  ): Promise<{ readonly approval: Approval; readonly place: ChatTarget }> {
    const { approvalStates, logger, clock } = this.#deps;
    const now = clock.now();
    const approval = await this.#taken(order, now);
    const place = await this.#placeFor(approval, order.place);
    for (;;) {
      const created = await approvalStates.create(approval, place, now);
      if (typeof created === "object") {
        // Its time may be over, and nobody has looked yet.
        const { approval: other } = await this.#change(created.other, (current) => settle(current, this.#at(current)));
        if (isOver(other)) continue;
        await this.#refused(order, "asked", now);
        const text = { key: "error-approval-asked", args: { target: order.target, id: other.id } };
        throw new AppError("conflict", `${order.action} of ${order.target} is asked for by ${other.id}`, { text });
      }
      if (created) {
        const { id, action, target, requestedBy } = approval;
        logger.warn({ approval: id, action, target, by: requestedBy?.id }, "approval asked for");
        if (approval.status === "approved") await this.#enqueue(approval);
      }
      return { approval: (await approvalStates.get(approval.id)).value, place };
    }
  }

  async read(id: string): Promise<Approval | undefined> {
    return (await this.#deps.approvalStates.read(id))?.value;
  }

  /** Somebody presses a button of the card; the first decision that ends it counts. */
  async decide(id: string, what: Decision, by: Person): Promise<ApprovalStep> {
    return await this.#decision(id, what, by, (current) => decisions[what](current, by, this.#at(current)));
  }

  /** What it is about is not wanted any more: ended, whoever of those who may say so has asked for the approval. */
  async withdraw(id: string, by: Person): Promise<ApprovalStep> {
    return await this.#decision(id, "cancel", by, (current) => withdraw(current, by, this.#at(current)));
  }

  /** Why somebody's decision would not count at this moment; undefined: it would. */
  refusal(approval: Approval, what: Decision, by: Person): Refusal | undefined {
    const moment = this.#at(approval);
    return refusals[what](settle(approval, moment).approval, by, moment);
  }

  /** As it stands at this moment, whoever has or has not looked at the clock. */
  settled(approval: Approval): Approval {
    return settle(approval, this.#at(approval)).approval;
  }

  /** The one order of a person that waits for exactly this name to be typed. */
  async awaiting(by: Person, text: string): Promise<Prompt | undefined> {
    const all = await Promise.all((await this.#deps.approvalStates.undecided()).map((id) => this.read(id)));
    const waiting = all.filter(
      (approval) =>
        approval?.status === "typing" && approval.requestedBy?.id === by.id && approval.target === text.trim(),
    );
    const [only] = waiting;
    return only && waiting.length === 1 ? { about: "name", id: only.id } : undefined;
  }

  /** Who has asked for it has typed the name, or something else. `late`: it has waited for long. */
  async confirm(id: string, by: Person, text: string, late: boolean): Promise<ApprovalStep> {
    const change = (current: Approval): ApprovalStep => confirm(current, by, text, { ...this.#at(current), late });
    return await this.#decision(id, "confirm", by, change);
  }

  /** Who has said no says why. */
  async giveReason(id: string, by: Person, reason: string): Promise<ApprovalStep> {
    return await this.#change(id, (current) => giveReason(current, by, redact(reason)));
  }

  /** What comes by time: approvals that expire, people and policies that are not in the configuration any more. */
  async step(): Promise<void> {
    const { approvalStates } = this.#deps;
    for (const id of await approvalStates.undecided())
      await this.#change(id, (current) => settle(current, this.#at(current)));
    await approvalStates.prune(new Date(this.#deps.clock.now().getTime() - keepMs));
  }

  /** Puts back into the queue whose job is gone. */
  async requeue(): Promise<string[]> {
    const requeued: string[] = [];
    for (const id of await this.#deps.approvalStates.work()) {
      const approval = await this.read(id);
      if (approval && (await this.#enqueue(approval))) requeued.push(id);
    }
    return requeued;
  }

  async #decision(
    id: string,
    what: string,
    by: Person,
    change: (approval: Approval) => ApprovalStep,
  ): Promise<ApprovalStep> {
    const step = await this.#change(id, change);
    const { logger, approvalStates, clock } = this.#deps;
    const { approval, refused } = step;
    logger.warn({ approval: id, what, by: by.id, status: approval.status, refused }, "decided");
    if (refused)
      await approvalStates.refuse(approval, { what: "refused", by, why: `${what}: ${refused}` }, clock.now());
    return step;
  }

  async #change(id: string, change: (approval: Approval) => ApprovalStep): Promise<ApprovalStep> {
    const { approvalStates, clock } = this.#deps;
    const step = await approvalStates.update(id, "reply", clock.now(), change);
    if (step.approval.status === "approved") await this.#enqueue(step.approval);
    if (step.events.length > 0 && isOver(step.approval)) await this.#deps.ended?.(step.approval);
    return step;
  }

  async #enqueue({ id, host }: Approval): Promise<boolean> {
    return await enqueueAnew(this.#deps.producer, "approval", { approvalId: id }, { id: `approval.${id}`, host });
  }

  #at(approval: Approval): Moment {
    return momentOf(this.#deps, approval.policyName);
  }

  /** As `#approval`; that it was not taken is on record. */
  async #taken<N extends keyof C & string>(order: ApprovalOrder<C, N>, now: Date): Promise<Approval> {
    try {
      return this.#approval(order, now);
    } catch (error) {
      if (error instanceof AppError && error.code === "conflict")
        await this.#refused(order, (error.text?.key ?? error.code).replace("error-approval-", ""), now);
      throw error;
    }
  }

  /** What the program asks for itself is asked again and again. */
  async #refused<N extends keyof C & string>(order: ApprovalOrder<C, N>, why: string, now: Date): Promise<void> {
    const { action, target, requestedBy: by } = order;
    if (by) await this.#deps.approvalStates.refuseOrder({ action, target, by, why: `request: ${why}` }, now);
  }

  #approval<N extends keyof C & string>(order: ApprovalOrder<C, N>, now: Date): Approval {
    const { action, target, identity, title, details = [], destructive = true, host, requestedBy, source } = order;
    const standing = requestedBy === undefined ? order.standing : undefined;
    const all: ActionContracts = this.#deps.actions ?? actions;
    const contract = all[action];
    if (!contract) throw new AppError("internal", `no action is called ${action}`);
    const args: unknown = JSON.parse(JSON.stringify(contract.args.parse(order.args)));
    const json = JSON.stringify(args);
    if (redact(json) !== json) throw new AppError("internal", `the arguments of ${action} hold a secret`);
    const { policy } = momentOf(this.#deps, contract.policy);
    if (standing === undefined) this.#refuseImpossible(policy, requestedBy);
    const mustType = requestedBy !== undefined && (destructive || policy.typed === "always");
    const what = { action, args, target, identity };
    return {
      id: createHash("sha256")
        .update(source ?? randomUUID())
        .digest("hex")
        .slice(0, 12),
      ...what,
      binding: bindingOf(what),
      title: redactText(title),
      details: details.map(redactText),
      policyName: contract.policy,
      policy,
      ...(host === undefined ? {} : { host }),
      ...(requestedBy ? { requestedBy } : {}),
      ...(standing ? { standing } : {}),
      requestedAt: now.toISOString(),
      ...(mustType ? { typed: { asked: 1, wrong: 0 } } : {}),
      status: standing ? "approved" : mustType ? "typing" : "open",
      expiresAt: new Date(now.getTime() + policy.expires).toISOString(),
      approvals: [],
    };
  }

  /** What could only expire is refused at once. */
  #refuseImpossible(policy: Approval["policy"], requestedBy: Person | undefined): void {
    const users = this.#deps.config.telegram?.users ?? [];
    const role = users.find(({ id }) => id === requestedBy?.id)?.role;
    if (requestedBy && !(role && hasRole(role, requestRole))) {
      const text = { key: "error-approval-requester" };
      throw new AppError("conflict", `${requestedBy.id} may not ask for this`, { text });
    }
    const most = reachableApprovals(policy, users, requestedBy?.id);
    if (most >= policy.approvers) return;
    const args = { needed: policy.approvers, most, role: policy.role };
    const text = { key: "error-approval-impossible", args };
    throw new AppError("conflict", `${policy.approvers} approvals are needed, ${most} can be had`, { text });
  }

  /** Where it was asked for; in private only where nobody else is needed. */
  async #placeFor({ policy, requestedBy }: Approval, place: ChatTarget | undefined): Promise<ChatTarget> {
    const { config, cards } = this.#deps;
    const role = config.telegram?.users.find(({ id }) => id === requestedBy?.id)?.role;
    const isAlone = policy.approvers === 1 && policy.requesterCounts && role && hasRole(role, policy.role);
    const chosen = place && (place.chatId < 0 || isAlone) ? place : (placeOf(config) ?? place);
    if (!chosen) throw new AppError("config", "no chat is configured in which this could be approved");
    return { ...chosen, chatId: await cards.resolveChat(chosen.chatId) };
  }
}
