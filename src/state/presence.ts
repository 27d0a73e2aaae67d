import type { Keys, Redis } from "./redis.ts";

export interface Presence {
  readonly role: "bot" | "worker";
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly startedAt: string;
  /** What this process is doing now: "polling", "standing by". */
  readonly state: string;
  readonly seenAt: string;
}

/** Which processes are alive: each writes itself down every few seconds. */
export class Presences {
  readonly #redis: Redis;
  readonly #key: string;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#key = keys.of("presence");
  }

  async write(presence: Presence): Promise<void> {
    await this.#redis.hset(this.#key, `${presence.role}@${presence.host}#${presence.pid}`, JSON.stringify(presence));
  }

  async remove(presence: Presence): Promise<void> {
    await this.#redis.hdel(this.#key, `${presence.role}@${presence.host}#${presence.pid}`);
  }

  /** Those seen within `withinMs`; entries older than a day are forgotten. */
  async alive(now: Date, withinMs: number): Promise<Presence[]> {
    const all = Object.entries(await this.#redis.hgetall(this.#key)).map(([field, json]) => ({
      field,
      presence: JSON.parse(json) as Presence,
    }));
    const age = (presence: Presence): number => now.getTime() - Date.parse(presence.seenAt);
    const gone = all.filter((entry) => age(entry.presence) > 86_400_000).map((entry) => entry.field);
    if (gone.length > 0) await this.#redis.hdel(this.#key, ...gone);
    return all.map((entry) => entry.presence).filter((presence) => age(presence) <= withinMs);
  }
}
