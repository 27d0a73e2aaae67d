import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { AppError, toAppError } from "../core/errors.ts";
import { type Manifest, manifestFile, manifestFolder, parseManifest } from "../core/manifest.ts";
import { type Pin, type Proof, type Proofs, parsePin, parseProofs, pinFile, proofFile } from "../core/proof.ts";
import { believedManifest, type Flaws, flawsIn } from "../core/soundness.ts";
import { tombstoneFile } from "../core/tombstone.ts";
import type { CachedCopy } from "../state/catalogue.ts";
import type { Storage, StoredObject } from "../storages/types.ts";
import { isNote } from "./audit/notes.ts";

/** A proof, and whose copy it is of. */
export type StoredProof = Proof & { readonly storage: string };

/** A backup as the storages tell it. */
export interface CatalogueEntry {
  /** From the cache: without the rows and sizes of its tables. */
  readonly manifest: Manifest;
  readonly manifestSha256: string;
  /** `<backup name>/<time>-<run id>/`, the same in every storage. */
  readonly folder: string;
  /** Names of the storages whose manifest is there: these hold a complete copy. */
  readonly copies: readonly string[];
  readonly proofs: readonly StoredProof[];
  /** Pinned when any copy is. */
  readonly pin?: Pin;
  /** What was counted in its tables, where any were. */
  readonly counted?: { readonly tables: number; readonly rows: number };
}

/**
 * What could not be read: a storage that can not be read at this moment (no `key`), or a manifest that makes no sense or
 * has vanished since it was listed.
 */
export interface CatalogueProblem {
  readonly storage: string;
  readonly key?: string;
  /** Without `key`: the manifest of the one copy that could not be looked at, of which nothing is known then. */
  readonly unread?: string;
  readonly error: AppError;
}

export interface Catalogue {
  /** Newest first. */
  readonly entries: readonly CatalogueEntry[];
  readonly problems: readonly CatalogueProblem[];
  /** What speaks against copies, by storage and folder. */
  readonly flaws: Flaws;
}

/** Objects that are read at the same time from one storage. */
const readersPerStorage = 8;

/** `<name>/<time>-<run id>/manifest.json`: whatever else lies there is not ours, and never touched. */
const ours = /^([a-z0-9][a-z0-9_-]{0,62})\/\d{8}T\d{6}Z-[0-9a-z]+\/([^/]+)$/;

/** Name and file of an object of ours; undefined for anything else. */
export function ownKey(
  key: string,
): { readonly name: string; readonly folder: string; readonly file: string } | undefined {
  const [, name, file] = ours.exec(key) ?? [];
  if (name === undefined || file === undefined) return undefined;
  return { name, folder: key.slice(0, -file.length), file };
}

/**
 * Reads what backups there are from the storages themselves: a manifest is the proof of a copy. One storage out of
 * reach does not hide the others' copies.
 */
export async function readCatalogue(
  storages: readonly Storage[],
  options: { readonly name?: string; readonly signal: AbortSignal },
): Promise<Catalogue> {
  const looks = await Promise.all(
    storages.map(async (storage) => ({ storage: storage.name, ...(await lookInto(storage, new Map(), options)) })),
  );
  options.signal.throwIfAborted();
  const { entries, conflicts } = mergeCopies(looks);
  return {
    entries,
    problems: [...looks.flatMap(({ problems }) => problems), ...conflicts],
    flaws: flawsIn(looks, []),
  };
}

/** What one storage holds of one name, or of all. */
export interface StorageLook {
  readonly copies: ReadonlyMap<string, CachedCopy>;
  readonly problems: readonly CatalogueProblem[];
  /** Folders in which a removal has begun and was not finished. */
  readonly removing: readonly string[];
  /** Folders without a manifest in which no removal has begun. */
  readonly orphans: readonly Orphan[];
  /** Keys of notes that command lines have left: see `isNote`. */
  readonly notes: readonly string[];
}

/** What lies in a backup's folder that has no manifest: a run at work, or one that was killed and forgotten. */
export interface Orphan {
  readonly folder: string;
  readonly keys: readonly string[];
  /** Of all of them. */
  readonly bytes: number;
}

/** The files of a backup that can change, or that say that it is one. */
interface Found {
  manifest?: StoredObject;
  proof?: StoredObject;
  pin?: StoredObject;
  isRemoving?: true;
  /** Bytes of everything else that lies there. */
  readonly files: Map<string, number>;
  /** Of its parts, where the store tells. */
  storageClass?: string;
}

/** What is looked for: one backup's folder, all of one name, or everything. */
export interface LookOptions {
  readonly name?: string;
  /** As `runFolder` gives it. */
  readonly folder?: string;
  readonly signal: AbortSignal;
}

/**
 * Lists a storage and reads what is not in `known` already. A manifest never changes once it is there, so one of the
 * same size and time is not read again. Memory: what lies there of this name, no objects beside it.
 */
