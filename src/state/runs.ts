import type { Urgency } from "../core/card.ts";
import { AppError } from "../core/errors.ts";
import { type BackupRun, isFinal, isUnsettled } from "../core/run.ts";
import { isRedisRefusal, redisWrite } from "../lib/resilience.ts";
import type { CardRef, Cards } from "./cards.ts";
import type { Keys, Redis } from "./redis.ts";

/** How many runs of a name stay listed; older ones are forgotten with their cards' state. */
const keepRuns = 200;

/** How many runs are read at a time in search of a good one. */
const pageSize = 20;

/** Backup runs: the entities behind the backup cards, with an index per name and of those that are not final. */
export class Runs {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #cards: Cards;

  constructor(redis: Redis, keys: Keys, cards: Cards) {
    this.#redis = redis;
    this.#keys = keys;
    this.#cards = cards;
  }

  ref(id: string): CardRef {
    return { kind: "backup", id };
  }

  /** Records a run. False when the id is known already: an order is carried out once, however often it arrives. */
  async create(run: BackupRun, now: Date): Promise<boolean> {
    // The indexes first: an entry without a run is passed over, a run without an entry would be lost.
    await this.#redis.zadd(this.#keys.of("runs", run.name), "NX", now.getTime(), run.id);
    await this.#redis.sadd(this.#keys.of("runs-active"), run.id);
    return await this.#cards.create(this.ref(run.id), run, "reply", now);
  }

  async read(id: string): Promise<BackupRun | undefined> {
    return (await this.#cards.read<BackupRun>(this.ref(id)))?.value;
  }

  /** As `read`, for where the run must exist. */
  async get(id: string): Promise<BackupRun> {
    const run = await this.read(id);
    if (!run)
      throw new AppError("not-found", `run ${id} is not known`, {
        text: { key: "error-run-unknown", args: { run: id } },
      });
    return run;
  }

  /** Changes a run. With `fence`, refuses (`lease-lost`) when a worker with a newer token has taken the run over. */
  async update(
    id: string,
    urgency: Urgency,
    now: Date,
    change: (run: BackupRun) => BackupRun,
    fence?: number,
  ): Promise<BackupRun> {
    const run = await this.#cards.update<BackupRun>(this.ref(id), urgency, now, (current) => {
      if (fence !== undefined && current.fence > fence) {
        throw new AppError("lease-lost", `another worker has taken run ${id} over`, { permanent: false });
      }
      return change(current);
    });
    if (!isUnsettled(run)) await this.#redis.srem(this.#keys.of("runs-active"), id);
    // A late record of something that was left behind.
    else if (isFinal(run.status)) await this.#redis.sadd(this.#keys.of("runs-active"), id);
    return run;
  }

  /**
   * As `update`, for what a worker must have on record before it goes on: a write that Redis refuses is repeated for
   * about a minute, then it fails with `redis`. `change` may be applied again to what it has made.
   */
  async record(...[id, ...how]: Parameters<Runs["update"]>): Promise<BackupRun> {
    try {
      return await redisWrite.execute(() => this.update(id, ...how));
    } catch (error) {
      if (!isRedisRefusal(error)) throw error;
      throw unrecorded(id, error);
    }
  }

  /** Runs that are queued or running. */
  async active(): Promise<BackupRun[]> {
    return (await this.unsettled()).filter((run) => !isFinal(run.status));
  }

  /** Runs for which a worker has something to do, `isUnsettled`. */
  async unsettled(): Promise<BackupRun[]> {
    const ids = await this.#redis.smembers(this.#keys.of("runs-active"));
    const runs = await Promise.all(ids.map((id) => this.read(id)));
    return runs.filter((run): run is BackupRun => run !== undefined && isUnsettled(run));
  }

  /** Newest first. */
  async list(name: string, limit: number): Promise<BackupRun[]> {
    const key = this.#keys.of("runs", name);
    const ids = await this.#redis.zrevrange(key, 0, limit - 1);
    const runs = await Promise.all(ids.map((id) => this.read(id)));
    return runs.filter((run): run is BackupRun => run !== undefined);
  }

  /** The newest run whose backup exists, however many have failed since. */
  async lastGood(name: string): Promise<BackupRun | undefined> {
    for (let from = 0; ; from += pageSize) {
      const ids = await this.#redis.zrevrange(this.#keys.of("runs", name), from, from + pageSize - 1);
      if (ids.length === 0) return undefined;
      const runs = await Promise.all(ids.map((id) => this.read(id)));
      const good = runs.find((run) => run?.status === "succeeded" || run?.status === "degraded");
      if (good) return good;
    }
  }

  /**
   * Every run of a name that was recorded after this is still on record, unless Redis has lost it; of older ones some may
   * have been dropped (`prune`). Undefined: none ever was.
   */
  async knownSince(name: string): Promise<Date | undefined> {
    const [, at] = await this.#redis.zrevrange(this.#keys.of("runs", name), keepRuns - 1, keepRuns - 1, "WITHSCORES");
    return at === undefined ? undefined : new Date(Number(at));
  }

  /**
   * Drops what is older than the newest runs of a name, state of their cards included; never the last good one, nor
   * one for which there is still something to do.
   */
  async prune(name: string): Promise<number> {
    const key = this.#keys.of("runs", name);
    const beyond = await this.#redis.zrevrange(key, keepRuns, -1);
    if (beyond.length === 0) return 0;
    const kept = new Set([(await this.lastGood(name))?.id, ...(await this.unsettled()).map((run) => run.id)]);
    const old = beyond.filter((id) => !kept.has(id));
    for (const id of old) {
      await this.#cards.remove(this.ref(id));
      await this.#redis.zrem(key, id);
      await this.#redis.srem(this.#keys.of("runs-active"), id);
    }
    return old.length;
  }
}

function unrecorded(id: string, cause: Error): AppError {
  const text = { key: "error-run-record", args: { run: id, reason: cause.message } };
  return new AppError("redis", `run ${id} could not be recorded: ${cause.message}`, { permanent: false, text, cause });
}
