import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { AppError, toAppError } from "../../core/errors.ts";
import { type Manifest, manifestFile, manifestFolder, parseManifest } from "../../core/manifest.ts";
import { encodeProofs, type Proof, type Proofs, parseProofs, proofFile, withProof } from "../../core/proof.ts";
import type { Storage } from "../../storages/types.ts";
import { ownKey } from "../catalogue.ts";

/** A copy's own manifest. */
export interface CopyManifest {
  readonly manifest: Manifest;
  /** Hex, of its bytes. */
  readonly sha256: string;
}

/**
 * Reads the manifest that lies in a folder. Rejects with `no-copy` when none is there (the copy was removed), with
 * `manifest` for one that makes no sense or that belongs elsewhere, and, saying so, for one that is not the manifest
 * that was written (`known`, its SHA-256; the proof beside it knows it as well).
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
  const proven = (await readProofs(storage, folder, signal))?.manifestSha256;
  if ([known, proven].some((written) => written !== undefined && written !== sha256)) {
    const text = { key: "error-manifest-altered", args: { storage: storage.name, object: key } };
    throw new AppError("manifest", `storage ${storage.name}: ${key} is not the manifest that was written`, { text });
  }
  return { manifest, sha256 };
}

/**
 * Writes a proof beside its manifest, with those of other depths that are there. A removed backup gets none: `no-copy`.
 * What a look has found wrong with a part of an earlier run is written beside that one too: others need it as well, and it
 * may outlive this one. Resolves with the folders whose proofs are others now.
 */
export async function recordProof(
  storage: Storage,
  folder: string,
  manifestSha256: string,
  proof: Proof,
  signal: AbortSignal,
): Promise<string[]> {
  if ((await storage.head(`${folder}${manifestFile}`, signal)) === undefined) {
    const text = { key: "error-verify-gone", args: { folder, storage: storage.name } };
    throw new AppError("no-copy", `the backup in ${folder} was removed meanwhile`, { text });
  }
  await addProof(storage, folder, manifestSha256, proof, signal);
  const owner = ownKey(proof.error?.object ?? "")?.folder;
  if (proof.ok || owner === undefined || owner === folder) return [folder];
  const { sha256 } = await readCopyManifest(storage, owner, undefined, signal).catch(noCopy);
  if (sha256 === undefined) return [folder];
  const { at, host, elapsedMs, error } = proof;
  await addProof(storage, owner, sha256, { depth: "stored", ok: false, at, host, elapsedMs, error }, signal);
  return [folder, owner];
}

/** Where that backup has vanished or has no manifest that could be read, what needs it is no good by that alone. */
function noCopy(error: unknown): { readonly sha256?: string } {
  const { code } = toAppError(error);
  if (code === "no-copy" || code === "manifest") return {};
  throw error;
}

async function addProof(
  storage: Storage,
  folder: string,
  manifestSha256: string,
  proof: Proof,
  signal: AbortSignal,
): Promise<void> {
  const there = await readProofs(storage, folder, signal);
  await storage.put(`${folder}${proofFile}`, encodeProofs(withProof(there, manifestSha256, proof)), signal);
}

async function readProofs(storage: Storage, folder: string, signal: AbortSignal): Promise<Proofs | undefined> {
  const key = `${folder}${proofFile}`;
  if ((await storage.head(key, signal)) === undefined) return undefined;
  return parseProofs(await buffer(await storage.read(key, signal)));
}
