import { isAhead } from "../core/ahead.ts";
import type { Keys, Redis } from "./redis.ts";

/** Something that the watch has found to be wrong, as it was reported. */
export interface OpenFinding<T> {
  readonly finding: T;
  /** Since when it is so; ISO 8601. */
  readonly since: string;
}

/** Since when somebody has been watching, and when they looked last. */
export interface Watching {
  readonly awakeSince: Date;
  readonly lookedAt: Date;
}

/**
 * What the watch over ourselves remembers, so that any process can go on with it: what it has reported, when it saw
 * whom for the last time, since when it has been awake.
 */
export class WatchState {
  readonly #redis: Redis;
  readonly #keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** What a check has reported as wrong and not yet as well again, by fingerprint. */
  async open<T>(check: string): Promise<ReadonlyMap<string, OpenFinding<T>>> {
    const all = await this.#redis.hgetall(this.#keys.of("watch-open", check));
    return new Map(Object.entries(all).map(([fingerprint, json]) => [fingerprint, JSON.parse(json) as OpenFinding<T>]));
  }

  async remember<T>(check: string, fingerprint: string, found: OpenFinding<T>): Promise<void> {
    await this.#redis.hset(this.#keys.of("watch-open", check), fingerprint, JSON.stringify(found));
  }

  async forget(check: string, fingerprint: string): Promise<void> {
    await this.#redis.hdel(this.#keys.of("watch-open", check), fingerprint);
  }

  /**
   * Records a look at `now` and tells since when the watch has been awake: after more than `gapMs` without a look, or
   * a clock that was set back, it has just woken up, and what it saw before says nothing.
   */
  async look(watch: string, gapMs: number, now: Date): Promise<Watching> {
    const key = this.#keys.of("watch-looks");
    const known = await this.#redis.hget(key, watch);
    const [since = 0, last = 0] = (known ?? "").split(" ").map(Number);
    const away = now.getTime() - last;
    const awakeSince = known === null || away > gapMs || away < 0 ? now.getTime() : since;
    await this.#redis.hset(key, watch, `${awakeSince} ${now.getTime()}`);
    return { awakeSince: new Date(awakeSince), lookedAt: now };
  }

  /** Since when a watch has been awake, and when it looked last; undefined: never. */
  async watching(watch: string): Promise<Watching | undefined> {
    const known = await this.#redis.hget(this.#keys.of("watch-looks"), watch);
    if (known === null) return undefined;
    const [since = 0, last = 0] = known.split(" ").map(Number);
    return { awakeSince: new Date(since), lookedAt: new Date(last) };
  }

  /** When a watch looked last; undefined: never. */
  async lookedAt(watch: string): Promise<Date | undefined> {
    return (await this.watching(watch))?.lookedAt;
  }

  /** Remembers that somebody was seen alive at `at`. */
  async see(who: string, at: Date): Promise<void> {
    await this.#redis.hset(this.#keys.of("watch-seen"), who, at.getTime());
  }

  /** When somebody was seen alive the last time; 1970 when never. */
  async seen(who: string): Promise<Date> {
    return new Date(Number((await this.#redis.hget(this.#keys.of("watch-seen"), who)) ?? 0));
  }

  /**
   * Since when something has been said in just this way: the first time that `value` is told for `name`, and from then
   * on as long as it stays the same.
   */
  async unchangedSince(name: string, value: string, now: Date): Promise<Date> {
    const key = this.#keys.of("watch-unchanged");
    const [at, ...known] = ((await this.#redis.hget(key, name)) ?? "").split(" ");
    const since = new Date(Number(at));
    // What a wrong clock has told begins when it is told again.
    if (known.join(" ") === value && !isAhead(since, now)) return since;
    await this.#redis.hset(key, name, `${now.getTime()} ${value}`);
    return now;
  }

  /** Counts what has failed in a row; null counts from nothing again. Returns how many there are now. */
  async count(what: string, by: 1 | null): Promise<number> {
    const key = this.#keys.of("watch-counts");
    if (by !== null) return await this.#redis.hincrby(key, what, by);
    await this.#redis.hdel(key, what);
    return 0;
  }

  async counted(what: string): Promise<number> {
    return Number((await this.#redis.hget(this.#keys.of("watch-counts"), what)) ?? 0);
  }
}
