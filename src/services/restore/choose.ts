import { AppError, toAppError } from "../../core/errors.ts";
import { type Manifest, manifestFile } from "../../core/manifest.ts";
import type { Proof } from "../../core/proof.ts";
import { flawsIn, type SeenStorage } from "../../core/soundness.ts";
import type { CachedCopy } from "../../state/catalogue.ts";
import type { Storage } from "../../storages/types.ts";
import { readCopyManifest } from "../backup/proofs.ts";
import { type CatalogueEntry, lookInto, ownKey, readCatalogue } from "../catalogue.ts";

/** A backup, and the storages in which its manifest was seen. */
export interface FoundBackup {
  readonly name: string;
  /** Run id. */
  readonly id: string;
  readonly folder: string;
  readonly storages: readonly Storage[];
  /** Storages that could not be looked into: what they hold may be newer. */
  readonly unseen: readonly { readonly storage: Storage; readonly error: AppError }[];
}

/**
 * The newest backup that is meant: by the id of its run, by its name, `latest:<name>`, or `<name>@<beginning of its
 * time>` ("app@20260301", "app@2026-03-01T03"; UTC). Of a backup that somebody names only storages are asked, no cache. A
 * storage out of reach hides only what lies nowhere else. Rejects when none was found and one could not be looked into.
 */
export async function findBackup(
  storages: readonly Storage[],
  which: string,
  signal: AbortSignal,
): Promise<FoundBackup | undefined> {
  const folders = new Map<string, Storage[]>();
  const unseen: { storage: Storage; error: AppError }[] = [];
  for (const storage of storages) {
    try {
      for await (const { key } of storage.list("", signal)) {
        const own = ownKey(key);
        if (own?.file !== manifestFile || !isMeant(own.folder, which)) continue;
        folders.set(own.folder, [...(folders.get(own.folder) ?? []), storage]);
      }
    } catch (error) {
      signal.throwIfAborted();
      unseen.push({ storage, error: toAppError(error) });
    }
  }
  if (folders.size === 0 && unseen[0]) throw unseen[0].error;
  const time = (folder: string): string => folder.slice(folder.indexOf("/") + 1);
  const [newest] = [...folders].toSorted(([a], [b]) => (time(a) < time(b) ? 1 : -1));
  if (!newest) return undefined;
  const [folder, copies] = newest;
  const [name = "", run = ""] = folder.split("/");
  return { name, id: run.slice(run.indexOf("-") + 1), folder, storages: copies, unseen };
}

/** Whether a folder is what was said: see `findBackup`. */
export function isMeant(folder: string, which: string): boolean {
  const [name = "", run = ""] = folder.split("/");
  if (run.slice(run.indexOf("-") + 1) === which) return true;
  const [wanted = "", time] = which.replace(/^latest:/, "").split("@");
  // An empty time is a slip, and not the newest.
  return wanted === name && time !== "" && run.startsWith((time ?? "").replaceAll(/[-:]/g, ""));
}

/** The newest backup of that name, besides one, that can be restored as far as anybody knows. */
export async function newestWhole(
  storages: readonly Storage[],
  { name, folder: besides }: Pick<FoundBackup, "name" | "folder">,
  signal: AbortSignal,
): Promise<CatalogueEntry | undefined> {
  const { entries, flaws } = await readCatalogue(storages, { name, signal });
  const isWhole = ({ copies, folder }: CatalogueEntry): boolean =>
    copies.some((storage) => flaws.get(storage)?.has(folder) !== true);
  return entries.find((entry) => entry.folder !== besides && isWhole(entry));
}

/** One copy of a backup, as it was found just now. */
export interface FoundCopy {
  readonly storage: Storage;
  readonly manifest: Manifest;
  /** Hex, of the manifest's bytes. */
  readonly manifestSha256: string;
  /** Nothing is known to speak against it, nor against what it needs of earlier ones. */
  readonly sound: boolean;
  /** Why it is not known whether it is sound: its storage could not be read at this moment. */
  readonly unseen?: AppError;
  readonly proofs: readonly Proof[];
}

/** The copies that can be read from, in the order in which they are to be tried, and those that cannot. */
export interface FoundCopies {
  readonly copies: readonly FoundCopy[];
  readonly refused: readonly { readonly storage: Storage; readonly error: AppError }[];
}

/**
 * Reads the manifests of all copies: sound ones first, among them those on this machine's disk. Rejects when none can be
 * read (of a newer version, say), and with `conflict` when two of them tell different things: one of them was altered, and
 * a person has to say which.
 */
export async function findCopies({ folder, name, storages }: FoundBackup, signal: AbortSignal): Promise<FoundCopies> {
  const found: Omit<FoundCopy, "sound">[] = [];
  const looks: SeenStorage<CachedCopy>[] = [];
  const refused: { storage: Storage; error: AppError }[] = [];
  for (const storage of storages) {
    try {
      const { manifest, sha256 } = await readCopyManifest(storage, folder, undefined, signal);
      const { copies, unseen } = await lookAt(storage, manifest, { name, folder, signal });
      const proofs = copies.get(folder)?.proofs ?? [];
      found.push({ storage, manifest, manifestSha256: sha256, proofs, ...(unseen ? { unseen } : {}) });
      looks.push({ storage: storage.name, copies });
    } catch (error) {
      signal.throwIfAborted();
      refused.push({ storage, error: toAppError(error) });
    }
  }
  if (found.length === 0 && refused[0]) throw refused[0].error;
  if (new Set(found.map(({ manifestSha256 }) => manifestSha256)).size > 1) throw different(folder, found);
  const flaws = flawsIn(looks, []);
  const isSound = ({ storage, unseen }: Omit<FoundCopy, "sound">): boolean =>
    unseen === undefined &&
    looks.some((look) => look.storage === storage.name && look.copies.has(folder)) &&
    flaws.get(storage.name)?.get(folder) === undefined;
  const copies = found.map((copy) => ({ ...copy, sound: isSound(copy) }));
  const rank = ({ sound, storage }: FoundCopy): number => (sound ? 2 : 0) + (storage.local ? 1 : 0);
  return { copies: copies.toSorted((a, b) => rank(b) - rank(a)), refused };
}

/** The backup, and the earlier ones whose parts it needs; `unseen`: why not all of them could be seen. */
async function lookAt(
  storage: Storage,
  manifest: Manifest,
  options: { name: string; folder: string; signal: AbortSignal },
): Promise<{ readonly copies: Map<string, CachedCopy>; readonly unseen: AppError | undefined }> {
  const folders = new Set([options.folder, ...manifest.references.map((reference) => reference.folder)]);
  const seen = new Map<string, CachedCopy>();
  let unseen: AppError | undefined;
  for (const folder of folders) {
    const { copies, problems } = await lookInto(storage, new Map(), { ...options, folder });
    for (const [at, copy] of copies) seen.set(at, copy);
    unseen ??= problems.find(({ key }) => key === undefined)?.error;
  }
  return { copies: seen, unseen };
}

function different(folder: string, copies: readonly Pick<FoundCopy, "storage">[]): AppError {
  const names = copies.map(({ storage }) => storage.name).join(", ");
  const message = `the manifests of ${folder} differ between ${names}: one of them was altered; name one storage`;
  return new AppError("conflict", message, { text: { key: "error-restore-manifests", args: { folder, names } } });
}
