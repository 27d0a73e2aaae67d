import type { Keys, Redis } from "./redis.ts";

/** Requests that were refused for good, of one kind. Times are milliseconds since 1970. */
export interface Refusal {
  readonly count: number;
  readonly since: number;
  readonly at: number;
  /** Where the last one came from. */
  readonly address: string;
  /** Why the last one was, unless its token was wrong. */
  readonly reason?: string;
}

/** Who was refused at the webhooks, by kind, until it is over. */
export class Refusals {
  readonly #redis: Redis;
  readonly #key: string;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#key = keys.of("hook-refusals");
  }

  /** Adds what one process has counted. */
  async add(kind: string, { count, since, at, address, reason = "" }: Refusal): Promise<void> {
    await this.#redis
      .multi()
      .hincrby(this.#key, `${kind}:count`, count)
      .hsetnx(this.#key, `${kind}:since`, since)
      .hset(this.#key, `${kind}:at`, at, `${kind}:address`, address, `${kind}:reason`, reason)
      .exec();
  }

  async all(): Promise<Map<string, Refusal>> {
    const fields = await this.#redis.hgetall(this.#key);
    const kinds = new Set(Object.keys(fields).map((field) => field.slice(0, field.lastIndexOf(":"))));
    return new Map(
      [...kinds].map((kind) => [
        kind,
        {
          count: Number(fields[`${kind}:count`] ?? 0),
          since: Number(fields[`${kind}:since`] ?? 0),
          at: Number(fields[`${kind}:at`] ?? 0),
          address: fields[`${kind}:address`] ?? "",
          reason: fields[`${kind}:reason`] ?? "",
        },
      ]),
    );
  }

  async forget(kind: string): Promise<void> {
    await this.#redis.hdel(
      this.#key,
      ...["count", "since", "at", "address", "reason"].map((field) => `${kind}:${field}`),
    );
  }
}
