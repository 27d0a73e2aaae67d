import type { Keys, Redis } from "./redis.ts";

/** Milliseconds after which a schedule that nobody knows any more is forgotten. */
const forgetAfterMs = 24 * 3_600_000;

/** What was due when: the memory of the tick, so that a run missed while all was down is noticed. */
export class ScheduleState {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #unknownKey: string;

  /** `name`: schedules that others look after are remembered apart. */
  constructor(redis: Redis, keys: Keys, name = "last-due") {
    this.#redis = redis;
    this.#key = keys.of(name);
    this.#unknownKey = keys.of(`${name}-unknown`);
  }

  /** Last handled due time per schedule key. */
  async read(): Promise<ReadonlyMap<string, Date>> {
    const all = await this.#redis.hgetall(this.#key);
    return new Map(Object.entries(all).map(([key, at]) => [key, new Date(Number(at))]));
  }

  /** Records that everything up to `at` has been handled. */
  async write(key: string, at: Date): Promise<void> {
    await this.#redis.hset(this.#key, key, at.getTime());
  }

  /**
   * Forgets the schedules that no tick has known for a day: one that was taken out owes nothing when it comes back,
   * while a worker that still has an older configuration makes nobody forget a new one.
   */
  async retain(known: ReadonlySet<string>, now: Date): Promise<void> {
    const unknownSince = await this.#redis.hgetall(this.#unknownKey);
    for (const key of await this.#redis.hkeys(this.#key)) {
      const since = unknownSince[key];
      if (known.has(key)) {
        if (since !== undefined) await this.#redis.hdel(this.#unknownKey, key);
      } else if (since === undefined) {
        await this.#redis.hsetnx(this.#unknownKey, key, now.getTime());
      } else if (now.getTime() - Number(since) >= forgetAfterMs) {
        await this.#redis.hdel(this.#key, key);
        await this.#redis.hdel(this.#unknownKey, key);
      }
    }
  }
}
