import { buffer } from "node:stream/consumers";
import { AppError, toAppError } from "../core/errors.ts";
import { type Manifest, manifestFile, parseManifest } from "../core/manifest.ts";
import type { Storage, StoredObject } from "../storages/types.ts";

/** A backup as the storages tell it. */
export interface CatalogueEntry {
  readonly manifest: Manifest;
  /** `<backup name>/<time>-<run id>/`, the same in every storage. */
  readonly folder: string;
  /** Names of the storages whose manifest is there: these hold a complete copy. */
  readonly copies: readonly string[];
}

export interface Catalogue {
  /** Newest first. */
  readonly entries: readonly CatalogueEntry[];
  /** Storages that could not be read (no `key`), and manifests that make no sense. */
  readonly problems: readonly { readonly storage: string; readonly key?: string; readonly error: AppError }[];
}

/** Manifests that are read at the same time from one storage. */
const readersPerStorage = 8;

/**
 * Reads what backups there are from the storages themselves: a manifest is the proof of a copy. One storage out of
 * reach does not hide the others' copies.
 */
export async function readCatalogue(
  storages: readonly Storage[],
  options: { readonly name?: string; readonly signal: AbortSignal },
): Promise<Catalogue> {
  const found = new Map<string, { manifest: Manifest; bytes: number; copies: string[] }>();
  const problems: { storage: string; key?: string; error: AppError }[] = [];

  const visit = async (storage: Storage, { key, bytes }: StoredObject) => {
    const folder = key.slice(0, -manifestFile.length);
    const known = found.get(folder);
    // Copies are byte-identical: where the length is the same, the first one speaks for the others.
    if (known?.bytes === bytes) {
      known.copies.push(storage.name);
      return;
    }
    try {
      const manifest = parseManifest(await buffer(await storage.read(key, options.signal)));
      const again = found.get(folder);
      if (again && again.bytes !== bytes) {
        const text = { key: "error-manifest-differs", args: { object: key } };
        throw new AppError("conflict", `${key} differs between the storages`, { text });
      }
      if (again) again.copies.push(storage.name);
      else found.set(folder, { manifest, bytes, copies: [storage.name] });
    } catch (error) {
      problems.push({ storage: storage.name, key, error: toAppError(error, "manifest") });
    }
  };

  const read = async (storage: Storage) => {
    const running = new Set<Promise<void>>();
    try {
      const prefix = options.name === undefined ? "" : `${options.name}/`;
      for await (const object of storage.list(prefix, options.signal)) {
        if (!object.key.endsWith(`/${manifestFile}`)) continue;
        if (running.size >= readersPerStorage) await Promise.race(running);
        const visiting: Promise<void> = visit(storage, object).finally(() => running.delete(visiting));
        running.add(visiting);
      }
    } catch (error) {
      problems.push({ storage: storage.name, error: toAppError(error) });
    }
    await Promise.all(running);
  };

  await Promise.all(storages.map(read));
  options.signal.throwIfAborted();
  const order = storages.map((storage) => storage.name);
  const entries = [...found].map(([folder, { manifest, copies }]) => {
    return { manifest, folder, copies: copies.toSorted((a, b) => order.indexOf(a) - order.indexOf(b)) };
  });
  return { entries: entries.toSorted((a, b) => b.manifest.startedAt.localeCompare(a.manifest.startedAt)), problems };
}
