import type { Config } from "../../app/config.ts";
import type { Clock } from "../../core/ports.ts";
import type { Logger } from "../../lib/logger.ts";
import { networkCode } from "../../lib/resilience.ts";
import type { Cards } from "../../state/cards.ts";
import type { TelegramContact } from "../../state/contact.ts";
import type { Presences } from "../../state/presence.ts";
import type { WatchState } from "../../state/watch.ts";
import { presenceWithinMs } from "../status.ts";
import { needsWorker, type WatchCheck } from "./types.ts";

/** One attempt; milliseconds. */
const fetchTimeoutMs = 10_000;

/** So many failures in a row are told. */
const tellAfter = 5;

/** Telegram must have answered within this time; milliseconds. */
const lateContactMs = 120_000;

const failures = "own-heartbeat";

export interface OwnHeartbeatDeps {
  readonly config: Pick<Config, "heartbeat" | "backups" | "servers">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cards: Pick<Cards, "pausedSince">;
  readonly contact: Pick<TelegramContact, "read">;
  readonly presences: Presences;
  readonly watchState: WatchState;
  /** Aborted when the process ends. */
  readonly signal?: AbortSignal;
}

/**
 * The sign of life that is sent outside, as long as the watch is well: Redis answers, a worker is alive, Telegram was
 * reached lately. Whoever expects it there notices the death of everything. Its address is a secret: it is never logged.
 */
export class OwnHeartbeat {
  readonly #deps: OwnHeartbeatDeps;
  #sentAt = Number.NEGATIVE_INFINITY;

  constructor(deps: OwnHeartbeatDeps) {
    this.#deps = deps;
  }

  /** Sends it when it is time to and all is well. */
  async step(): Promise<void> {
    const { config, clock, watchState, signal } = this.#deps;
    const { heartbeat } = config;
    const now = clock.now().getTime();
    if (!heartbeat || Math.abs(now - this.#sentAt) < heartbeat.every || !(await this.isWell())) return;
    this.#sentAt = now;
    const isHeard = (await this.#send(heartbeat.url)) || (await this.#send(heartbeat.url));
    if (signal?.aborted) return;
    await watchState.count(failures, isHeard ? null : 1);
  }

  /** Whether everything works that the sign of life stands for. Waits for as long as Redis does not answer. */
  async isWell(): Promise<boolean> {
    const { config, clock, cards, contact, presences } = this.#deps;
    const now = clock.now();
    if (needsWorker(config)) {
      const alive = await presences.alive(now, presenceWithinMs);
      if (!alive.some(({ role }) => role === "worker")) return false;
    }
    const { okAt } = await contact.read();
    const isReached = okAt !== undefined && now.getTime() - okAt.getTime() < lateContactMs;
    return isReached && (await cards.pausedSince()) === undefined;
  }

  async #send(url: string): Promise<boolean> {
    const { logger, signal } = this.#deps;
    const limit = AbortSignal.timeout(fetchTimeoutMs);
    try {
      const answer = await fetch(url, { signal: signal ? AbortSignal.any([signal, limit]) : limit });
      await answer.body?.cancel();
      if (!answer.ok) logger.warn({ status: answer.status }, "the own heartbeat was refused");
      return answer.ok;
    } catch (error) {
      // The message of an error may name the address.
      logger.warn({ reason: networkCode(error) ?? "no answer" }, "the own heartbeat could not be sent");
      return false;
    }
  }
}

/** Whether the sign of life is heard outside. */
export function ownHeartbeatCheck({ config, watchState }: Pick<OwnHeartbeatDeps, "config" | "watchState">): WatchCheck {
  return {
    name: "own-heartbeat",
    look: async () => {
      if (!config.heartbeat || (await watchState.counted(failures)) < tellAfter) return [];
      return [
        {
          fingerprint: "own-heartbeat",
          severity: "warning",
          title: { key: "watch-own-heartbeat" },
          text: { key: "watch-own-heartbeat-text" },
        },
      ];
    },
  };
}
