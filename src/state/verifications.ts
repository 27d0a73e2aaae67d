import type { Depth } from "../core/proof.ts";
import {
  type LastLook,
  needsVerifier,
  type RestoreTime,
  type Suspicion,
  type Verification,
} from "../core/verification.ts";
import type { Cards } from "./cards.ts";
import { Ledger } from "./ledger.ts";
import type { Keys, Redis } from "./redis.ts";

/** How many verifications of a name stay known. */
const keepVerifications = 100;
/** How many measured restores of a name are kept. */
const keepRestores = 20;

/**
 * Verifications by the name of the backup, and what came of them: copies under suspicion, how long restores took, the
 * newest looks.
 */
export class Verifications extends Ledger<Verification, readonly [name: string]> {
  constructor(redis: Redis, keys: Keys, cards: Cards) {
    super(redis, keys, cards, {
      card: "verify",
      noun: "verification",
      index: "verifications",
      unsettled: "verifications-active",
      scope: ({ name }) => [name],
      keep: keepVerifications,
      isUnsettled: needsVerifier,
      unknown: (id) => ({ key: "error-verification-unknown", args: { verification: id } }),
      unrecorded: (id, reason) => ({ key: "error-verification-record", args: { verification: id, reason } }),
    });
  }

  /** Copies that a look has spoken against, and names whose newest look could not be made. */
  async suspicions(): Promise<Suspicion[]> {
    const all = await this.redis.hvals(this.keys.of("suspicions"));
    return all.map((text) => JSON.parse(text) as Suspicion);
  }

  async suspect(suspicion: Suspicion): Promise<void> {
    await this.redis.hset(this.keys.of("suspicions"), fieldOf(suspicion), JSON.stringify(suspicion));
  }

  async clear(suspicion: Suspicion): Promise<void> {
    await this.redis.hdel(this.keys.of("suspicions"), fieldOf(suspicion));
  }

  /** Remembers a measured restore; the newest ones stay. */
  async addRestore(name: string, time: RestoreTime): Promise<void> {
    const key = this.keys.of("restore-times", name);
    await this.redis.lpush(key, JSON.stringify(time));
    await this.redis.ltrim(key, 0, keepRestores - 1);
  }

  /** How long test-restores of a name took, newest first. */
  async restores(name: string): Promise<RestoreTime[]> {
    const all = await this.redis.lrange(this.keys.of("restore-times", name), 0, keepRestores - 1);
    return all.map((text) => JSON.parse(text) as RestoreTime);
  }

  async noteLook(look: LastLook): Promise<void> {
    await this.redis.hset(this.keys.of("last-looks"), lookField(look), JSON.stringify(look));
  }

  /** The newest look of each name, storage and depth. */
  async lastLooks(): Promise<LastLook[]> {
    return (await this.redis.hvals(this.keys.of("last-looks"))).map((text) => JSON.parse(text) as LastLook);
  }
}

/** One per copy where the copy did not hold; one per name and storage where nobody could tell. */
function fieldOf({ proven, name, storage, folder }: Suspicion): string {
  return proven ? `copy ${storage} ${folder}` : `name ${storage} ${name}`;
}

function lookField({ name, storage, depth }: { name: string; storage: string; depth: Depth }): string {
  return `${name} ${storage} ${depth}`;
}
