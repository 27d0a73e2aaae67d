import type { Silence } from "../core/silence.ts";
import type { Keys, Redis } from "./redis.ts";

/** A silence that is over is remembered so long, for the list; milliseconds. */
const rememberMs = 7 * 86_400_000;

/** Silences, those that are over for a week included. */
export class Silences {
  readonly #redis: Redis;
  readonly #key: string;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#key = keys.of("silences");
  }

  /** Records a silence. False when its id is known already: an order is carried out once. */
  async create(silence: Silence): Promise<boolean> {
    return (await this.#redis.hsetnx(this.#key, silence.id, JSON.stringify(silence))) === 1;
  }

  async save(silence: Silence): Promise<void> {
    await this.#redis.hset(this.#key, silence.id, JSON.stringify(silence));
  }

  async read(id: string): Promise<Silence | undefined> {
    const json = await this.#redis.hget(this.#key, id);
    return json === null ? undefined : (JSON.parse(json) as Silence);
  }

  /** All that are known; `isActive` tells which are in force. */
  async all(): Promise<Silence[]> {
    return Object.values(await this.#redis.hgetall(this.#key)).map((json) => JSON.parse(json) as Silence);
  }

  async prune(now: Date): Promise<void> {
    const old = (await this.all()).filter(({ until }) => now.getTime() - Date.parse(until) > rememberMs);
    if (old.length > 0) await this.#redis.hdel(this.#key, ...old.map(({ id }) => id));
  }
}
