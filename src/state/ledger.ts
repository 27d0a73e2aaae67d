import type { AuditEntry } from "../core/audit.ts";
import type { Urgency } from "../core/card.ts";
import { AppError } from "../core/errors.ts";
import type { Text } from "../core/text.ts";
import { isRedisRefusal, redisWrite } from "../lib/resilience.ts";
import type { CardRef } from "./card-ref.ts";
import type { Cards } from "./cards.ts";
import type { Keys, Redis } from "./redis.ts";

/** What stands in a ledger. */
interface Entry {
  readonly id: string;
  /** The token of the worker that has it. */
  readonly fence?: number;
}

/** What distinguishes one ledger from another. `Scope`: see `scope`. */
interface Kind<T, Scope extends readonly string[]> {
  /** The kind of the cards behind which its entries stand. */
  readonly card: string;
  /** What one of them is called in logs. */
  readonly noun: string;
  /** Key of the index of all by time, and of the one of those that are not settled. */
  readonly index: string;
  readonly unsettled: string;
  /** There is an index of all for each of these, that of an entry behind the key: say, one for each backup. */
  readonly scope: (entry: T) => Scope;
  /** How many stay known in an index; older ones are forgotten once they are settled. */
  readonly keep: number;
  /** Something may still happen to it, or is still to be done for it. */
  readonly isUnsettled: (entry: T) => boolean;
  readonly unknown: (id: string) => Text;
  /** Says that Redis refuses a write; without it the refusal speaks for itself. */
  readonly unrecorded?: (id: string, reason: string) => Text;
}

/**
 * A change: to which entry, how urgently its cards show it, when, and by which function, that returns the same object
 * to say that nothing is to be done. With `fence` it is refused (`lease-lost`) when a worker with a newer token has
 * taken the entry over; `entries` is what the audit log says of what the change has made.
 */
export type Change<T> = [
  id: string,
  urgency: Urgency | ((entry: T) => Urgency),
  now: Date,
  change: (entry: T) => T,
  fence?: number | undefined,
  entries?: ((entry: T) => readonly AuditEntry[]) | undefined,
];

/**
 * Work that was ordered: the entities behind the cards of one kind, with an index of all by time and one of those that
 * are not settled.
 */
export class Ledger<T extends Entry, Scope extends readonly string[] = readonly []> {
  protected readonly redis: Redis;
  protected readonly keys: Keys;
  protected readonly cards: Cards;
  protected readonly unsettledKey: string;
  readonly #kind: Kind<T, Scope>;

  protected constructor(redis: Redis, keys: Keys, cards: Cards, kind: Kind<T, Scope>) {
    this.redis = redis;
    this.keys = keys;
    this.cards = cards;
    this.unsettledKey = keys.of(kind.unsettled);
    this.#kind = kind;
  }

  ref(id: string): CardRef {
    return { kind: this.#kind.card, id };
  }

  /** Records one, and what the audit log says of that. False when the id is known already: an order is carried out once. */
  async create(entry: T, now: Date, entries: readonly AuditEntry[] = []): Promise<boolean> {
    // The indexes first: an id without an entity is passed over, an entity without its id would be lost.
    await this.redis.zadd(this.indexKey(...this.#kind.scope(entry)), "NX", now.getTime(), entry.id);
    await this.redis.sadd(this.unsettledKey, entry.id);
    return await this.cards.create(this.ref(entry.id), entry, "reply", now, entries);
  }

  async read(id: string): Promise<T | undefined> {
    return (await this.cards.read<T>(this.ref(id)))?.value;
  }

  /** As `read`, for where it must exist. @throws AppError `not-found` */
  async get(id: string): Promise<T> {
    const entry = await this.read(id);
    if (entry) return entry;
    const { noun, unknown } = this.#kind;
    throw new AppError("not-found", `${noun} ${id} is not known`, { text: unknown(id) });
  }

  /** Changes one. Returns what is in force. @throws AppError `not-found`, `lease-lost` */
  async update(...[id, urgency, now, change, fence, entries]: Change<T>): Promise<T> {
    const { noun, isUnsettled } = this.#kind;
    const fenced = (current: T): T => {
      if (fence !== undefined && current.fence !== undefined && current.fence > fence)
        throw new AppError("lease-lost", `another worker has taken ${noun} ${id} over`, { permanent: false });
      return change(current);
    };
    const entry = await this.cards.update<T>(this.ref(id), urgency, now, fenced, entries);
    if (!isUnsettled(entry)) await this.redis.srem(this.unsettledKey, id);
    return entry;
  }

  /**
   * As `update`, for what must be on record before the work goes on: a write that Redis refuses is repeated for about a
   * minute, then it fails with `redis`. The change may be applied again to what it has made.
   */
  async record(...how: Change<T>): Promise<T> {
    try {
      return await redisWrite.execute(() => this.update(...how));
    } catch (error) {
      const { noun, unrecorded } = this.#kind;
      if (!unrecorded || !isRedisRefusal(error)) throw error;
      const [id] = how;
      throw refused(`${noun} ${id}`, unrecorded(id, error.message), error);
    }
  }

  /** Those that are not settled. */
  async unsettled(): Promise<T[]> {
    return (await this.readAll(await this.redis.smembers(this.unsettledKey))).filter(this.#kind.isUnsettled);
  }

  /** Newest first. */
  async list(...how: [...scope: Scope, limit: number]): Promise<T[]> {
    const key = this.indexKey(...how.slice(0, -1).map(String));
    return await this.readAll(await this.redis.zrevrange(key, 0, Number(how.at(-1)) - 1));
  }

  /** Forgets what is older than the newest ones and settled. Returns how many those were. */
  async prune(...scope: Scope): Promise<number> {
    let count = 0;
    for (const id of await this.beyond(...scope)) {
      const entry = await this.read(id);
      if (entry && this.#kind.isUnsettled(entry)) continue;
      await this.forget(id, ...scope);
      count += 1;
    }
    return count;
  }

  protected indexKey(...scope: readonly string[]): string {
    return this.keys.of(this.#kind.index, ...scope);
  }

  protected async readAll(ids: readonly string[]): Promise<T[]> {
    const all = await Promise.all(ids.map(async (id) => await this.read(id)));
    return all.filter((entry) => entry !== undefined);
  }

  /** Those that are older than the newest ones. */
  protected async beyond(...scope: Scope): Promise<string[]> {
    return await this.redis.zrevrange(this.indexKey(...scope), this.#kind.keep, -1);
  }

  /** Forgets one, the state of its cards included; it leaves the index of all last, so that a kill leaves nothing. */
  protected async forget(id: string, ...scope: Scope): Promise<void> {
    await this.cards.remove(this.ref(id));
    await this.redis.srem(this.unsettledKey, id);
    await this.redis.zrem(this.indexKey(...scope), id);
  }
}

function refused(what: string, text: Text, cause: Error): AppError {
  const message = `${what} could not be recorded: ${cause.message}`;
  return new AppError("redis", message, { permanent: false, text, cause });
}
