import { randomBytes } from "node:crypto";
import type { Locale } from "../messages/index.ts";
import { type Keys, type Redis, Script } from "./redis.ts";

/** A view in a chat: what a command was answered with, whose buttons page through it. Plain data. */
export interface View {
  readonly id: string;
  /** "alerts" */
  readonly kind: string;
  /** The kind's own: which filter, which page. */
  readonly state: object;
  readonly chatId: number;
  readonly messageId?: number;
  /** Who has opened it. */
  readonly userId: number;
  readonly userName: string;
  readonly locale: Locale;
  /** Absolute, milliseconds since 1970. */
  readonly expiresAt: number;
  /** Stands for what it shows and may change without a press; undefined: nothing of it does. */
  readonly pulse?: string;
}

/** Kept after their end for so long that a late press still gets its reason. Housekeeping only. */
const keepMs = 7 * 86_400_000;

/** Of those that may change by themselves so many are looked at, those pressed last. */
const mostWatched = 50;

/** Longer than an edit may have to wait; a bot that is killed meanwhile leaves it to another one then. Milliseconds. */
const claimMs = 150_000;

/** After a change could not be shown nobody tries it again for so long; milliseconds. */
const restMs = 30_000;

/** KEYS: the view. ARGV: how it was, how it is to be. A view that was pressed meanwhile stays as the press left it. */
const replaceScript = new Script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
return 1`);

/** KEYS: the claim. ARGV: its token, for how many milliseconds it stays. Another one's claim is left alone. */
const endClaimScript = new Script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`);

/** Views under way. Each is one small key that goes by itself. */
export class Views {
  readonly #redis: Redis;
  readonly #keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async save(view: View, now: Date): Promise<void> {
    const life = Math.max(0, view.expiresAt - now.getTime()) + keepMs;
    const saved = this.#redis
      .multi()
      .set(this.#key(view.id), JSON.stringify(view), "PX", life)
      .zadd(this.#keys.of("views-open"), view.expiresAt, view.id);
    const watched = this.#keys.of("views-watched");
    if (view.pulse === undefined) saved.zrem(watched, view.id);
    else saved.zadd(watched, now.getTime(), view.id).zremrangebyrank(watched, 0, -mostWatched - 1);
    await saved.exec();
  }

  /** Views with a pulse, those pressed last first. */
  async watched(): Promise<View[]> {
    const ids = await this.#redis.zrevrange(this.#keys.of("views-watched"), 0, mostWatched - 1);
    if (ids.length === 0) return [];
    const views = await this.#redis.mget(ids.map((id) => this.#key(id)));
    return views.flatMap((json) => (json === null ? [] : [JSON.parse(json) as View]));
  }

  /** A token for the one caller who may show a change now; it says when it has (`release`) or could not (`rest`). */
  async claim(id: string): Promise<string | undefined> {
    const token = randomBytes(9).toString("base64url");
    return (await this.#redis.set(this.#claim(id), token, "PX", claimMs, "NX")) === null ? undefined : token;
  }

  async release(id: string, token: string): Promise<void> {
    await endClaimScript.run(this.#redis, [this.#claim(id)], [token, 0]);
  }

  /** As `release`, about half a minute from now. */
  async rest(id: string, token: string): Promise<void> {
    await endClaimScript.run(this.#redis, [this.#claim(id)], [token, restMs]);
  }

  /** Gives a view another pulse; undefined: leaves it the one it has, if any. False: it is no longer as it was. */
  async setPulse(view: View, pulse: string | undefined): Promise<boolean> {
    const args = [JSON.stringify(view), JSON.stringify(pulse === undefined ? view : { ...view, pulse })];
    return Number(await replaceScript.run(this.#redis, [this.#key(view.id)], args)) === 1;
  }

  async read(id: string): Promise<View | undefined> {
    const json = await this.#redis.get(this.#key(id));
    return json === null ? undefined : (JSON.parse(json) as View);
  }

  /** Views whose time is over: each is given to one caller, once. */
  async takeOverdue(now: Date): Promise<View[]> {
    const open = this.#keys.of("views-open");
    const ids = await this.#redis.zrangebyscore(open, "-inf", now.getTime(), "LIMIT", 0, 20);
    const overdue: View[] = [];
    for (const id of ids) {
      if ((await this.#redis.zrem(open, id)) === 0) continue;
      await this.#redis.zrem(this.#keys.of("views-watched"), id);
      const view = await this.read(id);
      if (view) overdue.push(view);
    }
    return overdue;
  }

  /** Its buttons may have been shown after they were taken: it is given to a caller of `takeOverdue` once more. */
  async expireAgain({ id, expiresAt }: View): Promise<void> {
    await this.#redis.zadd(this.#keys.of("views-open"), expiresAt, id);
  }

  /** It has no buttons any more, or is gone: nothing is to be done to it. */
  async settle(id: string): Promise<void> {
    await this.#redis.zrem(this.#keys.of("views-open"), id);
    await this.#redis.zrem(this.#keys.of("views-watched"), id);
  }

  #key(id: string): string {
    return this.#keys.of("view", id);
  }

  #claim(id: string): string {
    return this.#keys.of("view-claim", id);
  }
}
