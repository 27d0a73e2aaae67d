import { createHash } from "node:crypto";
import { Readable, Transform } from "node:stream";
import { AppError } from "../../core/errors.ts";
import { type Manifest, type ManifestPart, manifestFolder } from "../../core/manifest.ts";
import { decrypt } from "../../lib/crypto.ts";
import { kindOf } from "../../sources/index.ts";
import type { Storage } from "../../storages/types.ts";

/**
 * The first depth of proof: reads every part back and compares size and SHA-256 with the manifest.
 * Rejects with `storage-mismatch` or `not-found`.
 */
export async function verifyStored(storage: Storage, manifest: Manifest, signal?: AbortSignal): Promise<void> {
  for (const part of manifest.parts) {
    const stream = await readPart(storage, manifest, part, signal);
    stream.resume();
    await new Promise<void>((resolve, reject) => stream.once("end", resolve).once("error", reject));
  }
}

/**
 * The second depth: reads every part back, compares it with the manifest and has the source's own tools read it to
 * its end. `identity` is needed for an encrypted backup. Rejects with `storage-mismatch`, `encryption`, `source-failed`.
 */
export async function verifyReadable(
  storage: Storage,
  manifest: Manifest,
  options: { readonly identity?: string; readonly signal?: AbortSignal } = {},
): Promise<void> {
  const signal = options.signal ?? new AbortController().signal;
  const kind = kindOf(manifest.kind);
  const decrypted = decryption(manifest, options.identity);
  for (const part of manifest.parts) {
    const stored = await readPart(storage, manifest, part, signal);
    let failure: Error | undefined;
    const plain = Readable.from(decrypted(stored), { objectMode: false });
    // The reading tool only sees its input end early: the reason is here.
    plain.once("error", (error: Error) => {
      failure = error;
    });
    try {
      await kind.checkReadable(part, plain, signal);
    } catch (error) {
      throw failure ?? error;
    } finally {
      plain.destroy();
      stored.destroy();
    }
    if (failure !== undefined) throw failure;
  }
}

/** How a part's bytes become plain. Fails before anything is opened when the key is missing. */
function decryption(manifest: Manifest, identity: string | undefined): (stored: Readable) => AsyncIterable<Uint8Array> {
  if (manifest.encryption === undefined) return (stored) => stored;
  if (identity === undefined) {
    const message = `backup ${manifest.id} is encrypted: its private key (identity) is needed to read it`;
    throw new AppError("encryption", message, { text: { key: "error-identity-needed", args: { run: manifest.id } } });
  }
  return (stored) => decrypt(stored, identity);
}

/** A stream of a part that fails at its end when size or SHA-256 differ from the manifest's. */
async function readPart(
  storage: Storage,
  manifest: Manifest,
  part: ManifestPart,
  signal: AbortSignal | undefined,
): Promise<Readable> {
  const key = `${manifestFolder(manifest)}${part.file}`;
  const stream = await storage.read(key, signal);
  const hash = createHash("sha256");
  let bytes = 0;
  const check = new Transform({
    transform(chunk: Uint8Array, _encoding, callback) {
      hash.update(chunk);
      bytes += chunk.length;
      callback(null, chunk);
    },
    flush(callback) {
      const same = bytes === part.bytes && hash.digest("hex") === part.sha256;
      const message = `storage ${storage.name}: ${key} is damaged: its size or SHA-256 is not the manifest's`;
      callback(
        same
          ? null
          : new AppError("storage-mismatch", message, {
              context: { storage: storage.name, key, step: "read back" },
              text: { key: "error-storage-damaged", args: { storage: storage.name, object: key } },
            }),
      );
    },
  });
  stream.once("error", (error) => check.destroy(error));
  check.once("close", () => stream.destroy());
  return stream.pipe(check);
}
