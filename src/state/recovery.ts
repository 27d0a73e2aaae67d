import type { Unresponsive } from "../core/recovery.ts";
import type { Text } from "../core/text.ts";
import { type Keys, type Redis, Script } from "./redis.ts";

/** What recovery is doing: about one server at a time, over all of them. */
export interface RecoveryTurn {
  readonly server: string;
  /** What makes the order unique. */
  readonly source: string;
  /** Id of the order; it may not have been made yet. */
  readonly order: string;
  readonly why: readonly Text[];
  readonly standing: boolean;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/**
 * Takes the turn, for one of those who try it at once.
 * KEYS recovery-turn, recovery-last; ARGV the turn as it was found ('': none), the new one, server, when it was acted on
 * last as found ('': never), now. Returns 1; 0: somebody was faster.
 */
const takeScript = new Script(`
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
if (redis.call('HGET', KEYS[2], ARGV[3]) or '') ~= ARGV[4] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[3], ARGV[5])
return 1`);

/** Which servers do not answer and since when, when each was acted on last, and which one has the turn. */
export class RecoveryStates {
  readonly #redis: Redis;
  readonly #turnKey: string;
  readonly #lastKey: string;
  readonly #unresponsiveKey: string;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#turnKey = keys.of("recovery-turn");
    this.#lastKey = keys.of("recovery-last");
    this.#unresponsiveKey = keys.of("recovery-unresponsive");
  }

  async turn(): Promise<RecoveryTurn | undefined> {
    const text = await this.#redis.get(this.#turnKey);
    return text === null ? undefined : (JSON.parse(text) as RecoveryTurn);
  }

  /** When it was acted on last; milliseconds since 1970. */
  async last(server: string): Promise<number | undefined> {
    const text = await this.#redis.hget(this.#lastKey, server);
    return text === null ? undefined : Number(text);
  }

  /** Takes the turn from the one that was found. False: somebody was faster. */
  async take(turn: RecoveryTurn, found: RecoveryTurn | undefined, last: number | undefined): Promise<boolean> {
    const args = [found ? JSON.stringify(found) : "", JSON.stringify(turn), turn.server, last ?? "", turn.at];
    return Number(await takeScript.run(this.#redis, [this.#turnKey, this.#lastKey], args)) === 1;
  }

  async unresponsive(): Promise<Map<string, Unresponsive>> {
    const all = Object.entries(await this.#redis.hgetall(this.#unresponsiveKey));
    return new Map(all.map(([server, text]) => [server, JSON.parse(text) as Unresponsive]));
  }

  /** Those that do not answer now, in the place of those before. */
  async remember(unresponsive: ReadonlyMap<string, Unresponsive>, before: Iterable<string>): Promise<void> {
    const over = [...before].filter((server) => !unresponsive.has(server));
    if (over.length > 0) await this.#redis.hdel(this.#unresponsiveKey, ...over);
    const entries = [...unresponsive].flatMap(([server, one]) => [server, JSON.stringify(one)]);
    if (entries.length > 0) await this.#redis.hset(this.#unresponsiveKey, ...entries);
  }

  /** Forgets servers that are not configured any more. */
  async retain(servers: ReadonlySet<string>): Promise<void> {
    const gone = (await this.#redis.hkeys(this.#lastKey)).filter((server) => !servers.has(server));
    if (gone.length > 0) await this.#redis.hdel(this.#lastKey, ...gone);
  }
}
