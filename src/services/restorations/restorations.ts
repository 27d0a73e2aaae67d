import { createHash, randomUUID } from "node:crypto";
import type { Config } from "../../app/config.ts";
import type { Approval } from "../../core/approval.ts";
import type { ChatTarget } from "../../core/card.ts";
import { AppError } from "../../core/errors.ts";
import { applicableRoles, type GlobalsScope } from "../../core/globals.ts";
import type { Clock } from "../../core/ports.ts";
import type { Restoration } from "../../core/restoration.ts";
import { isOver, needsWorker } from "../../core/restoration-life.ts";
import type { Person } from "../../core/run.ts";
import type { Text } from "../../core/text.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Producer } from "../../queue/producer.ts";
import type { Cards } from "../../state/cards.ts";
import type { RestorationStates } from "../../state/restorations.ts";
import type { Approvals } from "../approvals/approvals.ts";
import type { VerificationOrders } from "../backup/verifications.ts";
import { enqueueAnew } from "../places.ts";
import { besideName, type RestoreChoices, restoreChoices } from "./choices.ts";
import { type RestoreEvent, restoreEntry } from "./entries.ts";
import { Following } from "./following.ts";
import { argsOf, type LookOptions, lookingAgain, newRestoration, type RestorationOrder } from "./ordering.ts";
import { type RestorationDecision, refusalOf } from "./refusals.ts";
import { rolesArgs, rolesIdentityOf } from "./roles-order.ts";
import { requireNewest } from "./successor.ts";
import { detailsOf, rolesDetails, rolesTitle, titleOf, typedName } from "./texts.ts";

export interface RestorationsDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cards: Cards;
  readonly restorationStates: RestorationStates;
  readonly approvals: Approvals;
  readonly verificationOrders: VerificationOrders;
  readonly producer: Producer;
}

export type { LookOptions, RestorationOrder } from "./ordering.ts";

/** A worker that is being started is there within this time; milliseconds. */
const workerStartMs = 20_000;
/** Takes orders for restores, and what people decide about them. Opens no storage and no target. */
export class Restorations {
  readonly #deps: RestorationsDeps;

  readonly #following: Following;

  constructor(deps: RestorationsDeps) {
    this.#deps = deps;
    this.#following = new Following(deps, (restoration) => this.enqueue(restoration));
  }

