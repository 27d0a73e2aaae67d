import { createHash } from "node:crypto";
import { Redis } from "ioredis";
import { AppError } from "../core/errors.ts";
import type { Logger } from "../lib/logger.ts";

export type { Redis } from "ioredis";

/** Version of the layout of our keys; it is part of every key, so that an incompatible layout starts afresh beside the old one. */
export const schemaVersion = "v1";

/**
 * A connection on which nothing comes back for so long, though something is waited for, leads nowhere: something in
 * between has forgotten it. Longer than the ten seconds that the queues wait for a job; milliseconds.
 */
const silentMs = 20_000;

/**
 * A connection that reconnects for ever and lets commands wait meanwhile: a restart of Redis delays work, it does
 * not fail it. One that is silent for `giveUpMs` is given up for a new one; so are its duplicates. The error of a lost
 * connection is logged once per outage, not once per attempt.
 */
export function connectRedis(url: string, logger: Logger, connectionName: string, giveUpMs = silentMs): Redis {
  const redis = new Redis(url, {
    maxRetriesPerRequest: null,
    connectionName,
    socketTimeout: giveUpMs,
    keepAlive: 10_000,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 6), 2000),
  });
  let down = false;
  redis.on("error", (error: Error) => {
    if (!down) logger.warn({ error: error.message }, "Redis is unreachable; waiting for it");
    down = true;
  });
  redis.on("ready", () => {
    if (down) logger.info("Redis is back");
    down = false;
  });
  return redis;
}

/**
 * Ends a connection for good, whatever its state: what waits on it is rejected, now or when the other side has not
 * closed it either within two seconds.
 */
export function giveUp(redis: Redis): void {
  redis.disconnect();
  if (redis.status !== "reconnecting") return;
  // Between two attempts it would only forget the next one, and leave for ever what waits: it needs one to break off.
  void redis.connect().catch(() => undefined);
  redis.disconnect();
}

/** Builds the keys of this installation: `<prefix>:v1:<parts>`. */
export class Keys {
  readonly root: string;
  constructor(prefix: string) {
    this.root = `${prefix}:${schemaVersion}:`;
  }
  of(...parts: readonly (string | number)[]): string {
    return this.root + parts.join(":");
  }
}

/** Resolves when Redis takes writes: one that answers may still be full, out of disk, or a replica. @throws its refusal. */
export async function tryWrite(redis: Redis, keys: Keys): Promise<string> {
  await redis.set(keys.of("write-probe"), "", "PX", 60_000);
  return "takes writes";
}

/** Answers of a server that will soon be there, or that somebody holds up: it is away rather than unwilling. */
const passing = new Set(["LOADING", "BUSY", "MASTERDOWN", "TRYAGAIN", "CLUSTERDOWN"]);

/** The word with which Redis refuses what it has heard (OOM, MISCONF, READONLY); undefined when it gave no answer. */
export function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name !== "ReplyError") return undefined;
  const [word = ""] = error.message.replace(/^-/, "").split(" ");
  return passing.has(word) ? undefined : word;
}

/** The answers of a pipeline. @throws the first error among them. */
export function answersOf(results: [Error | null, unknown][] | null): unknown[] {
  return (results ?? []).map(([error, answer]) => {
    if (error) throw error;
    return answer;
  });
}

/** A Lua script, sent once per server and called by its hash afterwards. */
export class Script {
  readonly #lua: string;
  readonly #sha: string;

  constructor(lua: string) {
    this.#lua = lua;
    this.#sha = createHash("sha1").update(lua).digest("hex");
  }

  /** Runs it once for each of `calls` in one round trip; the answers in their order. */
  async runAll(
    redis: Redis,
    calls: readonly { readonly keys: readonly string[]; readonly args: readonly (string | number)[] }[],
  ): Promise<unknown[]> {
    if (calls.length === 0) return [];
    // Known to the server before the first of them.
    await redis.script("LOAD", this.#lua);
    const pipeline = redis.pipeline();
    for (const { keys, args } of calls) pipeline.evalsha(this.#sha, keys.length, ...keys, ...args);
    return answersOf(await pipeline.exec());
  }

  async run(redis: Redis, keys: readonly string[], args: readonly (string | number | Buffer)[]): Promise<unknown> {
    try {
      return await redis.evalsha(this.#sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      return await redis.eval(this.#lua, keys.length, ...keys, ...args);
    }
  }
}

/**
 * What must be true of the server before work is entrusted to it. Returns lines for the operator, empty when all is
 * well. Throws `AppError("redis")` when the server is too old.
 */
export async function inspectRedis(redis: Redis): Promise<string[]> {
  const info = await redis.info("server");
  const version = /redis_version:(\S+)/.exec(info)?.[1] ?? "0";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < 6 || (major === 6 && minor < 2)) {
    throw new AppError("redis", `Redis ${version} is too old: 6.2 or newer is needed`, {
      text: { key: "error-redis-old", args: { version } },
    });
  }
  const warnings: string[] = [];
  const memory = await redis.info("memory");
  const policy = /maxmemory_policy:(\S+)/.exec(memory)?.[1];
  if (policy !== undefined && policy !== "noeviction") {
    warnings.push(`Redis has maxmemory-policy ${policy}: jobs and cards can vanish; set it to noeviction`);
  }
  return warnings;
}
