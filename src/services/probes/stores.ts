import { randomBytes } from "node:crypto";
import { statfs } from "node:fs/promises";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { EncryptionConfig, SourceConfig, StorageConfig } from "../../app/config.ts";
import { decrypt, encrypt } from "../../lib/crypto.ts";
import { createSource } from "../../sources/index.ts";
import type { SourceDeps } from "../../sources/types.ts";
import { createStorage } from "../../storages/index.ts";
import type { StorageDeps } from "../../storages/types.ts";
import { type Finding, failed, failure, ok, skipped, warning } from "./finding.ts";

/** A disk with less than this part of it free is said to be nearly full. */
const lowFreePart = 0.1;

/** Can the source be read from here, with which tools? Reads no data. */
export async function probeSource(config: SourceConfig, deps: SourceDeps, signal: AbortSignal): Promise<Finding> {
  try {
    const info = await createSource(config, deps).inspect(signal);
    return ok("doctor-source-ok", { title: info.title });
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

/** Encrypts a test text for the recipients and, where the identity is known, reads it back. */
export async function probeEncryption({ recipients, identity }: EncryptionConfig): Promise<Finding> {
  const text = randomBytes(64);
  try {
    const encrypted = await buffer(encrypt(Readable.from([text]), recipients));
    if (identity === undefined) return ok("doctor-encryption-write-only", { recipients: recipients.length });
    const decrypted = await buffer(decrypt(Readable.from([encrypted]), identity)).catch(() => undefined);
    if (!decrypted?.equals(text)) return failed("doctor-encryption-identity");
    return ok("doctor-encryption-ok", { recipients: recipients.length });
  } catch (error) {
    return failure(error);
  }
}
