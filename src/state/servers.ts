import { AppError } from "../core/errors.ts";
import type { PollClock } from "../core/polls.ts";
import type { ServerFacts, ServerReading } from "../core/server.ts";
import {
  afterFacts,
  afterLook,
  type Failing,
  type Next,
  type NotedLook,
  type ServerEvent,
  type ServerState,
} from "../core/server-state.ts";
import { type Keys, type Redis, Script } from "./redis.ts";

/**
 * KEYS states, counter of looks, events of the server; ARGV name, as it was ('': none), as it is to be, number of the
 * look, most events, then time and text of each event. 1 when nobody was faster.
 */
const replaceScript = new Script(`
local stored = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if stored ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
-- A Redis that has lost its data goes on counting behind the looks that were under way.
if tonumber(ARGV[4]) > tonumber(redis.call('GET', KEYS[2]) or '0') then redis.call('SET', KEYS[2], ARGV[4]) end
for i = 6, #ARGV, 2 do redis.call('ZADD', KEYS[3], ARGV[i], ARGV[i + 1]) end
if #ARGV > 5 then redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -1 - tonumber(ARGV[5])) end
return 1`);

/** How many events of a server are remembered: those of a year that was full of them. */
const mostEvents = 300;
/** How often a change is tried again because somebody else was faster. */
const mostAttempts = 50;

/** Since when a server is known, and since when it is in no configuration any more. */
export interface Known {
  readonly since: Date;
  readonly goneSince?: Date | undefined;
}

/** What writing a look down has changed. */
export interface Noted extends Next {
  readonly before: ServerState | undefined;
  /** False: a look that was begun later has been written down already, and nothing was changed. */
  readonly isNewest: boolean;
}

