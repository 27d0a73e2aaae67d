import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../core/errors.ts";
import { type Keys, type Redis, Script } from "./redis.ts";

/** A turn is never taken at its very time: exactly at the rate, some second would hold one too many. */
const margin = 1.02;
/** How long Redis may take to say when it is our turn; milliseconds. */
const answerMs = 5000;
/** Longest that nobody asks after a penalty; milliseconds. */
const longestPenaltyMs = 60_000;

/**
 * A bucket of tokens, kept as the time at which it will be full again (GCRA): a turn is the earliest time that neither
 * breaks the rate nor lies within a penalty. It is reserved by being told, so whoever asks next gets a later one. The
 * only clock is that of Redis. What lies further ahead than turns can have been given out (a clock that was set back)
 * counts for nothing.
 *
 * KEYS: the bucket. ARGV: microseconds between two turns, burst. Answers the microseconds until the turn.
 */
const reserveScript = new Script(`
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval = tonumber(ARGV[1])
local state = redis.call('HMGET', KEYS[1], 'full', 'blocked')
local full = tonumber(state[1] or '0')
local blocked = tonumber(state[2] or '0')
if blocked > now + ${longestPenaltyMs * 1000} then blocked = 0 end
local from = math.max(now, blocked)
if full > from + interval * (ARGV[2] + 100) + 10000000 then full = 0 end
local turn = math.max(from, full - interval * (ARGV[2] - 1))
full = math.max(full, turn) + interval
-- Whole numbers: what Lua writes of large ones by itself would be rounded.
redis.call('HSET', KEYS[1], 'full', string.format('%.0f', full))
return string.format('%.0f', turn - now)`);

/** KEYS: the bucket. ARGV: microseconds, microseconds between two turns, burst. After it turns come one by one. */
const penalizeScript = new Script(`
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local state = redis.call('HMGET', KEYS[1], 'full', 'blocked')
local blocked = tonumber(state[2] or '0')
if blocked > now + ${longestPenaltyMs * 1000} then blocked = 0 end
blocked = math.max(blocked, now + ARGV[1])
local full = math.max(tonumber(state[1] or '0'), blocked + ARGV[2] * (ARGV[3] - 1))
redis.call('HSET', KEYS[1], 'full', string.format('%.0f', full), 'blocked', string.format('%.0f', blocked))
return 1`);

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Requests to what has limits, held to a rate over all processes together. */
export class Rates {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #limits = new Map<string, SharedRate>();

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** The rate of what `name` names: `perSecond` turns a second, `burst` of them at once after a rest. */
  limit(name: string, perSecond: number, burst: number): SharedRate {
    const known = this.#limits.get(name);
    if (known?.perSecond === perSecond && known.burst === burst) return known;
    const limit = new SharedRate(this.#redis, this.#keys.of("rate", name), perSecond, burst);
    this.#limits.set(name, limit);
    return limit;
  }
}

/**
 * One rate. A process has at most one turn reserved at a time, and gives it to the first who waits when it has come:
 * so processes take turns with each other, whoever gives up waiting costs nothing, and an urgent request waits for one
 * turn and not for all that others want.
 */
export class SharedRate {
  readonly perSecond: number;
  readonly burst: number;
  readonly #redis: Redis;
  readonly #key: string;
  readonly #intervalMs: number;
  readonly #urgent: Waiter[] = [];
  readonly #waiting: Waiter[] = [];
  #running = false;
  /** Counts penalties: a turn that was reserved before one is no longer good. */
  #penalties = 0;

  constructor(redis: Redis, key: string, perSecond: number, burst: number) {
    this.#redis = redis;
    this.#key = key;
    this.perSecond = perSecond;
    this.burst = burst;
    this.#intervalMs = (1000 / perSecond) * margin;
  }

  /**
   * Resolves when a request may be sent. Rejects with the signal's reason, and with AppError `redis` when Redis does not
   * say: without it nobody knows what the others send.
   */
  async take(signal: AbortSignal, urgent = false): Promise<void> {
    signal.throwIfAborted();
    const queue = urgent ? this.#urgent : this.#waiting;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { resolve, reject };
    queue.push(waiter);
    const leave = (): void => {
      const at = queue.indexOf(waiter);
      if (at !== -1) queue.splice(at, 1);
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", leave, { once: true });
    void this.#run();
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  /** Nobody is given a turn for so many milliseconds, a minute at most; afterwards they come one by one. */
  async penalize(ms: number): Promise<void> {
    this.#penalties += 1;
    const us = Math.round(Math.min(Math.max(ms, 0), longestPenaltyMs) * 1000);
    const args = [us, Math.round(this.#intervalMs * 1000), this.burst];
    await answered(penalizeScript.run(this.#redis, [this.#key], args));
  }

  /** Reserves turn after turn for as long as somebody waits. */
  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#urgent.length + this.#waiting.length > 0) {
        await this.#turn();
        (this.#urgent.shift() ?? this.#waiting.shift())?.resolve();
      }
    } catch (error) {
      for (const queue of [this.#urgent, this.#waiting])
        for (const waiter of queue.splice(0, queue.length)) waiter.reject(error);
    } finally {
      this.#running = false;
    }
  }

  /** Resolves at a turn of ours. One that was slept through, or that a penalty has overtaken, is given up for another. */
  async #turn(): Promise<void> {
    for (let given = 1; ; given++) {
      const penalties = this.#penalties;
      const waitMs = await this.#reserve();
      const at = performance.now() + waitMs;
      if (waitMs > 0) await sleep(Math.ceil(waitMs));
      if (penalties !== this.#penalties) continue;
      // Taken late, it would fall together with later ones. Given up twice at most: somebody must get somewhere.
      if (given > 2 || performance.now() - at < Math.max(this.#intervalMs, 20)) return;
    }
  }

  async #reserve(): Promise<number> {
    const args = [Math.round(this.#intervalMs * 1000), this.burst];
    const us = await answered(reserveScript.run(this.#redis, [this.#key], args));
    return Math.max(0, Number(us) / 1000);
  }
}

/** A connection waits for ever for a Redis that is away; a request does not. */
async function answered(answer: Promise<unknown>): Promise<unknown> {
  const late = new AbortController();
  // What comes of it later is nobody's any more.
  answer.catch(() => undefined);
  try {
    return await Promise.race([
      answer,
      sleep(answerMs, undefined, { signal: late.signal }).then(() => {
        throw new AppError("redis", `Redis did not answer within ${answerMs} ms, so no turn could be taken`, {
          permanent: false,
          text: { key: "error-rate-redis" },
        });
      }),
    ]);
  } finally {
    late.abort();
  }
}
