import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { AppError, toAppError } from "../../core/errors.ts";
import { type Manifest, manifestFile, manifestSchema } from "../../core/manifest.ts";
import type { OpenObject } from "../../core/ports.ts";
import type { Storage } from "../../storages/types.ts";

/** What an interrupted attempt had left. */
export interface CleanUpResult {
  /** Objects, temporary files and open uploads that were removed. */
  readonly removed: number;
  /** Set when the attempt had come as far as a manifest: the backup is finished, in the storages named. */
  readonly finished?: {
    readonly manifest: Manifest;
    /** Hex. */
    readonly manifestSha256: string;
    readonly storedIn: readonly string[];
  };
  /** Storages that could not be looked into; what lies there has no effect until it is cleaned up later. */
  readonly failed: readonly { readonly storage: string; readonly error: AppError }[];
}

/**
 * Looks after a run that was interrupted at any point: removes its temporary files, open uploads (`recorded` and
 * those that the stores list) and, where there is no manifest, its objects. Where there is one, the copy stays, unless
 * `finished` says that the run is known to have failed.
 */
export async function cleanUpRun(
  storages: readonly Storage[],
  folder: string,
  recorded: readonly OpenObject[],
  signal?: AbortSignal,
  finished: "keep" | "remove" = "keep",
): Promise<CleanUpResult> {
  // Everything below it may be removed: never a wider prefix by mistake.
  if (!/^[^/]+\/[^/]+\/$/.test(folder)) throw new AppError("internal", `${JSON.stringify(folder)} is no run's folder`);
  const failed: { storage: string; error: AppError }[] = [];
  const storedIn: string[] = [];
  let found: { manifest: Manifest; manifestSha256: string } | undefined;
  let removed = 0;
  await Promise.all(
    storages.map(async (storage) => {
      try {
        const own = recorded.filter((object) => object.storage === storage.name);
        const temporary = await storage.cleanUp(folder, own, signal);
        removed += temporary;
        const complete = finished === "keep" ? await readComplete(storage, folder, signal) : undefined;
        if (complete === undefined) {
          const objects = await removeFolder(storage, folder, signal);
          removed += objects;
        } else {
          found ??= complete;
          storedIn.push(storage.name);
        }
      } catch (error) {
        signal?.throwIfAborted();
        failed.push({ storage: storage.name, error: toAppError(error) });
      }
    }),
  );
  return { removed, failed, ...(found === undefined ? {} : { finished: { ...found, storedIn } }) };
}

/** The manifest of a folder whose parts are all there with their sizes, or undefined. */
async function readComplete(
  storage: Storage,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<{ manifest: Manifest; manifestSha256: string } | undefined> {
  const key = `${folder}${manifestFile}`;
  if ((await storage.head(key, signal)) === undefined) return undefined;
  const bytes = await buffer(await storage.read(key, signal));
  const manifest = manifestSchema.safeParse(parseJson(bytes));
  if (!manifest.success) return undefined;
  for (const part of manifest.data.parts) {
    if ((await storage.head(`${folder}${part.file}`, signal))?.bytes !== part.bytes) return undefined;
  }
  return { manifest: manifest.data, manifestSha256: createHash("sha256").update(bytes).digest("hex") };
}

async function removeFolder(storage: Storage, folder: string, signal: AbortSignal | undefined): Promise<number> {
  const keys: string[] = [];
  for await (const object of storage.list(folder, signal)) keys.push(object.key);
  if (keys.length > 0) {
    // The manifest first: parts without it are no backup, it without parts would claim to be one.
    keys.sort((a, b) => Number(b.endsWith(manifestFile)) - Number(a.endsWith(manifestFile)));
    await storage.delete(keys, signal);
  }
  return keys.length;
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}
