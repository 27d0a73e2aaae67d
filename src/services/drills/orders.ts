import { createHash, randomUUID } from "node:crypto";
import type { Config } from "../../app/config.ts";
import type { ChatTarget } from "../../core/card.ts";
import { currentItem, type Drill, type DrillTrigger, defaultLimits, isOver } from "../../core/drill.ts";
import { AppError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import type { Person } from "../../core/run.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Producer } from "../../queue/producer.ts";
import type { Cards } from "../../state/cards.ts";
import type { Drills } from "../../state/drills.ts";
import type { Leases } from "../../state/leases.ts";
import { placeOf } from "../alerts/routing.ts";

export interface DrillOrdersDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cards: Cards;
  readonly drills: Drills;
  readonly leases: Pick<Leases, "acquire">;
  readonly producer: Producer;
}

export interface DrillOrder {
  readonly trigger: DrillTrigger;
  /** What makes the order unique; the same source gives the same drill. Default: random. */
  readonly source?: string;
  readonly requestedBy?: Person;
  readonly dueAt?: Date;
  /** Where the card is shown; default: the drill's configured chat. */
  readonly target?: ChatTarget;
}

/** A worker that is being started is there within this time; milliseconds. */
const workerStartMs = 20_000;
/** Of two orders at the same moment one looks after the other; milliseconds. */
const orderLeaseMs = 10_000;
const orderWaitMs = 30_000;

/** Takes orders for drills: records them, shows their cards, enqueues their jobs. */
export class DrillOrders {
  readonly #deps: DrillOrdersDeps;

  constructor(deps: DrillOrdersDeps) {
    this.#deps = deps;
  }

  /** Records a drill once and enqueues it. One that has not ended stands for this order too: its card is shown there. */
  async request(order: DrillOrder): Promise<{ readonly drill: Drill; readonly created: boolean }> {
    const { drills, cards, clock, config, logger } = this.#deps;
    const { trigger, requestedBy, dueAt } = order;
    const now = clock.now();
    const { rto, rpo } = config.drill ?? defaultLimits;
    const id = createHash("sha256")
      .update(order.source ?? randomUUID())
      .digest("hex")
      .slice(0, 12);
    const target =
      order.target ?? placeOf(config, { chat: config.drill?.chat, topic: config.drill?.topic ?? "backups" });
    const drill: Drill = {
      id,
      status: "queued",
      trigger,
      ...(requestedBy ? { requestedBy } : {}),
      ...(dueAt ? { dueAt: dueAt.toISOString() } : {}),
      createdAt: now.toISOString(),
      attempt: 0,
      limits: { rto, rpo },
      items: [],
      ...(target ? { target } : {}),
    };
    const { running, created } = await this.#record(drill, now);
    if (running) {
      if (target) await cards.place(drills.ref(running.id), target, "reply", now);
      return { drill: running, created: false };
    }
    // Card and job are made again when it exists already: a kill in between leaves neither of them out.
    if (target) await cards.place(drills.ref(id), target, "reply", now);
    const current = await drills.get(id);
    if (!isOver(current)) await this.enqueue(current);
    if (created) logger.info({ drill: id, trigger, by: requestedBy?.id }, "drill ordered");
    return { drill: current, created };
  }

  /** Records it unless another one has not ended. */
  async #record(drill: Drill, now: Date): Promise<{ readonly running?: Drill; readonly created: boolean }> {
    const { drills, leases } = this.#deps;
    const signal = AbortSignal.timeout(orderWaitMs);
    const wait = { ttlMs: orderLeaseMs, holder: `order ${drill.id}`, signal, pollMs: 20 };
    await using _ = await leases.acquire("drill-order", wait);
    const running = (await drills.unsettled()).find(({ id }) => id !== drill.id);
    return running ? { running, created: false } : { created: await drills.create(drill, now) };
  }

  /** Orders what the schedule wants. */
  async schedule(dueAt: Date): Promise<Drill> {
    const source = `drill-schedule:${dueAt.toISOString()}`;
    return (await this.request({ trigger: "schedule", source, dueAt })).drill;
  }

  /** A further drill; each can be repeated once by its button. @throws AppError `conflict` while it has not ended. */
  async again(id: string, by: Person, target: ChatTarget): Promise<Drill> {
    const { drills, clock } = this.#deps;
    if (!isOver(await drills.get(id))) {
      const text = { key: "error-drill-running" };
      throw new AppError("conflict", `drill ${id} has not ended`, { text });
    }
    const source = `drill-again:${id}`;
    const { drill } = await this.request({ trigger: "again", source, requestedBy: by, target });
    await drills.update(id, "reply", clock.now(), (current) =>
      current.again ? current : { ...current, again: { drill: drill.id, by } },
    );
    return drill;
  }

  /** Asks it to stop. Waiting: it is cancelled at once. Running: what is being restored is ended and removed first. */
  async cancel(id: string, by: Person): Promise<Drill> {
    const now = this.#deps.clock.now();
    return await this.#deps.drills.update(id, "reply", now, (current) => {
      if (isOver(current) || current.cancelRequestedBy) return current;
      const asked = { ...current, cancelRequestedBy: by };
      return current.status === "queued" ? { ...asked, status: "cancelled", finishedAt: now.toISOString() } : asked;
    });
  }

  /** Whether a worker is there that can go on with it. */
  isServed(drill: Drill, workerHosts: ReadonlySet<string>, now: Date): boolean {
    const since = Date.parse(drill.startedAt ?? drill.createdAt);
    if (now.getTime() - since < workerStartMs || (drill.status === "running" && !currentItem(drill))) return true;
    return workerHosts.size > 0;
  }

  async enqueue({ id }: Drill): Promise<void> {
    await this.#deps.producer.enqueue("drill", { drillId: id }, { id: jobId(id) });
  }

  /** Puts back into the queue whose job is gone. */
  async requeueLost(): Promise<string[]> {
    const { drills, producer } = this.#deps;
    const requeued: string[] = [];
    for (const drill of await drills.unsettled()) {
      const id = jobId(drill.id);
      if (await producer.isPending("drill", id)) continue;
      await producer.forget("drill", id);
      await this.enqueue(drill);
      requeued.push(id);
    }
    return requeued;
  }
}

function jobId(id: string): string {
  return `drill-${id}`;
}
