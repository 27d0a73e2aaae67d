import { blocksOthers, isOver, type PowerOrder } from "../core/power.ts";
import type { ServerStatus } from "../core/server.ts";
import type { Cards } from "./cards.ts";
import { type Change, Ledger } from "./ledger.ts";
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

/**
 * Orders about the power of servers; which of them has a server to itself, and which servers are off because somebody
 * wanted it.
 */
export class PowerStates extends Ledger<PowerOrder> {
  constructor(redis: Redis, keys: Keys, cards: Cards) {
    super(redis, keys, cards, {
      card: "power",
      noun: "power order",
      index: "power-orders",
      unsettled: "power-open",
      scope: () => [],
      keep: keepOrders,
      isUnsettled: (order) => !isOver(order),
      unknown: (id) => ({ key: "error-power-unknown", args: { id } }),
    });
  }

  override async update(...how: Change<PowerOrder>): Promise<PowerOrder> {
    const order = await super.update(...how);
    if (!blocksOthers(order)) await releaseScript.run(this.redis, [this.#ofKey()], [order.server, order.id]);
    return order;
  }

  /** The order that a server is busy with; undefined: none. */
  async busyWith(server: string): Promise<PowerOrder | undefined> {
    const id = await this.redis.hget(this.#ofKey(), server);
    const order = id === null ? undefined : await this.read(id);
    return order && blocksOthers(order) ? order : undefined;
  }

  /** Takes the server for this order. Returns the one that has it, if that is another. */
  async claim(server: string, id: string): Promise<PowerOrder | undefined> {
    for (;;) {
      const found = (await this.redis.hget(this.#ofKey(), server)) ?? "";
      if (found !== "" && found !== id) {
        const other = await this.read(found);
        if (other && blocksOthers(other)) return other;
      }
      if (Number(await claimScript.run(this.redis, [this.#ofKey()], [server, id, found])) === 1) return undefined;
    }
  }

  /** It was switched off, or is being: that it is off is no fault until it was on again. */
  async wantOff(server: string, order: string, now: Date): Promise<void> {
    const wish: Wish = { order, at: now.toISOString() };
    await this.redis.hset(this.#wantedKey(), server, JSON.stringify(wish));
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
    return (await this.redis.hexists(this.#wantedKey(), server)) === 1 ? "off" : undefined;
  }

  /** Servers that are expected to be off, and since when. */
  async wishes(): Promise<Map<string, Date>> {
    const all = Object.entries(await this.redis.hgetall(this.#wantedKey()));
    return new Map(all.map(([server, text]) => [server, new Date((JSON.parse(text) as Wish).at)]));
  }

  async #wish(server: string, change: (wish: Wish) => Wish | undefined): Promise<void> {
    for (;;) {
      const text = await this.redis.hget(this.#wantedKey(), server);
      if (text === null) return;
      const wish = JSON.parse(text) as Wish;
      const next = change(wish);
      if (next === wish) return;
      const args = [server, text, next ? JSON.stringify(next) : ""];
      if (Number(await wishScript.run(this.redis, [this.#wantedKey()], args)) === 1) return;
    }
  }

  #ofKey(): string {
    return this.keys.of("power-of");
  }

  #wantedKey(): string {
    return this.keys.of("power-wanted");
  }
}