  /** What can be done with a backup of this name; `backup`: with that one, default the newest. */
  async choices(name: string, backup?: string): Promise<RestoreChoices> {
    return await restoreChoices(this.#deps, name, backup);
  }

  /** What a restore beside would be called unless a person says otherwise. */
  besideName(name: string, parts: { readonly only?: string; readonly pick?: string } = {}): string | undefined {
    return besideName(this.#deps, name, parts);
  }

  /**
   * Records an order once, shows its card, and has a worker look at what it will find.
   * @throws AppError not-found, no-copy or config when there is nothing that could be looked at.
   */
  async request(order: RestorationOrder): Promise<Restoration> {
    const { restorationStates, cards, clock, logger } = this.#deps;
    const { name, backup: run, place, by, target } = order;
    const id = createHash("sha256")
      .update(order.source ?? randomUUID())
      .digest("hex")
      .slice(0, 12);
    if (!(await restorationStates.read(id))) {
      const restoration = await newRestoration(this.#deps, order, id);
      const at = new Date(restoration.createdAt);
      if (await restorationStates.create(restoration, at, [restoreEntry(restoration, "requested", at, { by })]))
        logger.warn({ restoration: id, backup: name, run, place, by: by.id }, "restore asked for");
    }
    const now = clock.now();
    // Card and job are made again when it exists already: a kill in between leaves neither of them out.
    const { messageId } = target;
    await cards.place(restorationStates.ref(id), target, "reply", now, messageId === undefined ? {} : { messageId });
    const current = await restorationStates.get(id);
    await this.enqueue(current);
    return current;
  }

  async read(id: string): Promise<Restoration | undefined> {
    return await this.#deps.restorationStates.read(id);
  }

  /** Why somebody's decision would not count at this moment; undefined: it would. */
  refusal(restoration: Restoration, what: RestorationDecision, by: Person): Text | undefined {
    const { config, clock } = this.#deps;
    return refusalOf(config, restoration, what, by, clock.now());
  }

  /** Whether a worker is there for it, among the hosts of those alive; one gets some time to start. */
  isServed({ host, createdAt }: Restoration, workerHosts: ReadonlySet<string>, now: Date): boolean {
    if (now.getTime() - Date.parse(createdAt) < workerStartMs) return true;
    return host === undefined ? workerHosts.size > 0 : workerHosts.has(host);
  }

  /**
   * Who has seen what will be done wants it: approvals are asked for. `scope`: where it is about roles, which of them.
   * @throws AppError conflict when it is not ready, when who has asked may not, or when the same is asked for already.
   */
  async confirm(id: string, by: Person, target: ChatTarget, scope?: GlobalsScope): Promise<Restoration> {
    const { approvals, config } = this.#deps;
    const restoration = await this.#allowed(id, "confirm", by);
    if (restoration.place === "globals") return await this.#confirmRoles(restoration, by, target, scope);
    const { preflight, manifestSha256 } = restoration;
    if (!preflight || manifestSha256 === undefined) throw refused({ key: "restoration-refused-confirm" });
    const { approval } = await approvals.request({
      action: "restore",
      args: argsOf(restoration),
      target: typedName(restoration),
      identity: { manifest: manifestSha256, ...preflight.identity },
      title: titleOf(restoration, config.timezone),
      details: detailsOf(restoration, config.timezone),
      destructive: restoration.place === "in-place",
      host: restoration.host,
      requestedBy: by,
      // One for each look: what is confirmed once more was looked at once more.
      source: `restore:${id}:${restoration.looks ?? 0}`,
      place: target,
    });
    return await this.#asked(restoration, approval.id);
  }

  async #confirmRoles(
    restoration: Restoration,
    by: Person,
    target: ChatTarget,
    scope: GlobalsScope | undefined,
  ): Promise<Restoration> {
    const { approvals, config } = this.#deps;
    const { id, roles, manifestSha256, host, looks } = restoration;
    if (
      !roles ||
      scope === undefined ||
      manifestSha256 === undefined ||
      applicableRoles(roles.look, scope).length === 0
    )
      throw refused({ key: "restoration-refused-confirm" });
    const { approval } = await approvals.request({
      action: "restore-globals",
      args: rolesArgs(restoration, scope),
      target: typedName(restoration),
      identity: rolesIdentityOf(roles, manifestSha256),
      title: rolesTitle(restoration, scope, config.timezone),
      details: rolesDetails(restoration, scope, config.timezone),
      host,
      requestedBy: by,
      source: `restore-globals:${id}:${looks ?? 0}`,
      place: target,
    });
    return await this.#asked(restoration, approval.id, scope);
  }

  async #asked(restoration: Restoration, approval: string, scope?: GlobalsScope): Promise<Restoration> {
    const { restorationStates, clock } = this.#deps;
    return await restorationStates.update(restoration.id, "reply", clock.now(), (current) => {
      if (current.status !== "ready" || current.looks !== restoration.looks) return current;
      const { expiresAt: _, ...rest } = current;
      return { ...rest, status: "asked", approval, ...(scope === undefined ? {} : { scope }) };
    });
  }

  /** Takes it back: before it was begun at once; then its worker stops, as long as nothing was swapped. */
  async cancel(id: string, by: Person): Promise<Restoration> {
    const { restorationStates, approvals, clock } = this.#deps;
    const restoration = await this.#allowed(id, "cancel", by);
    if (restoration.status === "asked" && restoration.approval !== undefined) {
      // An admin may have confirmed it. Begun at this very moment: the worker is told to stop.
      await approvals.withdraw(restoration.approval, by);
    }
    const now = clock.now();
    return await restorationStates.update(
      id,
      "reply",
      now,
      (current) => {
        if (isOver(current) || current.cancelRequestedBy || this.refusal(current, "cancel", by)) return current;
        if (current.status === "running") return { ...current, cancelRequestedBy: by };
        return { ...current, status: "cancelled", cancelRequestedBy: by, finishedAt: now.toISOString() };
      },
      undefined,
      (current) => this.#said(current, current.status === "cancelled" ? "cancelled" : undefined, now, by),
    );
  }

  /** Has it looked at once more, as it was or in another way that was offered. */
  async lookAgain(id: string, by: Person, options: LookOptions = {}): Promise<Restoration> {
    const { restorationStates, clock } = this.#deps;
    await this.#allowed(id, "look", by);
    const now = clock.now();
    const again = await restorationStates.update(
      id,
      "reply",
      now,
      (current) => (this.refusal(current, "look", by) ? current : lookingAgain(current, options, now)),
      undefined,
      (current) =>
        options.before === "off" ? [restoreEntry(current, "requested", now, { by, why: "no backup before" })] : [],
    );
    await this.enqueue(again);
    return again;
  }

  /**
   * Wants back what was live before: a worker looks at what would be lost by that, and approvals are asked for.
   * @throws AppError conflict when there is nothing to go back to.
   */
  async undo(id: string, by: Person, target: ChatTarget): Promise<Restoration> {
    const { restorationStates, clock } = this.#deps;
    await requireNewest(restorationStates, await this.#allowed(id, "undo", by));
    const now = clock.now();
    const asked = await restorationStates.update(
      id,
      "reply",
      now,
      (current) => {
        if (!current.undo || this.refusal(current, "undo", by)) return current;
        const { error: _, approval: __, changes: ___, dropBy: ____, ...undo } = current.undo;
        const chat = { chatId: target.chatId, ...(target.threadId === undefined ? {} : { threadId: target.threadId }) };
        return { ...current, undo: { ...undo, status: "looking", by, chat, asked: (undo.asked ?? 0) + 1 } };
      },
      undefined,
      (current) => this.#said(current, "undo-requested", now, by),
    );
    await this.enqueue(asked);
    return asked;
  }

  /** The new one stays: what is kept aside is dropped now. */
  async keepNow(id: string, by: Person): Promise<Restoration> {
    const { restorationStates, clock } = this.#deps;
    await this.#allowed(id, "keep", by);
    const now = clock.now();
    const kept = await restorationStates.update(
      id,
      "reply",
      now,
      (current) => {
        if (!current.undo || this.refusal(current, "keep", by)) return current;
        const { status, ...undo } = current.undo;
        const kept = status === undefined || status === "looking" ? {} : { status };
        return { ...current, undo: { ...undo, ...kept, dropBy: by } };
      },
      undefined,
      (current) => this.#said(current, "drop-requested", now, by),
    );
    await this.enqueue(kept);
    return kept;
  }

  /** Puts its job into the queue of the right worker, where there is something to do and none is there yet. */
  async enqueue(restoration: Restoration): Promise<boolean> {
    const { producer, clock } = this.#deps;
    if (!needsWorker(restoration, clock.now())) return false;
    const { id, host } = restoration;
    return await enqueueAnew(producer, "restore", { restorationId: id }, { id: `restore-${id}`, host });
  }

  /** An approval has ended: what has waited for it learns that. */
  async settle(approval: Approval): Promise<void> {
    await this.#following.settle(approval);
  }

  /** What comes by time: what was not decided in time, approvals that have ended, and work whose job is gone. */
  async step(): Promise<string[]> {
    return await this.#following.step();
  }

  #said(restoration: Restoration, what: RestoreEvent | undefined, now: Date, by: Person) {
    return what === undefined ? [] : [restoreEntry(restoration, what, now, { by })];
  }

  /** @throws AppError conflict when this person's decision would not count. */
  async #allowed(id: string, what: RestorationDecision, by: Person): Promise<Restoration> {
    const restoration = await this.#deps.restorationStates.get(id);
    const refusal = this.refusal(restoration, what, by);
    if (refusal) throw refused(refusal);
    return restoration;
  }
}

function refused(text: Text): AppError {
  return new AppError("conflict", `not now: ${text.key}`, { text });
}
