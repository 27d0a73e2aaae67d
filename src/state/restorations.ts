import type { AuditEntry } from "../core/audit.ts";
import type { Urgency } from "../core/card.ts";
import { AppError } from "../core/errors.ts";
import { type Manifest, manifestSchema } from "../core/manifest.ts";
import type { Restoration } from "../core/restoration.ts";
import { isOpen } from "../core/restoration-life.ts";
import { isRedisRefusal, redisWrite } from "../lib/resilience.ts";
import type { CardRef, Cards } from "./cards.ts";
import type { Keys, Redis } from "./redis.ts";

/** How many restorations of a name stay known. */
const keepRestorations = 100;

type Change = (restoration: Restoration) => Restoration;
/** What the audit log says of a change, by what it has made. */
export type AuditOf = (restoration: Restoration) => readonly AuditEntry[];

/** Restorations: the entities behind their cards, with an index per name and of those that are not settled. */
export class RestorationStates {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #cards: Cards;

  constructor(redis: Redis, keys: Keys, cards: Cards) {
    this.#redis = redis;
    this.#keys = keys;
    this.#cards = cards;
  }

  ref(id: string): CardRef {
    return { kind: "restoration", id };
  }

  /** Records one, and that it was asked for. False when the id is known already. */
  async create(restoration: Restoration, now: Date, entries: readonly AuditEntry[] = []): Promise<boolean> {
    const { id, name } = restoration;
    // The indexes first: an entry without an entity is passed over, an entity without an entry would be lost.
    await this.#redis.zadd(this.#keys.of("restorations", name), "NX", now.getTime(), id);
    await this.#redis.sadd(this.#openKey(), id);
    return await this.#cards.create(this.ref(id), restoration, "reply", now, entries);
  }

  async read(id: string): Promise<Restoration | undefined> {
    return (await this.#cards.read<Restoration>(this.ref(id)))?.value;
  }

  async get(id: string): Promise<Restoration> {
    const restoration = await this.read(id);
    if (restoration) return restoration;
    const text = { key: "error-restoration-unknown", args: { id } };
    throw new AppError("not-found", `restore ${id} is not known`, { text });
  }

  /** Changes it. With `fence`, refuses (`lease-lost`) when a worker with a newer token has taken it over. */
  async update(
    id: string,
    urgency: Urgency,
    now: Date,
    change: Change,
    fence?: number,
    entries?: AuditOf,
  ): Promise<Restoration> {
    // One that is opened once more is in the index before it is open.
    await this.#redis.sadd(this.#openKey(), id);
    const fenced = (current: Restoration): Restoration => {
      if (fence !== undefined && current.fence > fence)
        throw new AppError("lease-lost", `another worker has taken restore ${id} over`, { permanent: false });
      return change(current);
    };
    const restoration = await this.#cards.update<Restoration>(this.ref(id), urgency, now, fenced, entries);
    if (!isOpen(restoration)) await this.#leave(id);
    return restoration;
  }

  /** As `update`, for what must be on record before the work goes on: tried again for about a minute. */
  async record(...[id, ...how]: Parameters<RestorationStates["update"]>): Promise<Restoration> {
    try {
      return await redisWrite.execute(() => this.update(id, ...how));
    } catch (error) {
      if (!isRedisRefusal(error)) throw error;
      throw unrecorded(id, error);
    }
  }

  /** Those to which something may still happen. */
  async open(): Promise<Restoration[]> {
    const all = await this.#readAll(await this.#redis.smembers(this.#openKey()));
    return all.filter(isOpen);
  }

  /** Newest first. */
  async list(name: string, limit: number): Promise<Restoration[]> {
    return await this.#readAll(await this.#redis.zrevrange(this.#keys.of("restorations", name), 0, limit - 1));
  }

  /** Remembers the manifest: what is taken back may need it when no storage can be reached. */
  async keepManifest(id: string, manifest: Manifest): Promise<void> {
    await this.#redis.set(this.#manifestKey(id), JSON.stringify(manifest));
  }

  async manifest(id: string): Promise<Manifest | undefined> {
    const text = await this.#redis.get(this.#manifestKey(id));
    return text === null ? undefined : manifestSchema.parse(JSON.parse(text));
  }

  /** Forgets what is older than the newest ones of a name, its cards' state included. */
  async prune(name: string): Promise<void> {
    const key = this.#keys.of("restorations", name);
    for (const id of await this.#redis.zrevrange(key, keepRestorations, -1)) {
      const restoration = await this.read(id);
      if (restoration && isOpen(restoration)) continue;
      await this.#cards.remove(this.ref(id));
      await this.#redis.del(this.#manifestKey(id));
      await this.#redis.srem(this.#openKey(), id);
      await this.#redis.zrem(key, id);
    }
  }

  /** Takes it out of the index, unless somebody has opened it once more at this very moment. */
  async #leave(id: string): Promise<void> {
    await this.#redis.srem(this.#openKey(), id);
    const current = await this.read(id);
    if (current && isOpen(current)) await this.#redis.sadd(this.#openKey(), id);
  }

  #openKey(): string {
    return this.#keys.of("restorations-open");
  }

  #manifestKey(id: string): string {
    return this.#keys.of("restoration-manifest", id);
  }

  async #readAll(ids: readonly string[]): Promise<Restoration[]> {
    const all = await Promise.all(ids.map((id) => this.read(id)));
    return all.filter((restoration): restoration is Restoration => restoration !== undefined);
  }
}

function unrecorded(id: string, cause: Error): AppError {
  const text = { key: "error-restoration-record", args: { id, reason: cause.message } };
  const message = `restore ${id} could not be recorded: ${cause.message}`;
  return new AppError("redis", message, { permanent: false, text, cause });
}
