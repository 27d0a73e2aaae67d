import { randomBytes } from "node:crypto";
import { statfs } from "node:fs/promises";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { EncryptionConfig, SourceConfig, StorageConfig } from "../../app/config.ts";
import { toAppError } from "../../core/errors.ts";
import { type Manifest, manifestFile, parseManifest } from "../../core/manifest.ts";
import { decrypt, encrypt } from "../../lib/crypto.ts";
import { createSource } from "../../sources/index.ts";
import type { SourceDeps } from "../../sources/types.ts";
import { createStorage } from "../../storages/index.ts";
import type { Storage, StorageDeps } from "../../storages/types.ts";
import { identityFor } from "../backup/identity.ts";
import { ownKey } from "../catalogue.ts";
import { type Finding, failed, failure, ok, skipped, warning } from "./finding.ts";

/** A disk with less than this part of it free is said to be nearly full. */
const lowFreePart = 0.1;

/** So many of what restores have left are named. */
const mostNamed = 5;

/** Can the source be read from here, with which tools? Reads no data. */
export async function probeSource(config: SourceConfig, deps: SourceDeps, signal: AbortSignal): Promise<Finding> {
  try {
    const { title, aside = [] } = await createSource(config, deps).inspect(signal);
    if (aside.length === 0) return ok("doctor-source-ok", { title });
    return warning("doctor-source-aside", { title, list: aside.slice(0, mostNamed).join(", "), count: aside.length });
  } catch (error) {
    return failure(error);
  }
}

/** Can the storage be written, read and cleaned? For a local one also: is there space? */
export async function probeStorage(
  name: string,
  config: StorageConfig,
  deps: StorageDeps,
  signal: AbortSignal,
): Promise<Finding> {
  if (config.kind === "local" && config.host !== undefined && config.host !== deps.host) {
    return skipped("doctor-other-host", { host: config.host });
  }
  try {
    const storage = createStorage(name, config, deps);
    try {
      await storage.probe(signal);
    } finally {
      await storage.close();
    }
    if (config.kind !== "local") return ok("doctor-storage-ok", { location: storage.location });
    const disk = await statfs(config.path);
    const free = disk.bavail * disk.bsize;
    const args = { location: storage.location, free, percent: Math.floor((100 * disk.bavail) / disk.blocks) };
    return disk.bavail < disk.blocks * lowFreePart
      ? warning("doctor-storage-low", args)
      : ok("doctor-storage-local-ok", args);
  } catch (error) {
    return failure(error);
  }
}

/** Encrypts a test text for the recipients and, where identities are known, reads it back with one of them. */
export async function probeEncryption({ recipients, identity: identities }: EncryptionConfig): Promise<Finding> {
  const text = randomBytes(64);
  try {
    const encrypted = await buffer(encrypt(Readable.from([text]), recipients));
    if (identities === undefined) return ok("doctor-encryption-write-only", { recipients: recipients.length });
    for (const identity of identities) {
      const decrypted = await buffer(decrypt(Readable.from([encrypted]), identity)).catch(() => undefined);
      if (decrypted?.equals(text)) return ok("doctor-encryption-ok", { recipients: recipients.length });
    }
    return failed("doctor-encryption-identity");
  } catch (error) {
    return failure(error);
  }
}

/**
 * Do the identities open what really lies in a storage? Decrypts the beginning of the smallest part of the newest and of
 * the oldest encrypted backup there: a key that was lost, mistaken or replaced is noticed before it is needed.
 */
export async function probeKey(
  name: string,
  config: StorageConfig,
  identities: readonly string[],
  deps: StorageDeps,
  signal: AbortSignal,
): Promise<Finding> {
  if (config.kind === "local" && config.host !== undefined && config.host !== deps.host)
    return skipped("doctor-other-host", { host: config.host });
  const storage = createStorage(name, config, deps);
  try {
    const folders = await newestFolders(storage, signal);
    const newest = await firstEncrypted(storage, folders, signal);
    const oldest = newest && (await firstEncrypted(storage, folders.toReversed(), signal));
    if (!newest || !oldest) return skipped("doctor-key-none");
    const found = await tryKey(storage, newest, identities, signal);
    if (found.status !== "ok" || newest.folder === oldest.folder) return found;
    const first = await tryKey(storage, oldest, identities, signal);
    if (first.status !== "ok") return first;
    return ok("doctor-key-ok-both", { ...found.args, oldest: oldest.folder.slice(0, -1) });
  } catch {
    // The look at the storage itself tells why.
    return skipped("doctor-key-untried");
  } finally {
    await storage.close();
  }
}

interface Encrypted {
  readonly folder: string;
  readonly manifest: Manifest;
}

/** Backups that are looked at in search of an encrypted one. */
const mostTried = 20;

async function firstEncrypted(
  storage: Storage,
  folders: readonly string[],
  signal: AbortSignal,
): Promise<Encrypted | undefined> {
  for (const folder of folders.slice(0, mostTried)) {
    const manifest = await readManifest(storage, folder, signal);
    if (manifest?.encryption !== undefined) return { folder, manifest };
  }
  return undefined;
}

/** Folders of all backups, newest first; of each name one after the other would hide the others. */
async function newestFolders(storage: Storage, signal: AbortSignal): Promise<string[]> {
  const folders: string[] = [];
  for await (const { key } of storage.list("", signal)) {
    const own = ownKey(key);
    if (own?.file === manifestFile) folders.push(own.folder);
  }
  const time = (folder: string): string => folder.slice(folder.indexOf("/") + 1);
  return folders.toSorted((a, b) => (time(a) < time(b) ? 1 : -1));
}

async function readManifest(storage: Storage, folder: string, signal: AbortSignal): Promise<Manifest | undefined> {
  try {
    return parseManifest(await buffer(await storage.read(`${folder}${manifestFile}`, signal)));
  } catch (error) {
    // Whether a manifest makes sense is another question.
    if (toAppError(error).code === "manifest") return undefined;
    throw error;
  }
}

async function tryKey(
  storage: Storage,
  { folder, manifest }: Encrypted,
  identities: readonly string[],
  signal: AbortSignal,
): Promise<Finding> {
  const smallest = manifest.parts.toSorted((a, b) => a.bytes - b.bytes)[0];
  const backup = folder.slice(0, -1);
  let stream: Readable | undefined;
  try {
    const identity = await identityFor(manifest, identities);
    stream = await storage.read(`${folder}${smallest?.file ?? ""}`, signal);
    for await (const _chunk of decrypt(stream, identity ?? "")) break;
    return ok("doctor-key-ok", { backup });
  } catch (error) {
    const { code, text, message } = toAppError(error);
    const args = { backup, reason: text ?? message };
    return failed(code === "encryption" ? "doctor-key-locked" : "doctor-key-unreadable", args);
  } finally {
    stream?.destroy();
  }
}
