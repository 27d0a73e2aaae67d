import type { AuditEntry } from "../core/audit.ts";
import type { Urgency } from "../core/card.ts";
import { AppError } from "../core/errors.ts";
import { blocksOthers, isOver, type PowerOrder } from "../core/power.ts";
import type { ServerStatus } from "../core/server.ts";
import { redisWrite } from "../lib/resilience.ts";
import type { CardRef, Cards } from "./cards.ts";
import { type Keys, type Redis, Script } from "./redis.ts";

/** How many orders stay known, whatever their server. */
const keepOrders = 500;
/** Of what was wanted of a server so long ago and never came true nothing follows any more; milliseconds. */
const unseenWishMs = 3_600_000;
/** A poll's word may be so old: that of its list, and the time that its look took; milliseconds. */
const pollLagMs = 3 * 60_000;

/**
 * Takes a server for one order: for as long as that has not ended, or another one may go before it.
 * KEYS power-of; ARGV server, id, the id that was found there ('': none). Returns 1, or 0 when it has changed meanwhile.
 */
const claimScript = new Script(`
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1`);

/** KEYS power-of; ARGV server, id. */
const releaseScript = new Script(`
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then return redis.call('HDEL', KEYS[1], ARGV[1]) end
return 0`);

/**
 * Changes what is wanted of a server's power, unless somebody was faster.
 * KEYS power-wanted; ARGV server, what was found there (JSON, '': nothing), what is wanted now ('': nothing).
 */
const wishScript = new Script(`
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], ARGV[1]) else redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end
return 1`);

/** That a server is to be off, since Vakhta has switched it off. */
interface Wish {
  readonly order: string;
  readonly at: string;
  /** When it was first seen off since. */
  readonly seenOff?: string;
}

type Change = (order: PowerOrder) => PowerOrder;
/** What the audit log says of a change, by what it has made. */
export type PowerAudit = (order: PowerOrder) => readonly AuditEntry[];

/**
 * Orders about the power of servers: the entities behind their cards, those that have not ended, which of them has a
 * server to itself, and which servers are off because somebody wanted it.
 */
export class PowerStates {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #cards: Cards;

  constructor(redis: Redis, keys: Keys, cards: Cards) {
    this.#redis = redis;
    this.#keys = keys;
    this.#cards = cards;
  }

  ref(id: string): CardRef {
    return { kind: "power", id };
  }

  /** Records one, and that it was asked for. False when the id is known already. */
  async create(order: PowerOrder, now: Date, entries: readonly AuditEntry[] = []): Promise<boolean> {
    // The indexes first: an entry without an entity is passed over, an entity without an entry would be lost.
    await this.#redis.zadd(this.#keys.of("power-orders"), "NX", now.getTime(), order.id);
    await this.#redis.sadd(this.#openKey(), order.id);
    return await this.#cards.create(this.ref(order.id), order, "reply", now, entries);
  }

