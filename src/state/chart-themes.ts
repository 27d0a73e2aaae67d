import type { Keys, Redis } from "./redis.ts";

/** Which theme a person has chosen for pictures. */
export class ChartThemes {
  readonly #redis: Redis;
  readonly #key: string;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#key = keys.of("chart-themes");
  }

  async read(userId: number): Promise<string | undefined> {
    return (await this.#redis.hget(this.#key, String(userId))) ?? undefined;
  }

  async write(userId: number, theme: string): Promise<void> {
    await this.#redis.hset(this.#key, String(userId), theme);
  }
}
