import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { type Manifest, type ManifestPart, manifestFolder } from "../../core/manifest.ts";
import { kindOf, type SourceConfig } from "../../sources/index.ts";
import type { Storage } from "../../storages/types.ts";
import { openBackup, type ReaderOptions, readChecked } from "./reader.ts";

/** How a copy is read. */
export interface VerifyOptions extends ReaderOptions {
  /** The source of that name as it is configured now, if it still is and is of the backup's kind. */
  readonly config?: SourceConfig | undefined;
}

/** Keys of everything that a backup needs, its own parts first, with what must be true of each. */
function objectsOf(manifest: Manifest): (Pick<ManifestPart, "bytes" | "sha256"> & { readonly key: string })[] {
  const folder = manifestFolder(manifest);
  const own = manifest.parts.map((part) => ({ ...part, folder }));
  return [...own, ...manifest.references].map(({ folder: where, file, bytes, sha256 }) => {
    const key = `${where}${file}`;
    return { key, bytes, sha256 };
  });
}

/**
 * The first depth of proof: reads every part back, those of earlier runs that it needs included, and compares size and
 * SHA-256 with the manifest. Rejects with `storage-mismatch` or `not-found`. `known`: keys that need no second look.
 */
export async function verifyStored(
  storage: Storage,
  manifest: Manifest,
  options: Omit<ReaderOptions, "identity"> = {},
  known: ReadonlySet<string> = new Set(),
): Promise<void> {
  for (const { key, ...expected } of objectsOf(manifest)) {
    if (!known.has(key)) await readToEnd(await readChecked(storage, key, expected, options));
  }
}

/**
 * The second depth: reads every part back, compares it with the manifest and has the source's own tools read it to
 * its end. `identity` is needed for an encrypted backup. Rejects with `storage-mismatch`, `encryption`, `source-failed`.
 */
export async function verifyReadable(storage: Storage, manifest: Manifest, options: VerifyOptions = {}): Promise<void> {
  const signal = options.signal ?? new AbortController().signal;
  const kind = kindOf(manifest.kind);
  const reader = openBackup(storage, manifest, options);
  for (const part of manifest.parts) {
    const plain = await reader.open(part);
    plain.on("error", () => undefined);
    try {
      await kind.checkReadable(part, plain, signal, options.config);
    } catch (error) {
      // The reading tool only sees its input end early: the reason is here.
      throw plain.errored ?? error;
    } finally {
      plain.destroy();
    }
    if (plain.errored) throw plain.errored;
  }
  for (const reference of manifest.references) await readToEnd(await reader.openReference(reference));
}

async function readToEnd(stream: Readable): Promise<void> {
  await finished(stream.resume(), { writable: false });
}
