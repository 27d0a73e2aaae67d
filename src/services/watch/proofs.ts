import type { Config } from "../../app/config.ts";
import { failure, isAsDeep, type Proof } from "../../core/proof.ts";
import { reasonOf, type Suspicion } from "../../core/verification.ts";
import type { CatalogueCache } from "../../state/catalogue.ts";
import type { Verifications } from "../../state/verifications.ts";
import { type Finding, stamp, type WatchCheck } from "./types.ts";

export interface ProofsCheckDeps {
  readonly config: Pick<Config, "storages" | "timezone">;
  readonly verifications: Pick<Verifications, "suspicions" | "clear">;
  readonly catalogueCache: Pick<CatalogueCache, "failed" | "folders" | "readOne" | "readSome" | "readLook">;
}

type Suspect = Omit<Suspicion, "depth" | "location">;

/** Of how many newest backups of a name the proofs are read for one that makes good that nobody could look. */
const newestProofs = 50;

/**
 * Copies of backups that a look has spoken against, until a later one is good or the copy is gone; and those at which
 * nobody could look. What lies beside the manifests counts, whoever has written it, and what is on record here: a proof
 * may have found no place there.
 */
export function proofsCheck(deps: ProofsCheckDeps): WatchCheck {
  const { config, verifications, catalogueCache } = deps;
  return {
    name: "proofs",
    look: async () => {
      const found = new Map<string, Finding>();
      const add = (suspect: Suspect): void => {
        const finding = findingOf(suspect, config.timezone);
        found.set(finding.fingerprint, finding);
      };
      for (const suspicion of await verifications.suspicions()) {
        if ((await isGone(suspicion, deps)) || (await isMadeGood(suspicion, deps)))
          await verifications.clear(suspicion);
        else add(suspicion);
      }
      for (const place of await catalogueCache.failed()) {
        if (config.storages[place.storage] === undefined) continue;
        const copy = await catalogueCache.readOne(place.storage, place.name, place.folder);
        const bad = copy && failure(copy.proofs);
        if (!bad) continue;
        const { id, startedAt } = copy.manifest;
        add({ ...place, backup: id, backupAt: startedAt, at: bad.at, proven: true, error: reasonOf(bad) });
      }
      return [...found.values()];
    },
  };
}

/** Whether a later look at it, as deep, was good: also one at a terminal, of which only the proof beside it tells. */
async function isMadeGood(suspicion: Suspicion, { catalogueCache }: ProofsCheckDeps): Promise<boolean> {
  const { storage, name, folder, at, depth, proven } = suspicion;
  const newest = proven ? [] : (await catalogueCache.folders(storage, name)).slice(-newestProofs);
  const copies = await catalogueCache.readSome(storage, name, [folder, ...newest]);
  // For one at which nobody could look it is enough that one could go as deep as was wanted.
  const reached = (proof: Proof) => (proven ? proof.depth : (proof.wanted ?? proof.depth));
  return [...copies.values()]
    .flatMap(({ proofs }) => proofs)
    .some((proof) => proof.ok && proof.at > at && isAsDeep(reached(proof), depth));
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

function findingOf(suspicion: Suspect, timezone: string): Finding {
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
