import type { Readable } from "node:stream";
import { type Manifest, manifestFolder } from "../../core/manifest.ts";
import { kindOf } from "../../sources/index.ts";
import type { Storage } from "../../storages/types.ts";
import { openBackup, type ReaderOptions, readChecked } from "./reader.ts";

/**
 * The first depth of proof: reads every part back, those of earlier runs that it needs included, and compares size and
 * SHA-256 with the manifest. Rejects with `storage-mismatch` or `not-found`.
 */
export async function verifyStored(storage: Storage, manifest: Manifest, signal?: AbortSignal): Promise<void> {
  const folder = manifestFolder(manifest);
  const own = manifest.parts.map((part) => ({ ...part, folder }));
  for (const { folder: where, file, bytes, sha256 } of [...own, ...manifest.references]) {
    const stream = await readChecked(storage, `${where}${file}`, { bytes, sha256 }, signal);
    await readToEnd(stream);
  }
}

/**
 * The second depth: reads every part back, compares it with the manifest and has the source's own tools read it to
 * its end. `identity` is needed for an encrypted backup. Rejects with `storage-mismatch`, `encryption`, `source-failed`.
 */
export async function verifyReadable(storage: Storage, manifest: Manifest, options: ReaderOptions = {}): Promise<void> {
  const signal = options.signal ?? new AbortController().signal;
  const kind = kindOf(manifest.kind);
  const reader = openBackup(storage, manifest, options);
  for (const part of manifest.parts) {
    const plain = await reader.open(part);
    let failure: Error | undefined;
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
    }
    if (failure !== undefined) throw failure;
  }
  for (const reference of manifest.references) await readToEnd(await reader.openReference(reference));
}

async function readToEnd(stream: Readable): Promise<void> {
  stream.resume();
  await new Promise<void>((resolve, reject) => stream.once("end", resolve).once("error", reject));
}
