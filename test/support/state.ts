import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, beforeAll } from "vitest";
import { Cards } from "../../src/state/cards.ts";
import { Keys } from "../../src/state/redis.ts";
import { type RedisServer, startRedis } from "./redis.ts";

/** A clock that stands still until a test moves it. */
export class ManualClock {
  #at: number;
  constructor(start = "2026-03-01T03:00:00.000Z") {
    this.#at = Date.parse(start);
  }
  now(): Date {
    return new Date(this.#at);
  }
  advance(ms: number): Date {
    this.#at += ms;
    return this.now();
  }
}

/** One private Redis for the tests of a file; each test has keys of its own. */
export interface RedisFixture {
  readonly server: RedisServer;
  readonly redis: Redis;
  keys(): Keys;
  cards(keys?: Keys): Cards;
  /** A further connection, closed after the file. */
  connect(): Redis;
}

/** Starts it before the tests of this file, and stops it afterwards. */
export function useRedis(): RedisFixture {
  let server: RedisServer | undefined;
  const connections: Redis[] = [];
  const running = (): RedisServer => {
    if (!server) throw new Error("Redis is not running yet");
    return server;
  };
  const connect = (): Redis => {
    const redis = new Redis(running().url, { maxRetriesPerRequest: null });
    redis.on("error", () => undefined);
    connections.push(redis);
    return redis;
  };
  beforeAll(async () => {
    server = await startRedis();
    connect();
  });
  afterAll(async () => {
    for (const redis of connections) redis.disconnect();
    await server?.stop();
  });
  const first = (): Redis => connections[0] ?? connect();
  const keys = (): Keys => new Keys(randomBytes(4).toString("hex"));
  return {
    get server() {
      return running();
    },
    get redis() {
      return first();
    },
    keys,
    cards: (own = keys()) => new Cards(first(), own),
    connect,
  };
}

/** Asks until it is so; no longer than `timeoutMs` of real time. */
export async function until<T>(
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  what: string,
  timeoutMs = 60_000,
): Promise<T> {
  for (const end = performance.now() + timeoutMs; ; ) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
