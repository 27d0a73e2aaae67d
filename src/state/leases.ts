import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../core/errors.ts";
import type { Lease } from "../core/ports.ts";
import type { Logger } from "../lib/logger.ts";
import { hasEnded, processIdentity } from "../lib/process-identity.ts";
import { type Keys, type Redis, Script } from "./redis.ts";

// The only use of Redis' own expiry: a lease must end when its holder and every clock of ours is gone.
const acquireScript = new Script(`
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  return redis.call('INCR', KEYS[2])
end
return 0`);
const replaceScript = new Script(`
if redis.call('GET', KEYS[1]) ~= ARGV[3] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return redis.call('INCR', KEYS[2])`);
const renewScript = new Script(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`);
// After an outage the key may have expired although nobody else took it: taken again only while no newer token was
// given out. A Redis that lost its data starts the count from this token.
const reclaimScript = new Script(`
local fence = tonumber(redis.call('GET', KEYS[2]) or '0')
if fence > tonumber(ARGV[3]) then return 0 end
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
redis.call('SET', KEYS[2], ARGV[3])
return 1`);
const releaseScript = new Script(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`);

export interface LeaseOptions {
  /** Milliseconds after which a dead holder's lease ends; renewed at a third of it. */
  readonly ttlMs: number;
  /** Shown to those who find it taken: "run 01ab on db-1". */
  readonly holder: string;
  /**
   * Milliseconds without a renewal after which the holder itself gives up. Default just below `ttlMs`: nothing
   * is done twice at a time. Longer where fenced writes protect the state and a restart of Redis should not end the work.
   */
  readonly lostAfterMs?: number;
}

/** Exclusive rights with fencing tokens, renewed while held. */
export class Leases {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #logger: Logger;

  constructor(redis: Redis, keys: Keys, logger: Logger) {
    this.#redis = redis;
    this.#keys = keys;
    this.#logger = logger;
  }

  /** Takes the lease, or returns undefined when somebody else holds it who may be alive. */
  async tryAcquire(name: string, options: LeaseOptions): Promise<Lease | undefined> {
    const key = this.#keys.of("lease", name);
    const keys = [key, this.#keys.of("fence", name)];
    const value = [options.holder, processIdentity(), randomBytes(9).toString("base64url")].join(" ");
    const startedAt = performance.now();
    let token = Number(await acquireScript.run(this.#redis, keys, [value, options.ttlMs]));
    if (token === 0) {
      // A holder that was killed on this machine needs no waiting for.
      const other = await this.#redis.get(key);
      if (other === null || !hasEnded(other.split(" ").at(-2) ?? "")) return undefined;
      token = Number(await replaceScript.run(this.#redis, keys, [value, options.ttlMs, other]));
      if (token === 0) return undefined;
    }
    return this.#hold(name, key, value, token, startedAt, options);
  }

  /** Waits for the lease, polling, until `signal` aborts. */
  async acquire(name: string, options: LeaseOptions & { signal: AbortSignal; pollMs?: number }): Promise<Lease> {
    for (;;) {
      options.signal.throwIfAborted();
      const lease = await this.tryAcquire(name, options);
      if (lease) return lease;
      await sleep(options.pollMs ?? 50, undefined, { signal: options.signal });
    }
  }

  /** Who holds it, or undefined. */
  async holder(name: string): Promise<string | undefined> {
    const value = await this.#redis.get(this.#keys.of("lease", name));
    return value === null ? undefined : value.split(" ").slice(0, -2).join(" ");
  }

  #hold(name: string, key: string, value: string, token: number, startedAt: number, options: LeaseOptions): Lease {
    const { ttlMs } = options;
    // A little less than Redis counts: the holder stops before it could be given away.
    const validMs = options.lostAfterMs ?? ttlMs * 0.95;
    const lost = new AbortController();
    let released = false;
    let expiry: NodeJS.Timeout | undefined;
    const end = (): void => {
      clearInterval(renewal);
      clearTimeout(expiry);
    };
    const lose = (why: string): void => {
      if (released || lost.signal.aborted) return;
      end();
      this.#logger.warn({ lease: name, why }, "lease lost");
      lost.abort(new AppError("lease-lost", `the right to work on ${name} was lost: ${why}`, { permanent: false }));
    };
    // Measured on the monotonic clock from before each request.
    let validUntil = 0;
    const prolong = (from: number): void => {
      if (released || lost.signal.aborted) return;
      validUntil = Math.max(validUntil, from + validMs);
      clearTimeout(expiry);
      expiry = setTimeout(() => lose("it could not be renewed in time"), Math.max(0, validUntil - performance.now()));
      expiry.unref();
    };
    const renew = async (): Promise<void> => {
      const askedAt = performance.now();
      try {
        const renewed = Number(await renewScript.run(this.#redis, [key], [value, ttlMs])) === 1;
        if (released) return;
        if (renewed || (await this.#reclaim(name, key, value, ttlMs, token))) prolong(askedAt);
        else lose("another holder took it");
      } catch (error) {
        this.#logger.warn({ lease: name, error: String(error) }, "lease could not be renewed");
      }
    };
    const renewal = setInterval(() => void renew(), ttlMs / 3);
    renewal.unref();
    prolong(startedAt);
    const release = async (): Promise<void> => {
      if (released) return;
      released = true;
      end();
      await releaseScript.run(this.#redis, [key], [value]);
    };
    const isHeld = (): boolean => {
      if (performance.now() >= validUntil) lose("it could not be renewed in time");
      return !released && !lost.signal.aborted;
    };
    return { name, token, signal: lost.signal, isHeld, release, [Symbol.asyncDispose]: release };
  }

  async #reclaim(name: string, key: string, value: string, ttlMs: number, token: number): Promise<boolean> {
    const keys = [key, this.#keys.of("fence", name)];
    return Number(await reclaimScript.run(this.#redis, keys, [value, ttlMs, token])) === 1;
  }
}
