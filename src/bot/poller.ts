import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "grammy";
import type { Update } from "grammy/types";
import type { Lease } from "../core/ports.ts";
import type { Logger } from "../lib/logger.ts";
import type { Leases } from "../state/leases.ts";
import { isTokenRefused, readFailure } from "./telegram-error.ts";

export interface PollerOptions {
  readonly api: Api;
  readonly leases: Leases;
  readonly holder: string;
  readonly logger: Logger;
  readonly allowedUpdates: readonly Exclude<keyof Update, "update_id">[];
  /**
   * Handles one update; errors are its own business, and so is the order within a conversation: it is called with one
   * update after the other, but not only when the one before has been handled.
   */
  handle(update: Update): Promise<void>;
  /** Milliseconds; takeover after a kill takes this long plus a poll of the lease. */
  readonly leaseMs?: number;
}

/** Milliseconds beyond the long poll's own time after which its answer is not waited for any more. */
const answerMs = 7000;

/** The end of an aborted poll gets this long to reach Telegram before the next call does; milliseconds. */
const hangUpMs = 250;

/**
 * Handlers get this long before further updates are fetched beside them; milliseconds. It is the longest that a handler
 * which waits (for room in a chat's budget, for Telegram) holds up what others have asked. Not zero: until the oldest
 * update is confirmed, Telegram answers at once with all that follow it.
 */
const besideMs = 200;

/**
 * Fetches updates under a lease: one bot polls, the others stand by. An update is confirmed to Telegram only when it
 * and all before it have been handled, so a bot that is killed loses none; it may see one twice.
 */
export class Poller {
  readonly #options: PollerOptions;
  readonly #stopping = new AbortController();
  readonly #leaseMs: number;
  #running: Promise<void> | undefined;
  #state: "starting" | "polling" | "standing by" | "unreachable" | "token refused" = "starting";

  constructor(options: PollerOptions) {
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? 6000;
  }

  get state(): string {
    return this.#state;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Ends the long poll, waits for handlers under way, confirms what they have handled and gives the lease back. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { leases, holder, logger } = this.#options;
    while (!this.#stopping.signal.aborted) {
      try {
        this.#state = "standing by";
        const lease = await leases.acquire("polling", {
          ttlMs: this.#leaseMs,
          holder,
          signal: this.#stopping.signal,
          pollMs: 500,
        });
        await using held = lease;
        logger.info({ fence: held.token }, "polling Telegram");
        await this.#poll(held);
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        logger.warn({ error: String(error) }, "polling ended; standing by");
        await sleep(500);
      }
    }
  }

  async #poll(lease: Lease): Promise<void> {
    const stop = AbortSignal.any([lease.signal, this.#stopping.signal]);
    const inFlight = new Map<number, Promise<void>>();
    // Everything below is handled; it only grows.
    let next = 0;
    let highest = 0;
    while (!stop.aborted) {
      const updates = await this.#fetch(
        inFlight.size === 0 ? next : Math.min(...inFlight.keys()),
        inFlight.size > 0,
        lease,
        stop,
      );
      this.#state = "polling";
      for (const update of updates) {
        if (update.update_id < highest || inFlight.has(update.update_id)) continue;
        highest = update.update_id + 1;
        inFlight.set(
          update.update_id,
          this.#options.handle(update).finally(() => inFlight.delete(update.update_id)),
        );
      }
      next = highest;
      if (inFlight.size > 0) await settledWithin([...inFlight.values()], besideMs);
    }
    await Promise.allSettled(inFlight.values());
    if (!lease.isHeld()) return;
    await sleep(hangUpMs);
    if (next > 0) await this.#confirm(next);
  }

  async #fetch(offset: number, busy: boolean, lease: Lease, stop: AbortSignal): Promise<Update[]> {
    const { api, allowedUpdates, logger } = this.#options;
    // A poll outlives a bot that freezes. Renewed at a third, the lease has more than half of its time left at any
    // moment: the poll ends before another bot begins, and Telegram never sees two.
    // While handlers are under way Telegram answers at once with what they work on: no long poll then.
    const timeout = busy ? 0 : Math.max(1, Math.floor(this.#leaseMs / 2000));
    // Looked at before every call: after a freeze the lease may be another's, and its signal has not had the time to say so.
    for (let failures = 0; lease.isHeld(); failures++) {
      try {
        const signal = AbortSignal.any([stop, AbortSignal.timeout(timeout * 1000 + answerMs)]);
        return await api.getUpdates(
          { offset, timeout, allowed_updates: allowedUpdates },
          signal as Parameters<Api["getUpdates"]>[1],
        );
      } catch (error) {
        if (stop.aborted) return [];
        const failure = readFailure(error);
        const refused = isTokenRefused(error);
        this.#state = refused ? "token refused" : "unreachable";
        const wait = failure.kind === "retry-after" ? failure.seconds * 1000 : Math.min(500 * 2 ** failures, 15_000);
        if (refused) logger.error({ wait }, "Telegram refuses the bot's token");
        else logger.warn({ error: String(error), wait }, "Telegram could not be asked for updates");
        await sleep(wait, undefined, { signal: stop }).catch(() => undefined);
        if (stop.aborted) return [];
      }
    }
    return [];
  }

  async #confirm(offset: number): Promise<void> {
    try {
      await this.#options.api.getUpdates({ offset, limit: 1, timeout: 0 });
    } catch (error) {
      this.#options.logger.warn(
        { error: String(error) },
        "the last updates could not be confirmed; they will come again",
      );
    }
  }
}

async function settledWithin(promises: readonly Promise<void>[], ms: number): Promise<void> {
  const timer = Promise.withResolvers<void>();
  const timeout = setTimeout(timer.resolve, ms);
  await Promise.race([Promise.allSettled(promises), timer.promise]);
  clearTimeout(timeout);
}
