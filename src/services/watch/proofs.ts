import type { Config } from "../../app/config.ts";
import type { Suspicion } from "../../core/verification.ts";
import type { CatalogueCache } from "../../state/catalogue.ts";
import type { Verifications } from "../../state/verifications.ts";
import { type Finding, stamp, type WatchCheck } from "./types.ts";

export interface ProofsCheckDeps {
  readonly config: Pick<Config, "storages" | "timezone">;
  readonly verifications: Pick<Verifications, "suspicions" | "clear">;
  readonly catalogueCache: Pick<CatalogueCache, "readOne" | "readLook">;
}

/**
 * Copies of backups that a verification has spoken against, until a later one is good or the copy is gone; and those
 * at which nobody could look.
 */
export function proofsCheck(deps: ProofsCheckDeps): WatchCheck {
  return {
    name: "proofs",
    look: async () => {
      const found: Finding[] = [];
      for (const suspicion of await deps.verifications.suspicions()) {
        if (await isGone(suspicion, deps)) await deps.verifications.clear(suspicion);
        else found.push(findingOf(suspicion, deps.config.timezone));
      }
      return found;
    },
  };
}

/** Whether the copy was removed since then, by a look into the storage that is newer. */
async function isGone(
  { storage, name, folder, at, proven }: Suspicion,
  { config, catalogueCache }: ProofsCheckDeps,
): Promise<boolean> {
  if (config.storages[storage] === undefined) return true;
  if (!proven) return false;
  if (await catalogueCache.readOne(storage, name, folder)) return false;
  const look = await catalogueCache.readLook(storage, name);
  // One whose manifest cannot be read is not listed either, and is there all the same.
  return look !== undefined && !look.error && !look.unreadable && look.at > at;
}

function findingOf(suspicion: Suspicion, timezone: string): Finding {
  const { name, backup, folder, backupAt, storage, error, proven } = suspicion;
  const at = stamp(new Date(backupAt), timezone);
  const labels = { backup: name, storage, run: backup };
  // The reason is a sentence of its own where it has one; arguments of a text are plain.
  const reason = error.message;
  if (!proven)
    return {
      fingerprint: `unverified:${storage}:${name}`,
      severity: "warning",
      title: { key: "watch-unverified", args: { name, storage } },
      text: { key: "watch-unverified-text", args: { at, reason } },
      labels,
      since: new Date(suspicion.at),
    };
  return {
    fingerprint: `proof:${storage}:${folder}`,
    severity: "critical",
    title: { key: "watch-proof", args: { name, storage, at } },
    text: { key: "watch-proof-text", args: { reason, name, folder } },
    labels,
    since: new Date(suspicion.at),
  };
}