export async function lookInto(
  storage: Storage,
  known: ReadonlyMap<string, CachedCopy>,
  options: LookOptions,
): Promise<StorageLook> {
  const copies = new Map<string, CachedCopy>();
  const problems: CatalogueProblem[] = [];
  const removing: string[] = [];
  const orphans: Orphan[] = [];
  const notes: string[] = [];
  const running = new Set<Promise<void>>();
  const visit = async (folder: string, found: Found): Promise<void> => {
    if (!found.manifest) {
      if (!found.isRemoving) orphans.push(orphanOf(folder, found));
      return;
    }
    try {
      copies.set(
        folder,
        await readCopy(storage, folder, { ...found, manifest: found.manifest }, known.get(folder), options.signal),
      );
    } catch (cause) {
      const { key } = found.manifest;
      const error = toAppError(cause);
      problems.push({ storage: storage.name, ...(isOfManifest(error, key) ? { key } : { unread: key }), error });
    }
  };
  try {
    // A folder's objects follow each other: with the next folder the one before is complete.
    let current: { folder: string; found: Found } | undefined;
    const next = async (): Promise<void> => {
      if (!current) return;
      if (running.size >= readersPerStorage) await Promise.race(running);
      const visiting: Promise<void> = visit(current.folder, current.found).finally(() => running.delete(visiting));
      running.add(visiting);
    };
    const prefix = options.folder ?? (options.name === undefined ? "" : `${options.name}/`);
    for await (const object of storage.list(prefix, options.signal)) {
      if (isNote(object.key)) notes.push(object.key);
      const own = ownKey(object.key);
      if (!own) continue;
      if (own.folder !== current?.folder) {
        await next();
        current = { folder: own.folder, found: { files: new Map() } };
      }
      if (own.file === tombstoneFile) removing.push(own.folder);
      addTo(current.found, own.file, object);
    }
    await next();
  } catch (error) {
    problems.push({ storage: storage.name, error: toAppError(error) });
  }
  await Promise.all(running);
  return { copies, problems, removing, orphans, notes };
}

/** Whether it tells of the manifest itself; all else tells of the storage, and only at this moment. */
function isOfManifest({ code, context }: AppError, key: string): boolean {
  return code === "manifest" || (code === "not-found" && context["key"] === key);
}

function addTo(found: Found, file: string, object: StoredObject): void {
  if (file === manifestFile) found.manifest = object;
  else if (file === proofFile) found.proof = object;
  else if (file === pinFile) found.pin = object;
  else if (file === tombstoneFile) found.isRemoving = true;
  else {
    found.files.set(file, object.bytes);
    if (object.storageClass !== undefined) found.storageClass = object.storageClass;
  }
}

function orphanOf(folder: string, { proof, pin, files }: Found): Orphan {
  const beside = [proof, pin].filter((object) => object !== undefined);
  const keys = [...[...files.keys()].map((file) => `${folder}${file}`), ...beside.map(({ key }) => key)];
  const bytes = [...files.values(), ...beside.map((object) => object.bytes)].reduce((sum, one) => sum + one, 0);
  return { folder, keys, bytes };
}

async function readCopy(
  storage: Storage,
  folder: string,
  found: Found & { readonly manifest: StoredObject },
  known: CachedCopy | undefined,
  signal: AbortSignal,
): Promise<CachedCopy> {
  const read = async (key: string): Promise<Uint8Array> => await buffer(await storage.read(key, signal));
  const isKnown = known?.manifestBytes === found.manifest.bytes && known.storedAt === found.manifest.modified;
  const told = isKnown ? known : describe(await read(found.manifest.key), folder);
  const proofMark = found.proof && `${found.proof.bytes} ${found.proof.modified ?? ""}`;
  let looks: Pick<CachedCopy, "proofs" | "altered"> = { proofs: [] };
  if (isKnown && known.proofMark === proofMark) looks = known;
  else if (found.proof) looks = proofsOf(parseProofs(await read(found.proof.key)), told.manifestSha256);
  const pin = found.pin && (known?.pin ?? parsePin(await read(found.pin.key)));
  const { manifest, manifestSha256, manifestBytes, counted } = told;
  const isComplete = manifest.parts.every(({ file, bytes }) => found.files.get(file) === bytes);
  return {
    manifest,
    manifestSha256,
    manifestBytes,
    ...optional({ counted, storageClass: found.storageClass }),
    proofs: looks.proofs,
    ...(looks.altered ? { altered: true as const } : {}),
    ...(isComplete ? {} : { incomplete: true as const }),
    ...(found.manifest.modified === undefined ? {} : { storedAt: found.manifest.modified }),
    ...(proofMark === undefined ? {} : { proofMark }),
    ...(pin ? { pin } : {}),
  };
}

