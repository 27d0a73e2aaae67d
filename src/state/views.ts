import type { Locale } from "../messages/index.ts";
import type { Keys, Redis } from "./redis.ts";

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
}

/** Kept after their end for so long that a late press still gets its reason. Housekeeping only. */
const keepMs = 7 * 86_400_000;

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
    await this.#redis
      .multi()
      .set(this.#keys.of("view", view.id), JSON.stringify(view), "PX", life)
      .zadd(this.#keys.of("views-open"), view.expiresAt, view.id)
      .exec();
  }

  async read(id: string): Promise<View | undefined> {
    const json = await this.#redis.get(this.#keys.of("view", id));
    return json === null ? undefined : (JSON.parse(json) as View);
  }

  /** Views whose time is over: each is given to one caller, once. */
  async takeOverdue(now: Date): Promise<View[]> {
    const open = this.#keys.of("views-open");
    const ids = await this.#redis.zrangebyscore(open, "-inf", now.getTime(), "LIMIT", 0, 20);
    const overdue: View[] = [];
    for (const id of ids) {
      if ((await this.#redis.zrem(open, id)) === 0) continue;
      const view = await this.read(id);
      if (view) overdue.push(view);
    }
    return overdue;
  }

  /** It has no buttons any more: nothing is to be taken from it when its time is over. */
  async settle(id: string): Promise<void> {
    await this.#redis.zrem(this.#keys.of("views-open"), id);
  }
}
