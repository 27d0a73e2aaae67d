import type { Urgency } from "../core/card.ts";
import { AppError } from "../core/errors.ts";
import type { Depth } from "../core/proof.ts";
import {
  isOver,
  type LastLook,
  needsVerifier,
  type RestoreTime,
  type Suspicion,
  type Verification,
} from "../core/verification.ts";
import { isRedisRefusal, redisWrite } from "../lib/resilience.ts";
import type { CardRef, Cards } from "./cards.ts";
import type { Keys, Redis } from "./redis.ts";

/** How many verifications of a name stay known. */
const keepVerifications = 100;
/** How many measured restores of a name are kept. */
const keepRestores = 20;

/**
 * Verifications: the entities behind their cards, with an index per name and of those that a worker has to work on;
 * and what came of them: copies under suspicion, how long restores took, the newest looks.
 */
export class Verifications {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #cards: Cards;

  constructor(redis: Redis, keys: Keys, cards: Cards) {
    this.#redis = redis;
    this.#keys = keys;
    this.#cards = cards;
  }

  ref(id: string): CardRef {
    return { kind: "verify", id };
  }

  /** Records a verification. False when the id is known already. */
  async create(verification: Verification, now: Date): Promise<boolean> {
    // The indexes first: an entry without an entity is passed over, an entity without an entry would be lost.
    await this.#redis.zadd(this.#keys.of("verifications", verification.name), "NX", now.getTime(), verification.id);
    await this.#redis.sadd(this.#keys.of("verifications-active"), verification.id);
    return await this.#cards.create(this.ref(verification.id), verification, "reply", now);
  }

  async read(id: string): Promise<Verification | undefined> {
    return (await this.#cards.read<Verification>(this.ref(id)))?.value;
  }

  async get(id: string): Promise<Verification> {
    const verification = await this.read(id);
    if (verification) return verification;
    const text = { key: "error-verification-unknown", args: { verification: id } };
    throw new AppError("not-found", `verification ${id} is not known`, { text });
  }

  /** Changes it. With `fence`, refuses (`lease-lost`) when a worker with a newer token has taken it over. */
  async update(
    id: string,
    urgency: Urgency,
    now: Date,
    change: (verification: Verification) => Verification,
    fence?: number,
  ): Promise<Verification> {
    const verification = await this.#cards.update<Verification>(this.ref(id), urgency, now, (current) => {
      if (fence !== undefined && current.fence > fence)
        throw new AppError("lease-lost", `another worker has taken verification ${id} over`, { permanent: false });
      return change(current);
    });
    if (!needsVerifier(verification)) await this.#redis.srem(this.#keys.of("verifications-active"), id);
    return verification;
  }

  /** As `update`, for what must be on record before the work goes on: tried again for about a minute. */
  async record(...[id, ...how]: Parameters<Verifications["update"]>): Promise<Verification> {
    try {
      return await redisWrite.execute(() => this.update(id, ...how));
    } catch (error) {
      if (!isRedisRefusal(error)) throw error;
      throw unrecorded(id, error);
    }
  }

  /** Those for which a worker has something to do. */
  async unsettled(): Promise<Verification[]> {
    const ids = await this.#redis.smembers(this.#keys.of("verifications-active"));
    return (await this.#readAll(ids)).filter(needsVerifier);
  }

  /** Newest first. */
  async list(name: string, limit: number): Promise<Verification[]> {
    return await this.#readAll(await this.#redis.zrevrange(this.#keys.of("verifications", name), 0, limit - 1));
  }

  /** Forgets what is older than the newest ones of a name, its cards' state included. */
  async prune(name: string): Promise<void> {
    const key = this.#keys.of("verifications", name);
    for (const id of await this.#redis.zrevrange(key, keepVerifications, -1)) {
      const verification = await this.read(id);
      if (verification && (!isOver(verification) || needsVerifier(verification))) continue;
      await this.#cards.remove(this.ref(id));
      await this.#redis.zrem(key, id);
    }
  }

  /** Copies that a look has spoken against, and names whose newest look could not be made. */
  async suspicions(): Promise<Suspicion[]> {
    const all = await this.#redis.hvals(this.#keys.of("suspicions"));
    return all.map((text) => JSON.parse(text) as Suspicion);
  }

  async suspect(suspicion: Suspicion): Promise<void> {
    await this.#redis.hset(this.#keys.of("suspicions"), fieldOf(suspicion), JSON.stringify(suspicion));
  }

  async clear(suspicion: Suspicion): Promise<void> {
    await this.#redis.hdel(this.#keys.of("suspicions"), fieldOf(suspicion));
  }

  /** Remembers a measured restore; the newest ones stay. */
  async addRestore(name: string, time: RestoreTime): Promise<void> {
    const key = this.#keys.of("restore-times", name);
    await this.#redis.lpush(key, JSON.stringify(time));
    await this.#redis.ltrim(key, 0, keepRestores - 1);
  }

  /** How long test-restores of a name took, newest first. */
  async restores(name: string): Promise<RestoreTime[]> {
    const all = await this.#redis.lrange(this.#keys.of("restore-times", name), 0, keepRestores - 1);
    return all.map((text) => JSON.parse(text) as RestoreTime);
  }

  async noteLook(look: LastLook): Promise<void> {
    await this.#redis.hset(this.#keys.of("last-looks"), lookField(look), JSON.stringify(look));
  }

  /** The newest look of each name, storage and depth. */
  async lastLooks(): Promise<LastLook[]> {
    return (await this.#redis.hvals(this.#keys.of("last-looks"))).map((text) => JSON.parse(text) as LastLook);
  }

  async #readAll(ids: readonly string[]): Promise<Verification[]> {
    const all = await Promise.all(ids.map((id) => this.read(id)));
    return all.filter((verification): verification is Verification => verification !== undefined);
  }
}

function unrecorded(id: string, cause: Error): AppError {
  const text = { key: "error-verification-record", args: { verification: id, reason: cause.message } };
  const message = `verification ${id} could not be recorded: ${cause.message}`;
  return new AppError("redis", message, { permanent: false, text, cause });
}

/** One per copy where the copy did not hold; one per name and storage where nobody could tell. */
function fieldOf({ proven, name, storage, folder }: Suspicion): string {
  return proven ? `copy ${storage} ${folder}` : `name ${storage} ${name}`;
}

function lookField({ name, storage, depth }: { name: string; storage: string; depth: Depth }): string {
  return `${name} ${storage} ${depth}`;
}
