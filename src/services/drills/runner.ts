import type { Config } from "../../app/config.ts";
import type { Urgency } from "../../core/card.ts";
import {
  ageOf,
  currentItem,
  type Drill,
  type DrillItem,
  type DrillReason,
  endOf,
  formerOf,
  isOver,
  recordOf,
  resultOf,
  withItem,
  withLimits,
} from "../../core/drill.ts";
import { toAppError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import { isOver as hasEnded, type Verification } from "../../core/verification.ts";
import type { Logger } from "../../lib/logger.ts";
import type { JobContext, JobOutcome } from "../../queue/contracts.ts";
import type { Cards } from "../../state/cards.ts";
import type { Drills } from "../../state/drills.ts";
import type { Verifications } from "../../state/verifications.ts";
import type { VerificationOrders } from "../backup/verifications.ts";
import { type ChooseDeps, drillTargets, newestOffsite } from "./choose.ts";

export interface DrillRunnerDeps extends ChooseDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cards: Cards;
  readonly drills: Drills;
  readonly verifications: Pick<Verifications, "read">;
  readonly verificationOrders: VerificationOrders;
}

/** Milliseconds between two looks at the verification that is under way. */
const lookEveryMs = 1000;

/**
 * Takes a drill from wherever it stands to its end: one backup after another is restored by a verification. It does no
 * work of its own and waits in no place that work needs: each of its steps is short and harmless when done twice.
 */
export class DrillRunner {
  readonly #deps: DrillRunnerDeps;

  constructor(deps: DrillRunnerDeps) {
    this.#deps = deps;
  }

  /** Goes on until there is something to wait for. */
  async execute(id: string, job: Pick<JobContext, "signal">): Promise<JobOutcome> {
    let drill = await this.#deps.drills.read(id);
    if (!drill) return { done: { drill: id, status: "unknown" } };
    while (!isOver(drill)) {
      if (job.signal.aborted) return { later: 0 };
      const next: Drill | undefined = await this.#step(drill);
      if (!next) return { later: lookEveryMs };
      drill = next;
    }
    return { done: { drill: id, status: drill.status } };
  }

