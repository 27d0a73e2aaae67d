import type { Keys, Redis } from "./redis.ts";

/** What was due when: the memory of the tick, so that a run missed while all was down is noticed. */
export class ScheduleState {
  readonly #redis: Redis;
  readonly #key: string;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#key = keys.of("last-due");
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

  async remove(key: string): Promise<void> {
    await this.#redis.hdel(this.#key, key);
  }
}
