import type { AuditEntry } from "../core/audit.ts";
import { formatMatcher } from "../core/matchers.ts";
import type { Person } from "../core/run.ts";
import type { Silence } from "../core/silence.ts";
import { auditLua, entryText } from "./audit.ts";
import { type Keys, type Redis, Script } from "./redis.ts";

/** A silence that is over is remembered so long, for the list; milliseconds. */
const rememberMs = 7 * 86_400_000;

/** KEYS: the silences. ARGV: root, id, silence, entry of the audit log, '1': only one that is not there. */
const saveScript = new Script(`${auditLua}
if ARGV[5] == '1' and redis.call('HEXISTS', KEYS[1], ARGV[2]) == 1 then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
audit(ARGV[1], ARGV[4])
return 1`);

/** What is silenced is told in so many characters. */
const mostTold = 300;

/** Silences, those that are over for a week included. */
export class Silences {
  readonly #redis: Redis;
  readonly #root: string;
  readonly #key: string;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#root = keys.root;
    this.#key = keys.of("silences");
  }

  /** Records a silence, also in the audit log. False when its id is known already: an order is carried out once. */
  async create(silence: Silence): Promise<boolean> {
    const { createdAt: at, by, until } = silence;
    const entry = { ...entryOf(silence, "silenced", at, by), details: { until } };
    return await this.#save(silence, entry, true);
  }

  /** Records that somebody has ended one: it is over at its new `until`. */
  async end(silence: Silence, by: Person): Promise<void> {
    await this.#save(silence, entryOf(silence, "unsilenced", silence.until, by), false);
  }

  async #save(silence: Silence, entry: AuditEntry, isNew: boolean): Promise<boolean> {
    const args = [this.#root, silence.id, JSON.stringify(silence), entryText(entry), isNew ? 1 : 0];
    return Number(await saveScript.run(this.#redis, [this.#key], args)) === 1;
  }

  async read(id: string): Promise<Silence | undefined> {
    const json = await this.#redis.hget(this.#key, id);
    return json === null ? undefined : (JSON.parse(json) as Silence);
  }

  /** All that are known; `isActive` tells which are in force. */
  async all(): Promise<Silence[]> {
    return Object.values(await this.#redis.hgetall(this.#key)).map((json) => JSON.parse(json) as Silence);
  }

  async prune(now: Date): Promise<void> {
    const old = (await this.all()).filter(({ until }) => now.getTime() - Date.parse(until) > rememberMs);
    if (old.length > 0) await this.#redis.hdel(this.#key, ...old.map(({ id }) => id));
  }
}

function entryOf(silence: Silence, what: string, at: string, by: Person): AuditEntry {
  const { id, matchers, title, identity = "", reason } = silence;
  const told = matchers.length > 0 ? matchers.map(formatMatcher).join(" ") : (title ?? identity);
  const target = told.slice(0, mostTold).toWellFormed();
  return { at, about: "silence", what, id, target, by, ...(reason === undefined ? {} : { why: reason }) };
}
