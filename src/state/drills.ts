import type { Urgency } from "../core/card.ts";
import { type Drill, type DrillRecord, isOver, keepDrills } from "../core/drill.ts";
import { AppError } from "../core/errors.ts";
import type { CardRef, Cards } from "./cards.ts";
import type { Keys, Redis } from "./redis.ts";

/** Drills: the entities behind their cards, those that have not ended, and the newest results of every backup. */
export class Drills {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #cards: Cards;

  constructor(redis: Redis, keys: Keys, cards: Cards) {
    this.#redis = redis;
    this.#keys = keys;
    this.#cards = cards;
  }

  ref(id: string): CardRef {
    return { kind: "drill", id };
  }

  /** Records a drill. False when the id is known already. */
  async create(drill: Drill, now: Date): Promise<boolean> {
    // The indexes first: an entry without an entity is passed over, an entity without an entry would be lost.
    await this.#redis.zadd(this.#keys.of("drills"), "NX", now.getTime(), drill.id);
    await this.#redis.sadd(this.#keys.of("drills-active"), drill.id);
    return await this.#cards.create(this.ref(drill.id), drill, "reply", now);
  }

  async read(id: string): Promise<Drill | undefined> {
    return (await this.#cards.read<Drill>(this.ref(id)))?.value;
  }

  /** @throws AppError `not-found` */
  async get(id: string): Promise<Drill> {
    const drill = await this.read(id);
    if (drill) return drill;
    const text = { key: "error-drill-unknown", args: { drill: id } };
    throw new AppError("not-found", `drill ${id} is not known`, { text });
  }

  /** Changes it. The same object says that nothing is to be done. */
  async update(id: string, urgency: Urgency, now: Date, change: (drill: Drill) => Drill): Promise<Drill> {
    const drill = await this.#cards.update<Drill>(this.ref(id), urgency, now, change);
    if (isOver(drill)) await this.#redis.srem(this.#keys.of("drills-active"), id);
    return drill;
  }

  /** Those that have not ended. */
  async unsettled(): Promise<Drill[]> {
    const all = await this.#readAll(await this.#redis.smembers(this.#keys.of("drills-active")));
    return all.filter((drill) => !isOver(drill));
  }

  /** Newest first. */
  async list(limit: number): Promise<Drill[]> {
    return await this.#readAll(await this.#redis.zrevrange(this.#keys.of("drills"), 0, limit - 1));
  }

  /** Forgets old drills, their cards' state included. */
  async prune(): Promise<void> {
    const key = this.#keys.of("drills");
    for (const id of await this.#redis.zrevrange(key, keepDrills, -1)) {
      const drill = await this.read(id);
      if (drill && !isOver(drill)) continue;
      await this.#cards.remove(this.ref(id));
      await this.#redis.zrem(key, id);
    }
  }

  /** Remembers what a drill has found of a backup, once; the newest results stay. */
  async note(record: DrillRecord): Promise<void> {
    const key = this.#keys.of("drill-results", record.name);
    // Counted, since a wrong clock would make a result the newest for as long as it was ahead.
    const order = await this.#redis.incr(this.#keys.of("drill-results-count"));
    await this.#redis.hset(key, record.drill, JSON.stringify({ ...record, order }));
    const old = (await this.results(record.name)).slice(keepDrills).map(({ drill }) => drill);
    if (old.length > 0) await this.#redis.hdel(key, ...old);
  }

  /** What drills have found of a backup, newest first. */
  async results(name: string): Promise<DrillRecord[]> {
    const all = await this.#redis.hvals(this.#keys.of("drill-results", name));
    const records = all.map((text) => JSON.parse(text) as DrillRecord & { readonly order: number });
    return records
      .toSorted((a, b) => b.order - a.order)
      .map((record) => {
        const { order: _, ...rest } = record;
        return rest;
      });
  }

  async #readAll(ids: readonly string[]): Promise<Drill[]> {
    const all = await Promise.all(ids.map((id) => this.read(id)));
    return all.filter((drill): drill is Drill => drill !== undefined);
  }
}
