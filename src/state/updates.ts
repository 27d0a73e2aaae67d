import type { Keys, Redis } from "./redis.ts";

/** Who works on an update has so long before it is given to another; milliseconds. */
const workingMs = 120_000;

/** Telegram repeats an update whose answer was lost within minutes; milliseconds. */
const doneMs = 86_400_000;

/** Which of Telegram's updates were taken, so that a repeated one is not carried out twice. */
export class SeenUpdates {
  readonly #redis: Redis;
  readonly #keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** `mine`: nobody has worked on it. `working`: somebody is at it, or was killed a moment ago. */
  async claim(id: number): Promise<"mine" | "working" | "done"> {
    const key = this.#keys.of("update", id);
    if ((await this.#redis.set(key, "working", "PX", workingMs, "NX")) === "OK") return "mine";
    return (await this.#redis.get(key)) === "done" ? "done" : "working";
  }

  /** True when it was handled to its end. */
  async isDone(id: number): Promise<boolean> {
    return (await this.#redis.get(this.#keys.of("update", id))) === "done";
  }

  async done(id: number): Promise<void> {
    await this.#redis.set(this.#keys.of("update", id), "done", "PX", doneMs);
  }

  /** Nothing was done: whoever gets it next may work on it at once. */
  async release(id: number): Promise<void> {
    await this.#redis.del(this.#keys.of("update", id));
  }
}
