import type { AuditEntry } from "../core/audit.ts";
import type { Person } from "../core/run.ts";
import { auditLua, entryText } from "./audit.ts";
import { type Keys, type Redis, Script } from "./redis.ts";

/** Somebody who may not has pressed a button or sent a command. */
export interface StrangerAct {
  readonly by: Person;
  readonly what: "press" | "command";
  readonly chatId: number;
  /** The command: "/restore". */
  readonly tried?: string;
}

/** What one stranger has done since `first`; the first thing of each kind is told, the rest counted. */
export interface StrangerCount {
  /** Undefined: all those who came when there were too many to name. */
  readonly by?: Person;
  readonly presses: number;
  readonly commands: number;
  /** ISO 8601. */
  readonly first: string;
  readonly last: string;
  readonly chatId: number;
  readonly tried?: string;
}

/** What one person does within this time is one entry; milliseconds. */
const withinMs = 3_600_000;

/** So many are counted each for themselves at a time: more would be a flood by another way. */
const mostNamed = 100;

const others = "others";

/** KEYS: the index. ARGV: root, person, name, "presses" or "commands", now, when it is due, chat, what was tried, most. */
const countScript = new Script(`
local id = ARGV[2]
if not redis.call('ZSCORE', KEYS[1], id) then
  if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[9]) then id = '${others}' end
  redis.call('ZADD', KEYS[1], 'NX', ARGV[6], id)
end
local key = ARGV[1] .. 'stranger:' .. id
redis.call('HINCRBY', key, ARGV[4], 1)
redis.call('HSETNX', key, 'name', ARGV[3])
redis.call('HSETNX', key, 'first', ARGV[5])
redis.call('HSETNX', key, 'chat', ARGV[7])
redis.call('HSET', key, 'last', ARGV[5])
if ARGV[8] ~= '' then redis.call('HSETNX', key, 'tried', ARGV[8]) end
return 1`);

/** KEYS: the index, the count. ARGV: root, id, presses, commands, entry: when nothing has come to it meanwhile. */
const recordScript = new Script(`${auditLua}
local presses, commands = unpack(redis.call('HMGET', KEYS[2], 'presses', 'commands'))
if (presses or '0') ~= ARGV[3] or (commands or '0') ~= ARGV[4] then return 0 end
redis.call('DEL', KEYS[2])
redis.call('ZREM', KEYS[1], ARGV[2])
audit(ARGV[1], ARGV[5])
return 1`);

/** People who may not, and how often they have tried: counted first, so that nobody can flood the audit log. */
export class Strangers {
  readonly #redis: Redis;
  readonly #keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async count({ by, what, chatId, tried = "" }: StrangerAct, now: Date): Promise<void> {
    const due = now.getTime() + withinMs;
    const field = what === "press" ? "presses" : "commands";
    const args = [this.#keys.root, by.id, by.name, field, now.toISOString(), due, chatId, tried, mostNamed];
    await countScript.run(this.#redis, [this.#index()], args);
  }

  /** Counts that are not in the audit log yet, oldest first. */
  async pending(): Promise<StrangerCount[]> {
    const ids = await this.#redis.zrange(this.#index(), 0, "-1");
    return (await Promise.all(ids.map((id) => this.#read(id)))).filter((one) => one !== undefined);
  }

  /** Makes entries of the counts whose time is over. Returns how many. */
  async record(now: Date): Promise<number> {
    let recorded = 0;
    for (const id of await this.#redis.zrangebyscore(this.#index(), "-inf", now.getTime())) {
      const count = await this.#read(id);
      if (!count) {
        await this.#redis.zrem(this.#index(), id);
        continue;
      }
      const { presses, commands } = count;
      const args = [this.#keys.root, id, presses, commands, entryText(entryOf(count, now))];
      recorded += Number(await recordScript.run(this.#redis, [this.#index(), this.#key(id)], args));
    }
    return recorded;
  }

  async #read(id: string): Promise<StrangerCount | undefined> {
    const { name, presses, commands, first, last, chat, tried } = await this.#redis.hgetall(this.#key(id));
    if (name === undefined || first === undefined || last === undefined) return undefined;
    return {
      ...(id === others ? {} : { by: { id: Number(id), name } }),
      presses: Number(presses ?? 0),
      commands: Number(commands ?? 0),
      first,
      last,
      chatId: Number(chat),
      ...(tried === undefined ? {} : { tried }),
    };
  }

  #index(): string {
    return this.#keys.of("strangers");
  }

  #key(id: string): string {
    return this.#keys.of("stranger", id);
  }
}

function entryOf({ by, presses, commands, first, last, chatId, tried }: StrangerCount, now: Date): AuditEntry {
  return {
    at: now.toISOString(),
    about: "stranger",
    what: by ? "turned-away" : "turned-away-others",
    ...(by ? { by } : {}),
    ...(tried === undefined ? {} : { why: tried }),
    count: presses + commands,
    details: { presses, commands, first, last, chat: chatId },
  };
}