/** Those of another manifest prove nothing but that this is not the one that was proven. */
function proofsOf(stored: Proofs | undefined, manifestSha256: string): Pick<CachedCopy, "proofs" | "altered"> {
  if (stored === undefined) return { proofs: [] };
  return stored.manifestSha256 === manifestSha256 ? { proofs: stored.proofs } : { proofs: [], altered: true };
}

/** Without what is undefined. */
function optional(some: {
  readonly counted: CachedCopy["counted"] | undefined;
  readonly storageClass: string | undefined;
}): Pick<CachedCopy, "counted" | "storageClass"> {
  const { counted, storageClass } = some;
  return { ...(counted ? { counted } : {}), ...(storageClass === undefined ? {} : { storageClass }) };
}

/** What the cache keeps of a manifest. Throws `manifest` when it is none, or that of another folder. */
export function describe(
  bytes: Uint8Array,
  folder: string,
): Pick<CachedCopy, "manifest" | "manifestSha256" | "manifestBytes" | "counted"> {
  const manifest = parseManifest(bytes);
  if (manifestFolder(manifest) !== folder) {
    const text = { key: "error-manifest-elsewhere", args: { folder, run: manifest.id } };
    throw new AppError("manifest", `the manifest in ${folder} is that of ${manifest.name} ${manifest.id}`, { text });
  }
  return {
    manifest: {
      ...manifest,
      parts: manifest.parts.map((part) => ({ ...part, tables: undefined, tableBytes: undefined })),
    },
    manifestSha256: createHash("sha256").update(bytes).digest("hex"),
    manifestBytes: bytes.length,
    ...countedIn(manifest),
  };
}

/** Tables and rows of all parts together; nothing where none were counted. */
function countedIn({ parts }: Manifest): Pick<CachedCopy, "counted"> {
  const counts = parts.flatMap(({ tables }) => Object.values(tables ?? {}));
  return counts.length === 0
    ? {}
    : { counted: { tables: counts.length, rows: counts.reduce((sum, count) => sum + count, 0) } };
}

interface Merged {
  readonly told: CachedCopy;
  readonly copies: string[];
  readonly proofs: StoredProof[];
  pin?: Pin;
}

function byFolder(
  looks: readonly { readonly storage: string; readonly copies: ReadonlyMap<string, CachedCopy> }[],
): ReadonlyMap<string, readonly [storage: string, copy: CachedCopy][]> {
  const seen = new Map<string, [storage: string, copy: CachedCopy][]>();
  for (const { storage, copies } of looks)
    for (const [folder, copy] of copies) {
      const all = seen.get(folder);
      if (all) all.push([storage, copy]);
      else seen.set(folder, [[storage, copy]]);
    }
  return seen;
}

/**
 * One list of what several storages hold, newest first; copies in the order of the storages. A copy whose manifest is
 * not the one to be believed is a conflict, and no copy; where nothing tells which one that is, each of them is a
 * conflict, and the first one stands for the backup.
 */
export function mergeCopies(
  looks: readonly { readonly storage: string; readonly copies: ReadonlyMap<string, CachedCopy> }[],
): { readonly entries: CatalogueEntry[]; readonly conflicts: CatalogueProblem[] } {
  const entries = new Map<string, Merged>();
  const conflicts: CatalogueProblem[] = [];
  for (const [folder, all] of byFolder(looks)) {
    const believed = believedManifest(all.map(([, copy]) => copy));
    const told = (all.find(([, { manifestSha256 }]) => manifestSha256 === believed) ?? all[0])?.[1];
    if (!told) continue;
    const entry: Merged = { told, copies: [], proofs: [] };
    entries.set(folder, entry);
    for (const [storage, copy] of all) {
      if (copy.manifestSha256 !== believed) conflicts.push(conflict(storage, `${folder}${manifestFile}`));
      if (copy.manifestSha256 !== told.manifestSha256) continue;
      entry.copies.push(storage);
      entry.proofs.push(...copy.proofs.map((proof) => ({ ...proof, storage })));
      if (copy.pin) entry.pin ??= copy.pin;
    }
  }
  const list = [...entries].map(([folder, { told, copies, proofs, pin }]): CatalogueEntry => {
    const { manifest, manifestSha256, counted } = told;
    return {
      manifest,
      manifestSha256,
      folder,
      copies,
      proofs,
      ...(pin ? { pin } : {}),
      ...(counted ? { counted } : {}),
    };
  });
  list.sort((a, b) => {
    const [one, other] = [a.manifest.startedAt, b.manifest.startedAt];
    return one === other ? (a.folder < b.folder ? 1 : -1) : one < other ? 1 : -1;
  });
  return { entries: list, conflicts };
}

function conflict(storage: string, key: string): CatalogueProblem {
  const text = { key: "error-manifest-differs", args: { object: key } };
  return { storage, key, error: new AppError("conflict", `${key} differs between the storages`, { text }) };
}
