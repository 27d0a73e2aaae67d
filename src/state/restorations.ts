import { type Manifest, manifestSchema } from "../core/manifest.ts";
import type { Restoration } from "../core/restoration.ts";
import { isOpen } from "../core/restoration-life.ts";
import type { Cards } from "./cards.ts";
import { type Change, Ledger } from "./ledger.ts";
import type { Keys, Redis } from "./redis.ts";

/** How many restorations of a name stay known. */
const keepRestorations = 100;

/** Restorations by the name of the backup, and the manifests of what they have read. */
export class RestorationStates extends Ledger<Restoration, readonly [name: string]> {
  constructor(redis: Redis, keys: Keys, cards: Cards) {
    super(redis, keys, cards, {
      card: "restoration",
      noun: "restore",
      index: "restorations",
      unsettled: "restorations-open",
      scope: ({ name }) => [name],
      keep: keepRestorations,
      isUnsettled: isOpen,
      unknown: (id) => ({ key: "error-restoration-unknown", args: { id } }),
      unrecorded: (id, reason) => ({ key: "error-restoration-record", args: { id, reason } }),
    });
  }

  override async update(...how: Change<Restoration>): Promise<Restoration> {
    const [id] = how;
    // One that is opened once more is in the index before it is open.
    await this.redis.sadd(this.unsettledKey, id);
    const restoration = await super.update(...how);
    if (isOpen(restoration)) return restoration;
    // It has left the index, unless somebody has opened it once more at this very moment.
    const current = await this.read(id);
    if (current && isOpen(current)) await this.redis.sadd(this.unsettledKey, id);
    return restoration;
  }

  /** Remembers the manifest: what is taken back may need it when no storage can be reached. */
  async keepManifest(id: string, manifest: Manifest): Promise<void> {
    await this.redis.set(this.#manifestKey(id), JSON.stringify(manifest));
  }

  async manifest(id: string): Promise<Manifest | undefined> {
    const text = await this.redis.get(this.#manifestKey(id));
    return text === null ? undefined : manifestSchema.parse(JSON.parse(text));
  }

  protected override async forget(id: string, name: string): Promise<void> {
    await this.redis.del(this.#manifestKey(id));
    await super.forget(id, name);
  }

  #manifestKey(id: string): string {
    return this.keys.of("restoration-manifest", id);
  }
}
