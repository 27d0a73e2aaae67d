import { buffer } from "node:stream/consumers";
import { AppError, toAppError } from "../../core/errors.ts";
import { type Manifest, manifestFile } from "../../core/manifest.ts";
import { pinFile } from "../../core/proof.ts";
import type { CachedCopy } from "../../state/catalogue.ts";
import type { Storage } from "../../storages/types.ts";
import { copyBackup } from "../backup/copy.ts";
import { takeLeaseFiles } from "../backup/lease-file.ts";
import { readCopyManifest } from "../backup/proofs.ts";
import { lookInto } from "../catalogue.ts";
import { isMeant } from "./choose.ts";

/** A storage that is to be filled from another one. */
export interface FillOrder {
  readonly from: Storage;
  readonly to: Storage;
  /** Undefined: all that is there; a name: all of it; an id, `<name>@<time>` or `latest:<name>`: that one, and what it needs. */
  readonly which?: string | undefined;
  readonly host: string;
  readonly signal: AbortSignal;
  readonly observer: FillObserver;
}

/** Told of what happens, to be shown. */
export interface FillObserver {
  /** Backups that will be copied, of so many bytes altogether. */
  begins(backups: number, bytes: number): void;
  /** Bytes of all of them so far. */
  progress(bytes: number): void;
  copied(folder: string, manifest: Manifest): void;
  /** The others go on. */
  failed(folder: string, error: AppError): void;
}

/** What came of it. */
export interface Filled {
  readonly copied: readonly string[];
  /** Folders of those that were there already. */
  readonly there: readonly string[];
  readonly failed: readonly { readonly folder: string; readonly error: AppError }[];
}

/**
 * Copies backups from one storage to another, byte by byte and compared on the way: oldest first, what others need before
 * them, the manifest of each last. What is there already stays; nothing is replaced: one that is there and differs counts as
 * failed. Pins go along, proofs do not: they are of the copy that was looked at. Rejects when the source cannot be listed,
 * with `no-copy` when it holds nothing that is meant, with `busy` when somebody removes of that name at this moment.
 */
export async function fillStorage(order: FillOrder): Promise<Filled> {
  const { from, to, which, host, signal, observer } = order;
  const { wanted, unreadable } = await meantIn(from, which, signal);
  const names = new Set([...wanted.keys()].map((folder) => folder.slice(0, folder.indexOf("/"))));
  await using leases = new AsyncDisposableStack();
  for (const name of names) leases.use(await takeLeaseFiles([to, from], { name, work: "copy", host, signal }));
  const missing = new Map<string, CachedCopy>();
  const there: string[] = [];
  const failed: { folder: string; error: AppError }[] = [];
  const refuse = (folder: string, error: AppError): void => {
    failed.push({ folder, error });
    observer.failed(folder, error);
  };
  for (const [folder, error] of unreadable) refuse(folder, error);
  for (const [folder, copy] of wanted) {
    const state = await stateIn(to, folder, copy, signal);
    if (state === "whole") there.push(folder);
    else if (state === "missing") missing.set(folder, copy);
    else refuse(folder, differs(to, folder));
  }
  const sizes = [...missing.values()].map(({ manifest }) => bytesOf(manifest));
  observer.begins(
    missing.size,
    sizes.reduce((sum, bytes) => sum + bytes, 0),
  );
  const copied: string[] = [];
  let before = 0;
  for (const [folder, { manifest }] of missing) {
    try {
      await copyOne(order, folder, (bytes) => observer.progress(before + bytes));
      copied.push(folder);
      observer.copied(folder, manifest);
    } catch (error) {
      signal.throwIfAborted();
      refuse(folder, toAppError(error));
    }
    before += bytesOf(manifest);
  }
  return { copied, there, failed };
}

/** What is meant, and what that needs, in the order of their times; what is meant and could not be looked at. */
interface Meant {
  readonly wanted: ReadonlyMap<string, CachedCopy>;
  readonly unreadable: ReadonlyMap<string, AppError>;
}

async function meantIn(from: Storage, which: string | undefined, signal: AbortSignal): Promise<Meant> {
  const { copies, problems } = await lookInto(from, new Map(), { signal });
  // What cannot be listed is no empty storage.
  const unseen = problems.find(({ key, unread }) => key === undefined && unread === undefined);
  if (unseen) throw unseen.error;
  const broken = new Map(
    problems.map(({ unread = "", key = unread, error }) => [key.slice(0, -manifestFile.length), error]),
  );
  const all = [...copies.keys(), ...broken.keys()].toSorted((a, b) => (timeOf(a) < timeOf(b) ? -1 : 1));
  const fitting = all.filter((folder) => which === undefined || isMeant(folder, which));
  const meant = new Set(which?.startsWith("latest:") ? fitting.slice(-1) : fitting);
  if (meant.size === 0) {
    const text = { key: "error-copy-none", args: { storage: from.name, which: which ?? "–" } };
    throw new AppError("no-copy", `${from.name} holds no backup that is meant by ${which ?? "nothing"}`, { text });
  }
  // A set can grow while it is walked: what is needed may need something too.
  for (const folder of meant)
    for (const reference of copies.get(folder)?.manifest.references ?? []) meant.add(reference.folder);
  const wanted = all.flatMap((folder) => {
    const copy = copies.get(folder);
    return copy && meant.has(folder) ? [[folder, copy] as const] : [];
  });
  return { wanted: new Map(wanted), unreadable: new Map([...broken].filter(([folder]) => meant.has(folder))) };
}

const timeOf = (folder: string): string => folder.slice(folder.indexOf("/") + 1);

function bytesOf({ parts }: Manifest): number {
  return parts.reduce((sum, { bytes }) => sum + bytes, 0);
}

async function stateIn(
  to: Storage,
  folder: string,
  { manifest, manifestBytes, manifestSha256 }: CachedCopy,
  signal: AbortSignal,
): Promise<"whole" | "missing" | "differs"> {
  const there = await to.head(`${folder}${manifestFile}`, signal);
  if (!there) return "missing";
  if (there.bytes !== manifestBytes) return "differs";
  const { sha256 } = await readCopyManifest(to, folder, undefined, signal);
  if (sha256 !== manifestSha256) return "differs";
  for (const { file, bytes } of manifest.parts)
    if ((await to.head(`${folder}${file}`, signal))?.bytes !== bytes) return "missing";
  return "whole";
}

async function copyOne({ from, to, signal }: FillOrder, folder: string, progress: (bytes: number) => void) {
  // Whatever proofs say that another manifest was written, it is not spread.
  const { manifest } = await readCopyManifest(from, folder, undefined, signal);
  const manifestBytes = await buffer(await from.read(`${folder}${manifestFile}`, signal));
  const pin = `${folder}${pinFile}`;
  // Before the manifest: from the moment it counts as a backup the retention has to know that it stays.
  if ((await from.head(pin, signal)) && !(await to.head(pin, signal)))
    await to.put(pin, await buffer(await from.read(pin, signal)), signal);
  await copyBackup({ from, to, folder, manifest, manifestBytes, signal, progress });
}

function differs(to: Storage, folder: string): AppError {
  const message = `${to.name} holds another ${folder}: one of the two was altered, and nothing is replaced`;
  const text = { key: "error-copy-differs", args: { storage: to.name, folder } };
  return new AppError("conflict", message, { text });
}
