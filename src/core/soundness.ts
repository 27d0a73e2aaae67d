import type { Manifest, ManifestReference } from "./manifest.ts";
import { failure, type Proof } from "./proof.ts";

/** One backup's copy in one storage, as it was read there. */
export interface SeenCopy {
  readonly manifest: Pick<Manifest, "parts" | "references">;
  readonly manifestSha256: string;
  readonly proofs: readonly Proof[];
  /** A part of its own is missing, or has another size than the manifest says. */
  readonly incomplete?: true;
  /** The proof beside it is of another manifest. */
  readonly altered?: true;
}

/** What one storage holds of one name, by folder. */
export interface SeenStorage<C extends SeenCopy = SeenCopy> {
  readonly storage: string;
  readonly copies: ReadonlyMap<string, C>;
}

/** What is on record against a copy, whether or not it could be written beside it. */
export interface Suspect {
  readonly storage: string;
  readonly folder: string;
  /** False: nobody could look, which says nothing against it. */
  readonly proven: boolean;
  readonly error: { readonly object?: string | undefined };
}

/**
 * What speaks against a copy. `incomplete`: a part is missing. `damaged`: a look at it has failed, or its manifest is not
 * the one that was written. `conflict`: other storages have another manifest for it. `chain`: a part of an earlier run
 * that it needs is not there, or is one of these itself.
 */
export type Flaw = "incomplete" | "damaged" | "conflict" | "chain";

/** Of each storage, the folders whose copies are not sound, and why. */
export type Flaws = ReadonlyMap<string, ReadonlyMap<string, Flaw>>;

/**
 * The one judgement on copies: what is not in it is sound, as far as anybody knows, and can be restored from its storage
 * alone. `looks`: of one name, with everything that the copies point at.
 */
export function flawsIn(looks: readonly SeenStorage[], suspicions: readonly Suspect[]): Flaws {
  const conflicting = conflictsIn(looks);
  return new Map(
    looks.map(({ storage, copies }) => {
      const own = suspicions.filter((suspicion) => suspicion.proven && suspicion.storage === storage);
      return [storage, flawsOf(copies, own, (folder) => conflicting.has(placeOf(storage, folder)))];
    }),
  );
}

function flawsOf(
  copies: ReadonlyMap<string, SeenCopy>,
  suspicions: readonly Suspect[],
  isConflict: (folder: string) => boolean,
): ReadonlyMap<string, Flaw> {
  const flaws = new Map<string, Flaw>();
  // Folders whose parts nobody may count on. A look that failed for an earlier run's part says nothing against its own.
  const suspect = new Set<string>();
  const accuse = (folder: string, object: string | undefined): void => {
    flaws.set(folder, "damaged");
    suspect.add(object === undefined ? folder : folderOf(object));
  };
  for (const { folder, error } of suspicions) accuse(folder, error.object);
  for (const [folder, copy] of copies) {
    const bad = failure(copy.proofs);
    if (bad) accuse(folder, bad.error?.object);
    else if (copy.altered) accuse(folder, undefined);
    if (copy.incomplete || isConflict(folder)) {
      flaws.set(folder, copy.incomplete ? "incomplete" : "conflict");
      suspect.add(folder);
    }
  }
  for (const folder of suspect) if (!flaws.has(folder)) flaws.set(folder, "damaged");
  const isThere = ({ folder, file, bytes, sha256 }: ManifestReference): boolean =>
    !suspect.has(folder) &&
    copies.get(folder)?.manifest.parts.some((p) => p.file === file && p.bytes === bytes && p.sha256 === sha256) ===
      true;
  for (const [folder, { manifest }] of copies)
    if (manifest.references.length > 0 && !flaws.has(folder) && !manifest.references.every(isThere))
      flaws.set(folder, "chain");
  return flaws;
}

/** Copies whose manifest another storage does not confirm. */
function conflictsIn(looks: readonly SeenStorage[]): ReadonlySet<string> {
  const found = new Set<string>();
  const first = new Map<string, string>();
  const differing = new Set<string>();
  for (const { copies } of looks) {
    for (const [folder, { manifestSha256 }] of copies) {
      const known = first.get(folder);
      if (known === undefined) first.set(folder, manifestSha256);
      else if (known !== manifestSha256) differing.add(folder);
    }
  }
  for (const folder of differing) {
    const seen = looks.flatMap(({ storage, copies }) => {
      const copy = copies.get(folder);
      return copy ? [{ storage, copy }] : [];
    });
    const own = believedManifest(seen.map(({ copy }) => copy));
    for (const { storage, copy } of seen) if (copy.manifestSha256 !== own) found.add(placeOf(storage, folder));
  }
  return found;
}

/**
 * Of the copies of one backup, the SHA-256 of the manifest that is to be believed where they differ: the one that a proof
 * beside it vouches for, else the one that most of them have. Undefined where neither tells.
 */
export function believedManifest(copies: readonly SeenCopy[]): string | undefined {
  const sha256 = copies[0]?.manifestSha256;
  if (copies.every((copy) => copy.manifestSha256 === sha256)) return sha256;
  // Proofs count only where they are of that manifest.
  for (const witnesses of [copies.filter(({ proofs }) => proofs.length > 0), copies]) {
    const counts = new Map<string, number>();
    for (const { manifestSha256 } of witnesses) counts.set(manifestSha256, (counts.get(manifestSha256) ?? 0) + 1);
    const [first, second] = [...counts].toSorted(([, a], [, b]) => b - a);
    if (first && first[1] > (second?.[1] ?? 0)) return first[0];
  }
  return undefined;
}

function placeOf(storage: string, folder: string): string {
  return `${storage} ${folder}`;
}

function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf("/") + 1);
}
