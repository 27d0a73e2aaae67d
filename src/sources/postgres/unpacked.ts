import { createWriteStream } from "node:fs";
import { mkdtemp, readdir, readFile, statfs, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { AppError } from "../../core/errors.ts";
import type { ManifestPart } from "../../core/manifest.ts";
import { startPipeline } from "../../lib/process.ts";
import { hasEnded, processIdentity } from "../../lib/process-identity.ts";
import { removeFolder } from "../../lib/remove-tree.ts";
import { unzstdCommand } from "../zstd.ts";
import { type Archive, openGated } from "./archive.ts";
import { restoreError } from "./errors.ts";

/** Beginning of the names of the folders in which archives are unpacked. */
const folderPrefix = "vakhta-restore-";
const ownerFile = "owner";

/** From so many cores on several connections restore faster than a stream; above the other number nothing is gained. */
const enoughCores = 4;
const mostJobs = 8;

/** An archive is no larger than what was read of it; what is left to everybody else on that disk, bytes. */
const reserve = 512 * 1024 ** 2;

/** What the machine has that a restore runs on. */
export interface Machine {
  cores(): number;
  /** Where an archive may be unpacked. */
  readonly folder: string;
}

export const thisMachine: Machine = { cores: availableParallelism, folder: tmpdir() };

/**
 * How many connections restore an archive: several want it unpacked on this machine's disk, with cores and room for it.
 * `via`: pg_restore runs elsewhere, where that file is not.
 */
export async function jobsFor(
  machine: Machine,
  part: Pick<ManifestPart, "rawBytes">,
  { via }: { readonly via?: readonly string[] | undefined },
): Promise<number> {
  const cores = machine.cores();
  if (via !== undefined || part.rawBytes === undefined || cores < enoughCores) return 1;
  const disk = await statfs(machine.folder).catch(() => undefined);
  if (disk === undefined || disk.bavail * disk.bsize < part.rawBytes + reserve) return 1;
  return Math.min(cores, mostJobs);
}

/** An archive as a file that only this user can read; disposing removes it. */
export interface Unpacked extends AsyncDisposable {
  readonly path: string;
}

/** Unpacks it whole: what is there in the end is the manifest's. The folder says whose it is, for `sweepUnpacked`. */
export async function unpack(
  archive: Archive,
  folder: string,
  progress: ((bytes: number) => void) | undefined,
): Promise<Unpacked> {
  const own = await mkdtemp(join(folder, folderPrefix));
  const remove = () => removeFolder(own);
  try {
    await writeFile(join(own, ownerFile), processIdentity());
    const path = join(own, "archive");
    const { signal } = archive;
    const { stream: input, failure } = await openGated(archive, progress);
    try {
      const unpacking = startPipeline([unzstdCommand], { input, signal });
      await Promise.all([pipeline(unpacking.stdout, createWriteStream(path, { mode: 0o600 })), unpacking.done]);
    } catch (error) {
      throw restoreError(failure() ?? onDisk(error, folder));
    } finally {
      input.destroy();
    }
    return { path, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function onDisk(error: unknown, folder: string): unknown {
  if ((error as NodeJS.ErrnoException).code !== "ENOSPC") return error;
  return new AppError("storage-full", `the disk of ${folder} became full while the backup was unpacked there`, {
    permanent: false,
    context: { step: "unpack" },
    text: { key: "error-replace-unpack-full", args: { folder } },
    cause: error,
  });
}

/** Removes what killed processes have left unpacked. Resolves with how many archives it were. */
export async function sweepUnpacked(folder: string): Promise<number> {
  let removed = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(folderPrefix)) continue;
    const owner = await readFile(join(folder, name, ownerFile), "utf8").catch(() => "");
    if (!(hasEnded(owner) || isOfAnotherBoot(owner))) continue;
    await removeFolder(join(folder, name));
    removed += 1;
  }
  return removed;
}

function isOfAnotherBoot(owner: string): boolean {
  const [boot, ...rest] = owner.split("/");
  const [own] = processIdentity().split("/");
  return rest.length > 0 && own !== "-" && boot !== own;
}