  /** One step; undefined: there is nothing to do but to wait. */
  async #step(drill: Drill): Promise<Drill | undefined> {
    if (drill.status === "queued") return await this.#begin(drill);
    const item = currentItem(drill);
    if (!item || (drill.cancelRequestedBy && item.status === "waiting")) return await this.#finish(drill);
    return item.status === "waiting" ? await this.#order(drill, item) : await this.#follow(drill, item);
  }

  /** Chooses every copy at once: what is newest now, whatever is made while the drill goes on. */
  async #begin({ id }: Drill): Promise<Drill> {
    const now = this.#deps.clock.now();
    const targets = drillTargets(this.#deps.config);
    const items: DrillItem[] = [];
    for (const { name, cannot } of targets) {
      if (cannot) items.push({ name, status: "left-out", reason: { message: cannot.key, text: cannot } });
      else items.push(await this.#chosen(name, now));
    }
    const begun = await this.#update(id, "normal", (current) => {
      if (current.status !== "queued") return current;
      const judged = items.map((item) => withLimits(item, current.limits));
      return { ...current, status: "running", attempt: 1, startedAt: now.toISOString(), items: judged };
    });
    this.#deps.logger.info({ drill: id, backups: targets.length }, "drill begins");
    return begun;
  }

  async #chosen(name: string, now: Date): Promise<DrillItem> {
    const found = await newestOffsite(this.#deps, name, now);
    if ("reason" in found) return { name, status: "waiting", reason: found.reason };
    return { name, status: "waiting", copy: found.copy, rpoMs: ageOf(found.copy, now) };
  }

  /** Has the copy restored; what cannot be ordered is a result too. */
  async #order(drill: Drill, item: DrillItem): Promise<Drill> {
    const { verificationOrders } = this.#deps;
    const { name, copy, reason } = item;
    if (!copy) return await this.#settle(drill, { ...item, status: "undrilled", ...(reason ? { reason } : {}) });
    const backup = await verificationOrders.backup(name, copy.backup);
    if (!backup?.copies.includes(copy.storage)) return await this.#settle(drill, undrilled(item, gone(copy.storage)));
    try {
      const { verification } = await verificationOrders.request({
        backup,
        depth: "restored",
        storage: copy.storage,
        trigger: "drill",
        source: `drill:${drill.id}:${name}`,
        target: "none",
      });
      const running = { status: "running", verification: verification.id } as const;
      return await this.#update(drill.id, "normal", (current) => withItem(current, name, running));
    } catch (error) {
      const failure = toAppError(error);
      if (!failure.permanent) throw error;
      const { message, text } = failure;
      return await this.#settle(drill, undrilled(item, { message, ...(text ? { text } : {}) }));
    }
  }

  /** Looks after the verification that is under way. */
  async #follow(drill: Drill, item: DrillItem): Promise<Drill | undefined> {
    const { verifications, verificationOrders, drills } = this.#deps;
    const verification = await verifications.read(item.verification ?? "");
    if (!verification || hasEnded(verification)) {
      const before = (await drills.results(item.name)).filter((result) => result.drill !== drill.id);
      const cancelled = drill.cancelRequestedBy !== undefined;
      const ended = resultOf(item, verification, { limits: drill.limits, cancelled });
      const result = { ...ended, ...formerOf(before) };
      await this.#showDetails(drill, verification);
      return await this.#settle(drill, result);
    }
    if (drill.cancelRequestedBy && !verification.cancelRequestedBy)
      await verificationOrders.cancel(verification.id, drill.cancelRequestedBy);
    await this.#mirror(drill, item, verification);
    return undefined;
  }

  /** What did not hold is shown with all that was found on the verification's own card. */
  async #showDetails({ target }: Drill, verification: Verification | undefined): Promise<void> {
    const { cards, clock } = this.#deps;
    if (!target || verification?.proof?.ok !== false) return;
    await cards.place({ kind: "verify", id: verification.id }, target, "reply", clock.now());
  }

  async #mirror(drill: Drill, item: DrillItem, { phase, progress }: Verification): Promise<void> {
    const read = progress && { bytes: progress.bytes, total: progress.total };
    if (item.phase === phase && item.progress?.bytes === read?.bytes) return;
    const change = { phase, ...(read ? { progress: read } : {}) };
    await this.#update(drill.id, "progress", (current) => withItem(current, item.name, change));
  }

  /** Remembered first: killed in between, the same is remembered once more. */
  async #settle(drill: Drill, item: DrillItem): Promise<Drill> {
    const record = recordOf(drill, item);
    if (record) await this.#deps.drills.note(record);
    return await this.#update(drill.id, "normal", (current) => {
      if (withItem(current, item.name, {}) === current) return current;
      return { ...current, items: current.items.map((other) => (other.name === item.name ? item : other)) };
    });
  }

  async #finish({ id }: Drill): Promise<Drill> {
    const now = this.#deps.clock.now();
    const done = await this.#update(id, "reply", (current) => {
      if (isOver(current)) return current;
      const items = current.items.map((item) =>
        item.status === "waiting" ? ({ ...item, status: "cancelled" } as const) : item,
      );
      return { ...current, items, status: endOf({ ...current, items }), finishedAt: now.toISOString() };
    });
    this.#deps.logger.info({ drill: id, status: done.status }, "drill has ended");
    return done;
  }

  async #update(id: string, urgency: Urgency, change: (drill: Drill) => Drill): Promise<Drill> {
    return await this.#deps.drills.update(id, urgency, this.#deps.clock.now(), change);
  }
}

function undrilled(item: DrillItem, reason: DrillReason): DrillItem {
  return { ...item, status: "undrilled", reason };
}

/** Of a copy that was removed after it had been chosen. */
function gone(storage: string): DrillReason {
  return { message: `its copy in ${storage} is gone`, text: { key: "drill-reason-gone", args: { storage } } };
}
