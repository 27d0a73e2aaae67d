import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { AppError } from "../../core/errors.ts";
import { type Manifest, manifestFile, manifestFolder, parseManifest } from "../../core/manifest.ts";
import { encodeProofs, type Proof, parseProofs, proofFile, withProof } from "../../core/proof.ts";
import type { Storage } from "../../storages/types.ts";

/** A copy's own manifest. */
export interface CopyManifest {
  readonly manifest: Manifest;
  /** Hex, of its bytes. */
  readonly sha256: string;
}

/**
 * Reads the manifest that lies in a folder. Rejects with `no-copy` when none is there (the copy was removed), with
 * `manifest` for one that makes no sense or that belongs elsewhere, and, saying so, for one that is not the manifest
 * that was written (`known`, its SHA-256).
 */
export async function readCopyManifest(
  storage: Storage,
  folder: string,
  known: string | undefined,
  signal: AbortSignal,
): Promise<CopyManifest> {
  const key = `${folder}${manifestFile}`;
  if ((await storage.head(key, signal)) === undefined) {
    const text = { key: "error-verify-gone", args: { folder, storage: storage.name } };
    throw new AppError("no-copy", `there is no ${key} in storage ${storage.name} any more`, { text });
  }
  const bytes = await buffer(await storage.read(key, signal));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const manifest = parseManifest(bytes);
  if (manifestFolder(manifest) !== folder) {
    const text = { key: "error-manifest-elsewhere", args: { folder, run: manifest.id } };
    throw new AppError("manifest", `the manifest in ${folder} is that of ${manifest.name} ${manifest.id}`, { text });
  }
  if (known !== undefined && sha256 !== known) {
    const text = { key: "error-manifest-altered", args: { storage: storage.name, object: key } };
    throw new AppError("manifest", `storage ${storage.name}: ${key} is not the manifest that was written`, { text });
  }
  return { manifest, sha256 };
}

/** Writes a proof beside its manifest, with those of other depths that are there. A removed backup gets none: `no-copy`. */
export async function recordProof(
  storage: Storage,
  folder: string,
  manifestSha256: string,
  proof: Proof,
  signal: AbortSignal,
): Promise<void> {
  const key = `${folder}${proofFile}`;
  if ((await storage.head(`${folder}${manifestFile}`, signal)) === undefined) {
    const text = { key: "error-verify-gone", args: { folder, storage: storage.name } };
    throw new AppError("no-copy", `the backup in ${folder} was removed meanwhile`, { text });
  }
  const there = (await storage.head(key, signal)) && parseProofs(await buffer(await storage.read(key, signal)));
  await storage.put(key, encodeProofs(withProof(there, manifestSha256, proof)), signal);
}
