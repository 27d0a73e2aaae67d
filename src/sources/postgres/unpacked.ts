import { createWriteStream } from "node:fs";
import { mkdtemp, readdir, readFile, rm, statfs, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { ManifestPart } from "../../core/manifest.ts";
import { startPipeline } from "../../lib/process.ts";
import { hasEnded, processIdentity } from "../../lib/process-identity.ts";
import { unzstdCommand } from "../zstd.ts";
import { type Archive, onDisk, openGated } from "./archive.ts";
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
  return (await hasRoomFor(machine.folder, part.rawBytes)) ? Math.min(cores, mostJobs) : 1;
}

/** Whether so many bytes leave the others on that disk enough. */
export async function hasRoomFor(folder: string, bytes: number): Promise<boolean> {
  const disk = await statfs(folder).catch(() => undefined);
  return disk !== undefined && disk.bavail * disk.bsize >= bytes + reserve;
}

/** A file or a folder that only this user can read; disposing removes it. */
export interface Own extends AsyncDisposable {
  readonly path: string;
}

/** An empty folder. It says whose it is, for `sweepUnpacked`. */
async function ownFolder(folder: string): Promise<Own> {
  const path = await mkdtemp(join(folder, folderPrefix));
  const own = { path, [Symbol.asyncDispose]: () => remove(path) };
  try {
    await writeFile(join(path, ownerFile), processIdentity());
    return own;
  } catch (error) {
    await own[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * A folder for the beginning of an archive, which restoring it in stages needs; undefined where it is unpacked whole, where
 * one connection is enough for one core, where pg_restore runs elsewhere (`via`), or where there is no room on this
 * machine's disk.
 */
export async function folderForStages(
  machine: Machine,
  part: Pick<ManifestPart, "rawBytes">,
  { via }: { readonly via?: readonly string[] | undefined },
): Promise<Own | undefined> {
  if (via !== undefined || machine.cores() < 2 || !(await hasRoomFor(machine.folder, 0))) return undefined;
  if ((await jobsFor(machine, part, { via })) > 1) return undefined;
  return await ownFolder(machine.folder);
}

/** Unpacks it whole: what is there in the end is the manifest's. */
export async function unpack(
  archive: Archive,
  folder: string,
  progress: ((bytes: number) => void) | undefined,
): Promise<Own> {
  const own = await ownFolder(folder);
  try {
    const path = join(own.path, "archive");
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
    return { ...own, path };
  } catch (error) {
    await own[Symbol.asyncDispose]();
    throw error;
  }
}

/** Removes what killed processes have left unpacked. Resolves with how many archives it were. */
export async function sweepUnpacked(folder: string): Promise<number> {
  let removed = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(folderPrefix)) continue;
    const owner = await readFile(join(folder, name, ownerFile), "utf8").catch(() => "");
    if (!(hasEnded(owner) || isOfAnotherBoot(owner))) continue;
    await remove(join(folder, name));
    removed += 1;
  }
  return removed;
}

/** Others may be removing it at the same time. */
async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}

function isOfAnotherBoot(owner: string): boolean {
  const [boot, ...rest] = owner.split("/");
  const [own] = processIdentity().split("/");
  return rest.length > 0 && own !== "-" && boot !== own;
}
