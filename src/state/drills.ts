import { type Drill, type DrillRecord, isOver, keepDrills } from "../core/drill.ts";
import type { Cards } from "./cards.ts";
import { Ledger } from "./ledger.ts";
import type { Keys, Redis } from "./redis.ts";

/** Drills, and the newest results of every backup. */
export class Drills extends Ledger<Drill> {
  constructor(redis: Redis, keys: Keys, cards: Cards) {
    super(redis, keys, cards, {
      card: "drill",
      noun: "drill",
      index: "drills",
      unsettled: "drills-active",
      scope: () => [],
      keep: keepDrills,
      isUnsettled: (drill) => !isOver(drill),
      unknown: (id) => ({ key: "error-drill-unknown", args: { drill: id } }),
    });
  }

  /** Remembers what a drill has found of a backup, once; the newest results stay. */
  async note(record: DrillRecord): Promise<void> {
    const key = this.keys.of("drill-results", record.name);
    // Counted, since a wrong clock would make a result the newest for as long as it was ahead.
    const order = await this.redis.incr(this.keys.of("drill-results-count"));
    await this.redis.hset(key, record.drill, JSON.stringify({ ...record, order }));
    const old = (await this.results(record.name)).slice(keepDrills).map(({ drill }) => drill);
    if (old.length > 0) await this.redis.hdel(key, ...old);
  }

  /** What drills have found of a backup, newest first. */
  async results(name: string): Promise<DrillRecord[]> {
    const all = await this.redis.hvals(this.keys.of("drill-results", name));
    const records = all.map((text) => JSON.parse(text) as DrillRecord & { readonly order: number });
    return records
      .toSorted((a, b) => b.order - a.order)
      .map((record) => {
        const { order: _, ...rest } = record;
        return rest;
      });
  }
}
