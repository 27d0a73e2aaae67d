import type { Keys, Redis } from "./redis.ts";

/** Counters that were read longer ago say nothing about now: more than three of the longest intervals; milliseconds. */
const keepMs = 4 * 3_600_000;

/** What the providers remember from one look at a server to the next; a few hundred bytes for each server. */
export class LookMemories {
  readonly #redis: Redis;
  readonly #keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async read(name: string): Promise<string | undefined> {
    return (await this.#redis.get(this.#keys.of("look", name))) ?? undefined;
  }

  /** It goes by itself when nobody looks at the server any more. */
  async write(name: string, memory: string): Promise<void> {
    await this.#redis.set(this.#keys.of("look", name), memory, "PX", keepMs);
  }
}
