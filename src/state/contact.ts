import type { Keys, Redis } from "./redis.ts";

/** When Telegram answered any of the bots, and since when it has answered none. */
export interface Contact {
  readonly okAt?: Date;
  /** The first failure since the last answer. */
  readonly failedSince?: Date;
  /** Of the last failure. */
  readonly reason?: string;
}

/** Milliseconds within which the same news about the contact is not written again. */
const sameNewsMs = 1000;

/**
 * How the bots get on with Telegram, all of them together: an answer that any of them got ends the failures of all.
 * Any answer counts, also one that refuses something: a chat that lets nobody in is not an outage.
 */
export class TelegramContact {
  readonly #redis: Redis;
  readonly #key: string;
  #last: { readonly news: "ok" | "failed"; readonly at: number } | undefined;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#key = keys.of("telegram-contact");
  }

  async ok(now: Date): Promise<void> {
    if (this.#isOldNews("ok", now)) return;
    await this.#redis.multi().hset(this.#key, "okAt", now.getTime()).hdel(this.#key, "failedSince", "reason").exec();
  }

  async failed(now: Date, reason: string): Promise<void> {
    if (this.#isOldNews("failed", now)) return;
    await this.#redis
      .multi()
      .hsetnx(this.#key, "failedSince", now.getTime())
      .hset(this.#key, "reason", reason.slice(0, 200))
      .exec();
  }

  async read(): Promise<Contact> {
    const [okAt, failedSince, reason] = await this.#redis.hmget(this.#key, "okAt", "failedSince", "reason");
    return {
      ...(okAt == null ? {} : { okAt: new Date(Number(okAt)) }),
      ...(failedSince == null ? {} : { failedSince: new Date(Number(failedSince)) }),
      ...(reason == null ? {} : { reason }),
    };
  }

  #isOldNews(news: "ok" | "failed", now: Date): boolean {
    const since = now.getTime() - (this.#last?.at ?? 0);
    if (this.#last?.news === news && since >= 0 && since < sameNewsMs) return true;
    this.#last = { news, at: now.getTime() };
    return false;
  }
}
