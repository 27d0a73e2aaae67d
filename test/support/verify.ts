import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Manifest } from "../../src/core/manifest.ts";
import { encodeManifest, manifestFolder, parseManifest } from "../../src/core/manifest.ts";
import { runBackup } from "../../src/services/backup/pipeline.ts";
import { type ProveOrder, prove } from "../../src/services/backup/prove.ts";
import { type SourceConfig, sourceSchema } from "../../src/sources/index.ts";
import type { Storage } from "../../src/storages/types.ts";
import { clock, orderOf, quiet, sourceOf, storageOf } from "./backup.ts";

/** A backup in a local storage, to be looked at. */
export interface Provable {
  readonly storage: Storage;
  readonly manifest: Manifest;
  readonly config: SourceConfig;
  /** An empty folder for scratch folders. */
  readonly root: string;
  /** The file of the first part. */
  readonly artifact: string;
  readonly folder: string;
  readonly look: (order?: Partial<ProveOrder>) => ReturnType<typeof prove>;
}

/** Makes a backup of a source below `path`, and what looks at it. */
export async function provable(
  path: string,
  config: object,
  options: { readonly recipients?: readonly string[]; readonly runId?: string } = {},
): Promise<Provable> {
  const storage = storageOf("local", { kind: "local", path: join(path, "store") });
  const { recipients = [], runId = "run1" } = options;
  const { manifest } = await runBackup(orderOf({ source: sourceOf(config), storages: [storage], recipients, runId }));
  const root = join(path, "scratch");
  mkdirSync(root, { recursive: true });
  const parsed = sourceSchema.parse(config);
  const folder = join(path, "store", manifestFolder(manifest));
  return {
    storage,
    manifest,
    config: parsed,
    root,
    folder,
    artifact: join(folder, manifest.parts[0]?.file ?? ""),
    look: async (order = {}) =>
      await prove({
        storage,
        manifest,
        depth: "restored",
        config: parsed,
        scratch: { id: "t1", root },
        host: "here",
        clock,
        logger: quiet,
        signal: new AbortController().signal,
        ...order,
      }),
  };
}

/** Turns one bit of a file around. Gives what turns it back. */
export function flipBit(file: string, at = 0.5): () => void {
  const before = readFileSync(file);
  const after = Buffer.from(before);
  const index = Math.floor(after.length * at);
  after[index] = (after[index] ?? 0) ^ 1;
  writeFileSync(file, after);
  return () => writeFileSync(file, before);
}

/** Has a manifest tell something else, as if it had been written so. */
export function rewriteManifest(file: string, change: (manifest: Manifest) => Manifest): void {
  writeFileSync(file, encodeManifest(change(parseManifest(readFileSync(file)))));
}

/** The same with other facts in each of its parts. */
export function rewriteParts(file: string, facts: Partial<Manifest["parts"][number]>): void {
  rewriteManifest(file, (manifest) => ({ ...manifest, parts: manifest.parts.map((part) => ({ ...part, ...facts })) }));
}
