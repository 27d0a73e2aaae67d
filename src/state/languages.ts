import { type Locale, locales } from "../messages/index.ts";
import type { Keys, Redis } from "./redis.ts";

/** Which language a person chose with /language. */
export class Languages {
  readonly #redis: Redis;
  readonly #key: string;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#key = keys.of("languages");
  }

  async read(userId: number): Promise<Locale | undefined> {
    const stored = await this.#redis.hget(this.#key, String(userId));
    return locales.find((locale) => locale === stored);
  }

  async write(userId: number, locale: Locale): Promise<void> {
    await this.#redis.hset(this.#key, String(userId), locale);
  }
}
