import type { Manifest } from "../../core/manifest.ts";
import { deepest, type Proof } from "../../core/proof.ts";
import type { Flaw } from "../../core/soundness.ts";
import type { BotDeps } from "../context.ts";

export type RestorableDeps = Pick<BotDeps, "catalogue" | "verificationOrders">;

/** A backup that somebody may want back. */
export interface Restorable {
  /** Id of its run. */
  readonly id: string;
  /** Its folder, the same in every storage. */
  readonly folder: string;
  readonly manifest: Manifest;
  readonly proofs: readonly (Proof & { readonly storage: string })[];
  readonly copies: readonly { readonly storage: string; readonly flaw?: Flaw }[];
  /** There is a copy that is complete and that nothing is known to speak against. */
  readonly isGood: boolean;
}

/** All that are known of a name, newest first: by the catalogue, and those that it has not seen yet. */
export async function restorables(deps: RestorableDeps, name: string): Promise<readonly Restorable[]> {
  const found = new Map<string, { manifest: Manifest; proofs: Restorable["proofs"]; copies: Restorable["copies"] }>();
  for (const { storage, copies, flaws } of await deps.catalogue.copies(name))
    for (const [folder, { manifest, proofs }] of copies) {
      const known = found.get(folder) ?? { manifest, proofs: [], copies: [] };
      const flaw = flaws.get(folder);
      found.set(folder, {
        ...known,
        proofs: [...known.proofs, ...proofs.map((proof) => ({ ...proof, storage }))],
        copies: [...known.copies, { storage, ...(flaw === undefined ? {} : { flaw }) }],
      });
    }
  for (const { folder, manifest, proofs, copies } of await deps.verificationOrders.backups(name)) {
    const known = found.get(folder) ?? { manifest, proofs, copies: [] };
    const unseen = copies.filter((storage) => !known.copies.some((copy) => copy.storage === storage));
    found.set(folder, { ...known, copies: [...known.copies, ...unseen.map((storage) => ({ storage }))] });
  }
  return [...found]
    .map(([folder, backup]) => ({
      ...backup,
      folder,
      id: backup.manifest.id,
      isGood: backup.copies.some(({ flaw }) => flaw === undefined),
    }))
    .toSorted((a, b) => (a.manifest.startedAt < b.manifest.startedAt ? 1 : -1));
}

/** What "the last good one before" a moment is. */
export interface ChosenBefore {
  readonly chosen: Restorable;
  /** Newer ones, before that moment too, that are incomplete or damaged. */
  readonly passedOver: number;
  /** A look at the chosen one has held. */
  readonly isProven: boolean;
  /** Where no look at the chosen one has held so far: the newest good one before it of which one has. */
  readonly proven?: Restorable;
}

/** Of these, newest first, the newest good one that was finished before a moment; undefined: there is none. */
export function lastGoodBefore(all: readonly Restorable[], moment: Date): ChosenBefore | undefined {
  const before = all.filter(({ manifest }) => Date.parse(manifest.finishedAt) <= moment.getTime());
  const index = before.findIndex(({ isGood }) => isGood);
  const chosen = before[index];
  if (!chosen) return undefined;
  if (isProven(chosen)) return { chosen, passedOver: index, isProven: true };
  const proven = before.find((one) => one.isGood && isProven(one));
  return { chosen, passedOver: index, isProven: false, ...(proven ? { proven } : {}) };
}

function isProven({ proofs }: Restorable): boolean {
  return deepest(proofs) !== undefined;
}