  async read(id: string): Promise<PowerOrder | undefined> {
    return (await this.#cards.read<PowerOrder>(this.ref(id)))?.value;
  }

  /** @throws AppError `not-found` */
  async get(id: string): Promise<PowerOrder> {
    const order = await this.read(id);
    if (order) return order;
    const text = { key: "error-power-unknown", args: { id } };
    throw new AppError("not-found", `power order ${id} is not known`, { text });
  }

  /** Changes it; the same object for no change. With `fence`, refuses (`lease-lost`) when a newer worker has it. */
  async update(
    id: string,
    urgency: Urgency | ((order: PowerOrder) => Urgency),
    now: Date,
    change: Change,
    options: { readonly fence?: number; readonly entries?: PowerAudit } = {},
  ): Promise<PowerOrder> {
    const { fence, entries } = options;
    const fenced = (current: PowerOrder): PowerOrder => {
      if (fence !== undefined && current.fence > fence)
        throw new AppError("lease-lost", `another worker has taken power order ${id} over`, { permanent: false });
      return change(current);
    };
    const order = await this.#cards.update<PowerOrder>(this.ref(id), urgency, now, fenced, entries);
    if (!blocksOthers(order)) await releaseScript.run(this.#redis, [this.#ofKey()], [order.server, id]);
    if (isOver(order)) await this.#redis.srem(this.#openKey(), id);
    return order;
  }

  /** As `update`, for what must be on record before the work goes on: tried again for about a minute. */
  async record(...how: Parameters<PowerStates["update"]>): Promise<PowerOrder> {
    return await redisWrite.execute(() => this.update(...how));
  }

  /** Those to which something may still happen. */
  async open(): Promise<PowerOrder[]> {
    const all = await this.#readAll(await this.#redis.smembers(this.#openKey()));
    return all.filter((order) => !isOver(order));
  }

  /** Newest first. */
  async list(limit: number): Promise<PowerOrder[]> {
    return await this.#readAll(await this.#redis.zrevrange(this.#keys.of("power-orders"), 0, limit - 1));
  }

  /** Forgets the oldest ones, their cards' state included. */
  async prune(): Promise<void> {
    const key = this.#keys.of("power-orders");
    for (const id of await this.#redis.zrevrange(key, keepOrders, -1)) {
      const order = await this.read(id);
      if (order && !isOver(order)) continue;
      await this.#cards.remove(this.ref(id));
      await this.#redis.srem(this.#openKey(), id);
      await this.#redis.zrem(key, id);
    }
  }

  /** The order that a server is busy with; undefined: none. */
  async busyWith(server: string): Promise<PowerOrder | undefined> {
    const id = await this.#redis.hget(this.#ofKey(), server);
    const order = id === null ? undefined : await this.read(id);
    return order && blocksOthers(order) ? order : undefined;
  }

  /** Takes the server for this order. Returns the one that has it, if that is another. */
  async claim(server: string, id: string): Promise<PowerOrder | undefined> {
    for (;;) {
      const found = (await this.#redis.hget(this.#ofKey(), server)) ?? "";
      if (found !== "" && found !== id) {
        const other = await this.read(found);
        if (other && blocksOthers(other)) return other;
      }
      if (Number(await claimScript.run(this.#redis, [this.#ofKey()], [server, id, found])) === 1) return undefined;
    }
  }

  /** It was switched off, or is being: that it is off is no fault until it was on again. */
  async wantOff(server: string, order: string, now: Date): Promise<void> {
    const wish: Wish = { order, at: now.toISOString() };
    await this.#redis.hset(this.#wantedKey(), server, JSON.stringify(wish));
  }

  /** It was started, or its shutdown has come to nothing. `order`: only what this one has wished. */
  async wantNothing(server: string, order?: string): Promise<void> {
    await this.#wish(server, (wish) => (order === undefined || wish.order === order ? undefined : wish));
  }

  /**
   * How it was seen: one that is on after it was off is wanted to be on, whoever has started it. Not at once: what a poll
   * says of it may be of a list that was read before it went off.
   */
  async seen(server: string, status: ServerStatus, now: Date): Promise<void> {
    await this.#wish(server, (wish) => {
      if (status === "off") return wish.seenOff ? wish : { ...wish, seenOff: now.toISOString() };
      if (status !== "on") return wish;
      // Also when the clock was set back.
      const passed = Math.abs(now.getTime() - Date.parse(wish.seenOff ?? wish.at));
      return passed > (wish.seenOff ? pollLagMs : unseenWishMs) ? undefined : wish;
    });
  }

  /** What a server is expected to be because of an order of ours. */
  async expected(server: string): Promise<"off" | undefined> {
    return (await this.#redis.hexists(this.#wantedKey(), server)) === 1 ? "off" : undefined;
  }

  /** Servers that are expected to be off, and since when. */
  async wishes(): Promise<Map<string, Date>> {
    const all = Object.entries(await this.#redis.hgetall(this.#wantedKey()));
    return new Map(all.map(([server, text]) => [server, new Date((JSON.parse(text) as Wish).at)]));
  }

  async #wish(server: string, change: (wish: Wish) => Wish | undefined): Promise<void> {
    for (;;) {
      const text = await this.#redis.hget(this.#wantedKey(), server);
      if (text === null) return;
      const wish = JSON.parse(text) as Wish;
      const next = change(wish);
      if (next === wish) return;
      const args = [server, text, next ? JSON.stringify(next) : ""];
      if (Number(await wishScript.run(this.#redis, [this.#wantedKey()], args)) === 1) return;
    }
  }

  #openKey(): string {
    return this.#keys.of("power-open");
  }

  #ofKey(): string {
    return this.#keys.of("power-of");
  }

  #wantedKey(): string {
    return this.#keys.of("power-wanted");
  }

  async #readAll(ids: readonly string[]): Promise<PowerOrder[]> {
    const all = await Promise.all(ids.map((id) => this.read(id)));
    return all.filter((order): order is PowerOrder => order !== undefined);
  }
}
