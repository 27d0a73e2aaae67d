import type { Logger } from "../lib/logger.ts";
import type { Redis } from "../state/redis.ts";
import type { Delivery } from "./delivery.ts";

export interface DeliveryLoopOptions {
  readonly delivery: Pick<Delivery, "step">;
  /** A connection of its own: it is put into subscriber mode. */
  readonly subscriber: Redis;
  readonly channel: string;
  readonly logger: Logger;
  /** How many calls to Telegram may be under way at once. */
  readonly concurrency?: number;
}

/** Without a wake-up the loop looks again after this long: a published message can be lost. Milliseconds. */
const idleMs = 1000;

/** A subscriber asks nothing by itself: so it would never learn that its connection leads nowhere. Milliseconds. */
const pingMs = 10_000;

/** Delivers dirty placements until stopped: at once when something is published, else once a second. */
export class DeliveryLoop {
  readonly #options: DeliveryLoopOptions;
  readonly #stopping = new AbortController();
  #wake = Promise.withResolvers<void>();
  #runners: Promise<void>[] = [];
  #pings: NodeJS.Timeout | undefined;

  constructor(options: DeliveryLoopOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { subscriber, channel, concurrency = 4 } = this.#options;
    subscriber.on("message", () => this.wake());
    // Subscribing waits for Redis; delivery starts as soon as it is there.
    await subscriber.subscribe(channel);
    this.#pings = setInterval(() => {
      if (subscriber.status === "ready") void subscriber.ping().catch(() => undefined);
    }, pingMs);
    this.#runners = Array.from({ length: concurrency }, () => this.#run());
  }

  /** Looks now. */
  wake(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }

  /** Finishes the calls under way and stops. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearInterval(this.#pings);
    this.wake();
    this.#options.subscriber.disconnect();
    await Promise.all(this.#runners);
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const woken = this.#wake.promise;
      let wait: number | undefined;
      try {
        wait = await this.#options.delivery.step();
      } catch (error) {
        this.#options.logger.error({ err: error }, "delivery failed");
        wait = idleMs;
      }
      if (wait === 0) continue;
      await this.#idle(Math.min(wait ?? idleMs, idleMs), woken);
    }
  }

  async #idle(ms: number, woken: Promise<void>): Promise<void> {
    const timer = Promise.withResolvers<void>();
    const timeout = setTimeout(timer.resolve, ms);
    await Promise.race([timer.promise, woken]);
    clearTimeout(timeout);
  }
}
