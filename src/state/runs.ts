import { type BackupRun, isFinal, isUnsettled } from "../core/run.ts";
import type { Cards } from "./cards.ts";
import { type Change, Ledger } from "./ledger.ts";
import type { Keys, Redis } from "./redis.ts";

/** How many runs of a name stay listed; older ones are forgotten with their cards' state. */
const keepRuns = 200;

/** How many runs are read at a time in search of a good one. */
const pageSize = 20;

/** Backup runs by the name of the backup. */
export class Runs extends Ledger<BackupRun, readonly [name: string]> {
  constructor(redis: Redis, keys: Keys, cards: Cards) {
    super(redis, keys, cards, {
      card: "backup",
      noun: "run",
      index: "runs",
      unsettled: "runs-active",
      scope: ({ name }) => [name],
      keep: keepRuns,
      isUnsettled,
      unknown: (id) => ({ key: "error-run-unknown", args: { run: id } }),
      unrecorded: (id, reason) => ({ key: "error-run-record", args: { run: id, reason } }),
    });
  }

  override async update(...how: Change<BackupRun>): Promise<BackupRun> {
    const run = await super.update(...how);
    // A late record of something that was left behind.
    if (isUnsettled(run) && isFinal(run.status)) await this.redis.sadd(this.unsettledKey, run.id);
    return run;
  }

  /** Runs that are queued or running. */
  async active(): Promise<BackupRun[]> {
    return (await this.unsettled()).filter((run) => !isFinal(run.status));
  }

  /** The newest run whose backup exists, however many have failed since. */
  async lastGood(name: string): Promise<BackupRun | undefined> {
    for (let from = 0; ; from += pageSize) {
      const ids = await this.redis.zrevrange(this.indexKey(name), from, from + pageSize - 1);
      if (ids.length === 0) return undefined;
      const good = (await this.readAll(ids)).find(({ status }) => status === "succeeded" || status === "degraded");
      if (good) return good;
    }
  }

  /**
   * Every run of a name that was recorded after this is still on record, unless Redis has lost it; of older ones some may
   * have been dropped (`prune`). Undefined: none ever was.
   */
  async knownSince(name: string): Promise<Date | undefined> {
    const [, at] = await this.redis.zrevrange(this.indexKey(name), keepRuns - 1, keepRuns - 1, "WITHSCORES");
    return at === undefined ? undefined : new Date(Number(at));
  }

  /**
   * Drops what is older than the newest runs of a name, state of their cards included; never the last good one, nor
   * one for which there is still something to do.
   */
  override async prune(name: string): Promise<number> {
    const beyond = await this.beyond(name);
    if (beyond.length === 0) return 0;
    const kept = new Set([(await this.lastGood(name))?.id, ...(await this.unsettled()).map((run) => run.id)]);
    const old = beyond.filter((id) => !kept.has(id));
    for (const id of old) await this.forget(id, name);
    return old.length;
  }
}
