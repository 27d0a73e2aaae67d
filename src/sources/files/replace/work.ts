import { lstat, mkdir, open, readdir, readFile, realpath, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { AppError } from "../../../core/errors.ts";
import type { Target } from "./targets.ts";

const markSchema = z.object({
  vakhta: z.literal("replacement"),
  id: z.string(),
  /** All work folders of this replacement, this one among them. */
  folders: z.array(z.string()),
  state: z.enum(["making", "prepared", "swapping", "swapped", "undoing", "undone"]),
  targets: z.array(
    z.object({
      member: z.string(),
      at: z.string(),
      /** What was live when it was looked at, as `identityOf`. */
      was: z.string(),
    }),
  ),
});

export type State = z.output<typeof markSchema>["state"];

/** A path that is replaced, in one of its work folders. */
export interface Placed extends Target {
  readonly was: string;
  /** Where the restored one is until it is live. */
  readonly made: string;
  /** Where what was live is kept. */
  readonly before: string;
  /** Where what was taken back is kept. */
  readonly undone: string;
}

/**
 * The folder of a replacement on one mounted file system, so that everything in it gets to its place by renaming. Only its
 * owner may look into it: what is half made in it is nobody's business.
 */
export interface Work {
  readonly folder: string;
  /** All that belong to the same replacement. */
  readonly folders: readonly string[];
  readonly state: State;
  readonly targets: readonly Placed[];
}

const markFile = "mark.json";
const workPrefix = ".vakhta-restore-";

/** What it is called, beside the first path that it is for. */
export function workFolder(at: string, id: string): string {
  return join(dirname(at), `${workPrefix}${id}`);
}

/** Folders in which restores have put things aside, beside these paths. */
export async function foldersAside(paths: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const path of paths) {
    const parent = dirname(await realpath(path).catch(() => path));
    for (const name of await readdir(parent).catch(() => []))
      if (name.startsWith(workPrefix)) found.add(join(parent, name));
  }
  return [...found];
}

/** Where the archive is extracted to. */
export function treeOf(folder: string): string {
  return join(folder, "tree");
}

/** What has taken the place was made live when this file was made, by the file system's own clock. */
export function swappedFile(folder: string): string {
  return join(folder, "swapped");
}

/** The names in what was restored. */
export function listFile(folder: string, index: number): string {
  return join(folder, `list-${index}`);
}

/** Makes it, with its mark. Rejects with `conflict` where that name is somebody else's. */
export async function makeWork(
  folder: string,
  { id, folders }: { readonly id: string; readonly folders: readonly string[] },
  targets: readonly (Target & { readonly was: string })[],
): Promise<Work> {
  await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    throw error.code === "EEXIST" ? taken(folder) : error;
  });
  try {
    for (const name of ["tree", "before", "undone"]) await mkdir(join(folder, name), { mode: 0o700 });
    return await writeMark({ folder, folders, state: "making", targets: placed(folder, targets) }, id, "making");
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** The work folder at this place; undefined where there is none, or one that was never begun with. */
export async function readWork(folder: string, id: string): Promise<Work | undefined> {
  if (!(await isOwn(folder))) return undefined;
  try {
    const mark = markSchema.parse(JSON.parse(await readFile(join(folder, markFile), "utf8")));
    const { folders, state, targets } = mark;
    return mark.id === id ? { folder, folders, state, targets: placed(folder, targets) } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether there is a folder at this place that only this user can have made. Links count as nothing. */
export async function isOwn(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  return found?.isDirectory() === true && found.uid === process.geteuid?.() && (found.mode & 0o077) === 0;
}

/** Writes down for good how far it is. */
export async function writeMark(work: Work, id: string, state: State): Promise<Work> {
  const { folder, folders, targets } = work;
  const mark = {
    vakhta: "replacement",
    id,
    folders: [...folders],
    state,
    targets: targets.map(({ member, at, was }) => ({ member, at, was })),
  } satisfies z.input<typeof markSchema>;
  const file = join(folder, markFile);
  await using handle = await open(`${file}.new`, "w", 0o600);
  await handle.writeFile(JSON.stringify(mark));
  await handle.sync();
  await rename(`${file}.new`, file);
  await syncFolder(folder);
  return { ...work, state };
}

/** From then on it is a folder to be removed, and nothing else. */
export async function removeMark(folder: string): Promise<void> {
  await rm(join(folder, markFile), { force: true });
  await syncFolder(folder);
}

/** What was renamed in a folder stays so, even when the machine loses its power. */
export async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, "r");
  await handle.sync();
}

function placed(folder: string, targets: readonly (Target & { readonly was: string })[]): Placed[] {
  return targets.map(({ member, at, was }, index) => ({
    member,
    at,
    was,
    made: join(treeOf(folder), member),
    before: join(folder, "before", String(index)),
    undone: join(folder, "undone", String(index)),
  }));
}

/** The name of a work folder is somebody else's. */
function taken(folder: string): AppError {
  return new AppError("conflict", `${folder} is there already and is not of this restore: it is left alone`, {
    context: { step: "preflight" },
    text: { key: "error-replace-files-taken", args: { path: folder } },
  });
}

/** What is live at a place: its kind, and of a folder which one it is. A file is another one after every saving. */
export async function identityOf(path: string): Promise<string> {
  const found = await lstat(path, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
  if (found === undefined) return "none";
  if (found.isDirectory()) return `folder ${found.ino}`;
  return found.isSymbolicLink() ? "link" : "file";
}

/** Whether there is anything, a link that leads nowhere included. */
export async function isThere(path: string): Promise<boolean> {
  return (await identityOf(path)) !== "none";
}
