import type { HeartbeatState } from "../core/heartbeat.ts";
import { type Keys, type Redis, Script } from "./redis.ts";

/** What is kept of a heartbeat, and what the alerts know of it. */
export interface HeartbeatRecord {
  readonly state: HeartbeatState;
  /** What was told last: empty while it is well. Differs from what is so for as long as it has to be told. */
  readonly told: string;
  /** Since when no bot knows it any more; milliseconds since 1970. */
  readonly unknownSince?: number;
}

/** A record with what is needed to change it. */
export interface KnownHeartbeat {
  readonly record: HeartbeatRecord;
  /** As it is stored. */
  readonly stored: string;
}

/** When the watch looked last, and when it came back having been away. Milliseconds since 1970. */
export interface Attention {
  readonly lookedAt?: number;
  readonly awayFrom?: number;
  readonly backSince?: number;
}

/** KEYS heartbeats; ARGV name, as it was ('': none), as it is to be. 1 when nobody was faster. */
const replaceScript = new Script(`
local stored = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if stored ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1`);

/** Heartbeats by name. */
export class HeartbeatStates {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #attentionKey: string;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#key = keys.of("heartbeats");
    this.#attentionKey = keys.of("heartbeats-attention");
  }

  async read(name: string): Promise<KnownHeartbeat | undefined> {
    const stored = await this.#redis.hget(this.#key, name);
    return stored === null ? undefined : { record: JSON.parse(stored) as HeartbeatRecord, stored };
  }

  async all(): Promise<Map<string, KnownHeartbeat>> {
    const all = await this.#redis.hgetall(this.#key);
    return new Map(
      Object.entries(all).map(([name, stored]) => [name, { record: JSON.parse(stored) as HeartbeatRecord, stored }]),
    );
  }

  /** Replaces what was read. Undefined, changing nothing, when somebody was faster: read again. */
  async replace(
    name: string,
    known: KnownHeartbeat | undefined,
    record: HeartbeatRecord,
  ): Promise<KnownHeartbeat | undefined> {
    const stored = JSON.stringify(record);
    const args = [name, known?.stored ?? "", stored];
    const replaced = Number(await replaceScript.run(this.#redis, [this.#key], args)) === 1;
    return replaced ? { record, stored } : undefined;
  }

  async forget(name: string): Promise<void> {
    await this.#redis.hdel(this.#key, name);
  }

  async attention(): Promise<Attention> {
    const stored = await this.#redis.get(this.#attentionKey);
    return stored === null ? {} : (JSON.parse(stored) as Attention);
  }

  async attend(attention: Attention): Promise<void> {
    await this.#redis.set(this.#attentionKey, JSON.stringify(attention));
  }
}
