import type { AuditEntry } from "../core/audit.ts";
import type { Person } from "../core/run.ts";
import type { Text } from "../core/text.ts";
import type { Locale } from "../messages/index.ts";
import { auditLua, entryText } from "./audit.ts";
import { type Keys, type Redis, Script } from "./redis.ts";

/** A person wants to download a backup's files. */
export interface LinkOrder {
  readonly id: string;
  readonly name: string;
  readonly folder: string;
  /** Id of the backup's run. */
  readonly run: string;
  readonly storage: string;
  readonly by: Person;
  readonly locale: Locale;
  /** The person's private chat. */
  readonly chatId: number;
  /** ISO 8601. */
  readonly at: string;
}

/** A file that may be downloaded by whoever has its address. */
export interface LinkedFile {
  readonly file: string;
  readonly bytes?: number;
  readonly url: string;
}

/** What a worker has answered: addresses, or why there are none. */
export type LinkAnswer =
  | {
      readonly files: readonly LinkedFile[];
      /** Files beyond as many as a message names. */
      readonly more: number;
      readonly encrypted: boolean;
      /** When they end to work; ISO 8601. */
      readonly until: string;
    }
  | { readonly error: { readonly message: string; readonly text?: Text } };

/** An answer that no bot has taken is forgotten: it opens the backup to whoever reads it. */
const answerMs = 60_000;
/** A bot that was killed in between leaves an answer to the next one after this time. */
const claimMs = 15_000;

/** KEYS: the orders. ARGV: root, id, order, entry of the audit log. */
const createScript = new Script(`${auditLua}
if redis.call('HSETNX', KEYS[1], ARGV[2], ARGV[3]) == 0 then return 0 end
audit(ARGV[1], ARGV[4])
return 1`);

/** KEYS: the answer. ARGV: root, answer, for how many milliseconds, entry of the audit log. */
const answerScript = new Script(`${auditLua}
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
audit(ARGV[1], ARGV[4])
return 1`);

/** KEYS: the orders, the claim. ARGV: id, for how many milliseconds. */
const claimScript = new Script(`
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
return redis.call('SET', KEYS[2], '1', 'PX', ARGV[2], 'NX') and 1 or 0`);

/** Orders for download links. The addresses are in Redis only between the worker that makes them and the bot that sends them. */
export class Links {
  readonly #redis: Redis;
  readonly #keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Records an order, and in the audit log that it was asked for. False where one of this id is under way. */
  async create(order: LinkOrder): Promise<boolean> {
    const args = [
      this.#keys.root,
      order.id,
      JSON.stringify(order),
      entryText(entryOf(order, "link-ordered", order.at)),
    ];
    return Number(await createScript.run(this.#redis, [this.#keys.of("links")], args)) === 1;
  }

  async read(id: string): Promise<LinkOrder | undefined> {
    const order = await this.#redis.hget(this.#keys.of("links"), id);
    return order === null ? undefined : (JSON.parse(order) as LinkOrder);
  }

  /** Records what a worker has answered, and in the audit log that there is a link now, or none. */
  async answer({ id, ...order }: LinkOrder, answer: LinkAnswer, host: string, now: Date): Promise<void> {
    const isMade = !("error" in answer);
    const entry = {
      ...entryOf({ id, ...order }, isMade ? "link-made" : "link-failed", now.toISOString()),
      host,
      ...(isMade ? { count: answer.files.length } : {}),
    };
    const args = [this.#keys.root, JSON.stringify(answer), answerMs, entryText(entry)];
    await answerScript.run(this.#redis, [this.#keys.of("link", id)], args);
  }

  /** Orders under way, with their answers as far as there are any. */
  async pending(): Promise<{ readonly order: LinkOrder; readonly answer?: LinkAnswer }[]> {
    const orders = Object.values(await this.#redis.hgetall(this.#keys.of("links")));
    return await Promise.all(
      orders.map(async (json) => {
        const order = JSON.parse(json) as LinkOrder;
        const answer = await this.#redis.get(this.#keys.of("link", order.id));
        return { order, ...(answer === null ? {} : { answer: JSON.parse(answer) as LinkAnswer }) };
      }),
    );
  }

  /** True for one bot at a time, and for none when it was delivered meanwhile. */
  async claim(id: string): Promise<boolean> {
    const keys = [this.#keys.of("links"), this.#keys.of("link-claim", id)];
    return Number(await claimScript.run(this.#redis, keys, [id, claimMs])) === 1;
  }

  /** It was delivered, or never will be. */
  async drop(id: string): Promise<void> {
    await this.#redis
      .multi()
      .del(this.#keys.of("link", id))
      .hdel(this.#keys.of("links"), id)
      .del(this.#keys.of("link-claim", id))
      .exec();
  }
}

/** Never the address: it opens the backup. */
function entryOf({ name: target, run, storage, by }: LinkOrder, what: string, at: string): AuditEntry {
  return { at, about: "link", what, id: run, target, by, details: { storage } };
}
