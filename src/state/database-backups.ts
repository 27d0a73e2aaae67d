import type { Urgency } from "../core/card.ts";
import { type DatabaseBackup, isOver } from "../core/database-backup.ts";
import type { CardRef, Cards } from "./cards.ts";
import type { Keys, Redis } from "./redis.ts";

/** Ended ones that are remembered. */
const keepEnded = 200;

/** Ordered backups of managed databases: the entities behind their cards, and those that have not ended. */
export class DatabaseBackups {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #cards: Cards;

  constructor(redis: Redis, keys: Keys, cards: Cards) {
    this.#redis = redis;
    this.#keys = keys;
    this.#cards = cards;
  }

  ref(id: string): CardRef {
    return { kind: "database-backup", id };
  }

  /** Records one. False when the id is known already. */
  async create(order: DatabaseBackup, now: Date): Promise<boolean> {
    // The indexes first: an entry without an entity is passed over, an entity without an entry would be lost.
    await this.#redis.zadd(this.#keys.of("database-backups"), "NX", now.getTime(), order.id);
    await this.#redis.sadd(this.#keys.of("database-backups-open"), order.id);
    return await this.#cards.create(this.ref(order.id), order, "reply", now);
  }

  async read(id: string): Promise<DatabaseBackup | undefined> {
    return (await this.#cards.read<DatabaseBackup>(this.ref(id)))?.value;
  }

  /** Changes it. The same object says that nothing is to be done. @throws AppError `not-found` */
  async update(
    id: string,
    urgency: Urgency | ((order: DatabaseBackup) => Urgency),
    now: Date,
    change: (order: DatabaseBackup) => DatabaseBackup,
  ): Promise<DatabaseBackup> {
    const order = await this.#cards.update<DatabaseBackup>(this.ref(id), urgency, now, change);
    if (isOver(order)) await this.#redis.srem(this.#keys.of("database-backups-open"), id);
    return order;
  }

  /** Those that have not ended. */
  async open(): Promise<DatabaseBackup[]> {
    const ids = await this.#redis.smembers(this.#keys.of("database-backups-open"));
    const all = await Promise.all(ids.map(async (id) => await this.read(id)));
    return all.filter((order) => order !== undefined && !isOver(order)) as DatabaseBackup[];
  }

  /** Forgets old ones, their cards' state included. */
  async prune(): Promise<void> {
    const key = this.#keys.of("database-backups");
    for (const id of await this.#redis.zrevrange(key, keepEnded, -1)) {
      const order = await this.read(id);
      if (order && !isOver(order)) continue;
      await this.#cards.remove(this.ref(id));
      await this.#redis.srem(this.#keys.of("database-backups-open"), id);
      await this.#redis.zrem(key, id);
    }
  }
}