/** What is known of each server now, and what happened to it. One hash: a thousand are read in one go. */
export class ServerStates {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #key: string;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
    this.#key = keys.of("servers");
  }

  async read(name: string): Promise<ServerState | undefined> {
    const stored = await this.#redis.hget(this.#key, name);
    return stored === null ? undefined : parsed(stored);
  }

  /** In one round trip; who was never looked at is not among them. */
  async readAll(names: readonly string[]): Promise<Map<string, ServerState>> {
    if (names.length === 0) return new Map();
    const all = await this.#redis.hmget(this.#key, ...names);
    const known = all.flatMap((stored) => (stored === null ? [] : (parsed(stored) ?? [])));
    return new Map(known.map((state) => [state.name, state]));
  }

  /** Names of all that something is kept of, those that are configured no more among them. */
  async names(): Promise<string[]> {
    return await this.#redis.hkeys(this.#key);
  }

  /**
   * A number for looks that begin now. Whatever clocks say, what has begun later is newer: so a slow worker's look does
   * not take the place of a newer one.
   */
  async begin(): Promise<number> {
    return await this.#redis.incr(this.#keys.of("servers-looks"));
  }

  /** Writes a look down. `begun`: from `begin`; without it the look is the newest. @throws AppError conflict */
  async note(look: NotedLook, now: Date, begun?: number): Promise<Noted> {
    return await this.#change(look.name, begun, (before, number) => afterLook(before, look, number, now));
  }

  /** Writes down what its provider says of it beside measurements. @throws AppError conflict */
  async noteFacts(name: string, facts: ServerFacts, now: Date, begun?: number): Promise<Noted> {
    return await this.#change(name, begun, (before) => afterFacts(before, name, facts, now));
  }

  /** Notes that what was not told yet of it has been told; of something else meanwhile, nothing. @throws AppError conflict */
  async told(name: string, { at }: ServerEvent): Promise<void> {
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const stored = (await this.#redis.hget(this.#key, name)) ?? "";
      if (stored === "") return;
      const known = parsed(stored);
      if (!known || known.untold?.at.getTime() !== at.getTime()) return;
      const { untold: _told, ...state } = known;
      if (await this.#replace(name, stored, state, [])) return;
    }
    throw tooFast(name);
  }

  /** What happened to it in that time, oldest first. */
  async events(name: string, from: Date, to: Date): Promise<ServerEvent[]> {
    const key = this.#keys.of("server-events", name);
    const all = await this.#redis.zrangebyscore(key, from.getTime(), to.getTime());
    return all.map(parseEvent);
  }

  /** How far the polls have got; undefined: nobody has begun any. */
  async clock(): Promise<PollClock | undefined> {
    const [slice, epoch] = await this.#redis.hmget(this.#keys.of("polls-clock"), "slice", "epoch");
    return slice && epoch ? { slice: Number(slice), epoch: Number(epoch) } : undefined;
  }

  async setClock({ slice, epoch }: PollClock): Promise<void> {
    await this.#redis.hset(this.#keys.of("polls-clock"), { slice, epoch });
  }

  /** Since when each server is known, those that are configured and were not known among them; who is gone is added to none. */
  async known(): Promise<Map<string, Known>> {
    const all = await this.#redis.hgetall(this.#keys.of("servers-known"));
    return new Map(Object.entries(all).map(([name, stored]) => [name, parseKnown(stored)]));
  }

  async setKnown(name: string, { since, goneSince }: Known): Promise<void> {
    const stored = [since, ...(goneSince ? [goneSince] : [])].map((at) => at.getTime()).join(" ");
    await this.#redis.hset(this.#keys.of("servers-known"), name, stored);
  }

  /** When the time by which old things are removed was worked out last, and what it was. */
  async sweptAt(): Promise<{ readonly at: Date; readonly time: Date } | undefined> {
    const [at, time] = await this.#redis.hmget(this.#keys.of("servers-swept"), "at", "time");
    return at && time ? { at: new Date(Number(at)), time: new Date(Number(time)) } : undefined;
  }

  async setSwept(at: Date, time: Date): Promise<void> {
    await this.#redis.hset(this.#keys.of("servers-swept"), { at: at.getTime(), time: time.getTime() });
  }

  /** Forgets everything about these. */
  async forget(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    await this.#redis.hdel(this.#key, ...names);
    await this.#redis.hdel(this.#keys.of("servers-known"), ...names);
    await this.#redis.del(...names.map((name) => this.#keys.of("server-events", name)));
  }

  async #change(
    name: string,
    begun: number | undefined,
    next: (before: ServerState | undefined, look: number) => Next,
  ): Promise<Noted> {
    const look = begun ?? (await this.begin());
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const stored = (await this.#redis.hget(this.#key, name)) ?? "";
      const before = stored === "" ? undefined : parsed(stored);
      if (before && before.look > look) return { state: before, before, events: [], isNewest: false };
      const { state, events } = next(before, look);
      if (await this.#replace(name, stored, state, events, look)) return { state, before, events, isNewest: true };
    }
    throw tooFast(name);
  }

  /** False: somebody was faster. */
  async #replace(
    name: string,
    stored: string,
    state: ServerState,
    events: readonly ServerEvent[],
    look = state.look,
  ): Promise<boolean> {
    const keys = [this.#key, this.#keys.of("servers-looks"), this.#keys.of("server-events", name)];
    const told = events.flatMap((event) => [event.at.getTime(), JSON.stringify(event)]);
    const args = [name, stored, JSON.stringify(state), look, mostEvents, ...told];
    return Number(await replaceScript.run(this.#redis, keys, args)) === 1;
  }
}

function tooFast(name: string): AppError {
  return new AppError("conflict", `what is known of server ${name} changes too fast`, { permanent: false });
}

/** As JSON has them: times as texts. */
type Plain<T> = T extends Date ? string : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;

/** One that cannot be read is as good as none: it begins anew with the next look, and keeps nobody from the others. */
function parsed(stored: string): ServerState | undefined {
  try {
    return parse(stored);
  } catch {
    return undefined;
  }
}

function parse(stored: string): ServerState {
  const state = JSON.parse(stored) as Plain<ServerState>;
  const { lookedAt, goodAt, factsAt, bootedAt, reading, failure, away, untold, ...rest } = state;
  return {
    ...(rest as Omit<ServerState, "lookedAt">),
    lookedAt: new Date(lookedAt),
    ...(goodAt === undefined ? {} : { goodAt: new Date(goodAt) }),
    ...(factsAt === undefined ? {} : { factsAt: new Date(factsAt) }),
    ...(bootedAt === undefined ? {} : { bootedAt: new Date(bootedAt) }),
    ...(reading ? { reading: readingOf(reading) } : {}),
    ...(failure ? { failure: { ...(failure as Omit<Failing, "since">), since: new Date(failure.since) } } : {}),
    ...(away ? { away: { ...away, since: new Date(away.since) } } : {}),
    ...(untold ? { untold: { ...(untold as Omit<ServerEvent, "at">), at: new Date(untold.at) } } : {}),
  };
}

function parseKnown(stored: string): Known {
  const [since = 0, goneSince] = stored.split(" ").map(Number);
  return { since: new Date(since), ...(goneSince === undefined ? {} : { goneSince: new Date(goneSince) }) };
}

function readingOf({ at, bootedAt, ...rest }: Plain<ServerReading>): ServerReading {
  return {
    ...(rest as Omit<ServerReading, "at" | "bootedAt">),
    at: new Date(at),
    ...(bootedAt === undefined ? {} : { bootedAt: new Date(bootedAt) }),
  };
}

function parseEvent(stored: string): ServerEvent {
  const { at, ...rest } = JSON.parse(stored) as Plain<ServerEvent>;
  return { ...rest, at: new Date(at) };
}
