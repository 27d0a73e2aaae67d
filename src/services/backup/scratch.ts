import { chmod, mkdir, mkdtemp, readdir, readFile, stat, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "../../core/errors.ts";
import type { Manifest } from "../../core/manifest.ts";
import { rawBytes, storedBytes } from "../../core/run.ts";
import { hasEnded, processIdentity } from "../../lib/process-identity.ts";
import { removeFolder } from "../../lib/remove-tree.ts";

/** Beginning of the names of all scratch folders. */
export const scratchFolderPrefix = "vakhta-verify-";
const ownerFile = "owner";

/** Of an unpacked backup that nothing says the size of: so many times what is stored. */
const unpackedTimes = 4;
/** Indexes and the like: a restored database is larger than its dump. */
const headroom = 1.2;
/** What a private server takes by itself, and what is left to everybody else; bytes. */
const reserve = 256 * 1024 ** 2;
/** A folder of a process of which nothing is known is a leftover after this time; milliseconds. */
const strangeAfterMs = 2 * 86_400_000;

/** A folder for one test-restore; disposing removes it with everything in it. */
export interface ScratchFolder extends AsyncDisposable {
  /** Empty; other users may pass through it, but not find it. */
  readonly path: string;
}

/**
 * Makes a scratch folder below `root`. It says whose it is: should this process be killed, `sweepScratch` removes it.
 * `id`: of the verification.
 */
export async function makeScratch(id: string, root = tmpdir()): Promise<ScratchFolder> {
  const outer = await mkdtemp(join(root, `${scratchFolderPrefix}${id}-`));
  const remove = async (): Promise<void> => await removeFolder(outer);
  try {
    await writeFile(join(outer, ownerFile), processIdentity());
    const path = join(outer, "work");
    await mkdir(path, { mode: 0o711 });
    // A private server runs as another user, who must reach its folder in here.
    await chmod(path, 0o711);
    await chmod(outer, 0o711);
    return { path, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Removes the scratch folders of processes that have ended. Resolves with how many there were. */
export async function sweepScratch(now: Date, root = tmpdir()): Promise<number> {
  let removed = 0;
  for (const name of await readdir(root).catch(() => [])) {
    if (!name.startsWith(scratchFolderPrefix)) continue;
    const folder = join(root, name);
    if (!(await isLeftover(folder, now))) continue;
    await removeFolder(folder);
    removed += 1;
  }
  return removed;
}

async function isLeftover(folder: string, now: Date): Promise<boolean> {
  const owner = await readFile(join(folder, ownerFile), "utf8").catch(() => "");
  if (owner !== "" && hasEnded(owner)) return true;
  // Of another boot or container, or killed before it could say whose it is.
  const [boot] = owner.split("/");
  const [ownBoot] = processIdentity().split("/");
  if (owner !== "" && owner !== "-" && ownBoot !== "-" && boot !== ownBoot) return true;
  if (owner === processIdentity()) return false;
  const made = await stat(folder).catch(() => undefined);
  return made !== undefined && now.getTime() - made.mtimeMs > strangeAfterMs;
}

/** Host and port of a server, without what opens it: for a record, and for a person. */
export function serverName(url: string): string {
  const [, host = ""] = /^[a-z]+:\/\/(?:[^?]*@)?([^/?#]*)/i.exec(url) ?? [];
  return host === "" ? (/[?&]host=([^&#]+)/.exec(url)?.[1] ?? "local") : host;
}

/** Bytes that a test-restore of this backup takes on the disk here, as far as anybody can tell. */
export function unpackedBytes(manifest: Manifest): number {
  return rawBytes(manifest) ?? storedBytes(manifest) * unpackedTimes;
}

/** Throws `storage-full` where the disk of `folder` has no room for so much, with some to spare. */
export async function requireRoom(folder: string, bytes: number): Promise<void> {
  if (bytes === 0) return;
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const needed = Math.ceil(bytes * headroom) + reserve;
  if (free >= needed) return;
  const mebibytes = (count: number): number => Math.ceil(count / 1024 ** 2);
  const args = { folder, needed: mebibytes(needed), free: mebibytes(free) };
  const message = `a test-restore needs about ${args.needed} MiB in ${folder}, and ${args.free} MiB are free`;
  throw new AppError("storage-full", message, {
    permanent: false,
    context: { step: "scratch" },
    text: { key: "error-scratch-full", args },
  });
}

/** Whether what has failed in there has failed for want of room. */
export async function isFull(folder: string): Promise<boolean> {
  const disk = await statfs(folder).catch(() => undefined);
  // What a failed program has given back by now is not known: a little more than nothing is nothing too.
  return disk !== undefined && (disk.bavail * disk.bsize < 16 * 1024 ** 2 || disk.bavail < disk.blocks * 0.002);
}

/** The disk became full while it was worked on. */
export function filled(folder: string, cause: unknown): AppError {
  return new AppError("storage-full", `the disk of ${folder} became full during a test-restore`, {
    permanent: false,
    context: { step: "scratch" },
    text: { key: "error-scratch-filled", args: { folder } },
    cause,
  });
}
