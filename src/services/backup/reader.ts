import { createHash } from "node:crypto";
import { finished, type Readable, Transform } from "node:stream";
import { AppError } from "../../core/errors.ts";
import { type Manifest, manifestFolder } from "../../core/manifest.ts";
import { decrypt } from "../../lib/crypto.ts";
import { readableFrom } from "../../lib/readable-from.ts";
import type { BackupReader } from "../../sources/types.ts";
import type { Storage } from "../../storages/types.ts";

/** What must be true of an object that is read. */
interface Expected {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

export interface ReaderOptions {
  /** age identity; needed for an encrypted backup. */
  readonly identity?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of stored bytes as they are read. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
  /** Told of every object that was read to its end and is as the manifest says, by its key. */
  readonly onChecked?: ((key: string) => void) | undefined;
}

/**
 * Reads a backup from one of its copies. Throws `encryption` at once when it is encrypted and no identity is given.
 */
export function openBackup(storage: Storage, manifest: Manifest, options: ReaderOptions = {}): BackupReader {
  const { identity } = options;
  if (manifest.encryption !== undefined && identity === undefined) {
    const message = `backup ${manifest.id} is encrypted: its private key (identity) is needed to read it`;
    throw new AppError("encryption", message, { text: { key: "error-identity-needed", args: { run: manifest.id } } });
  }
  const openObject = async (key: string, expected: Expected): Promise<Readable> => {
    const stored = await readChecked(storage, key, expected, options);
    return manifest.encryption === undefined || identity === undefined ? stored : decrypted(stored, identity);
  };
  const folder = manifestFolder(manifest);
  return {
    manifest,
    open: (part) => openObject(`${folder}${part.file}`, part),
    // Encrypted as this backup is: a change of encryption begins a new chain.
    openReference: (reference) => openObject(`${reference.folder}${reference.file}`, reference),
  };
}

function decrypted(stored: Readable, identity: string): Readable {
  return readableFrom(decrypt(stored, identity), { release: () => stored.destroy() });
}

/** A stream of an object that fails at its end, with `storage-mismatch`, when size or SHA-256 are not as expected. */
export async function readChecked(
  storage: Storage,
  key: string,
  expected: Expected,
  { signal, onBytes, onChecked }: Omit<ReaderOptions, "identity">,
): Promise<Readable> {
  const stream = await storage.read(key, signal);
  const hash = createHash("sha256");
  let bytes = 0;
  const check = new Transform({
    transform(chunk: Uint8Array, _encoding, callback) {
      hash.update(chunk);
      bytes += chunk.length;
      onBytes?.(chunk.length);
      callback(null, chunk);
    },
    flush(callback) {
      const same = bytes === expected.bytes && hash.digest("hex") === expected.sha256;
      if (same) onChecked?.(key);
      callback(same ? null : damaged(storage, key));
    },
  });
  // Whoever reads has a listener of their own. One who has stopped reading no longer asks what is wrong with the rest.
  check.on("error", () => undefined);
  finished(stream, { writable: false }, (error) => {
    if (error) check.destroy(error);
  });
  check.once("close", () => stream.destroy());
  return stream.pipe(check);
}

/** What is stored there is not what was written. */
export function damaged(storage: Storage, key: string): AppError {
  const message = `storage ${storage.name}: ${key} is damaged: its size or SHA-256 is not the manifest's`;
  return new AppError("storage-mismatch", message, {
    context: { storage: storage.name, key },
    text: { key: "error-storage-damaged", args: { storage: storage.name, object: key } },
  });
}
