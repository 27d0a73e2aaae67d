import { mkdir, open, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError } from "../../../core/errors.ts";
import type { Logger } from "../../../lib/logger.ts";
import { isThere, type Placed, swappedFile, syncFolder, type Work, writeMark } from "./work.ts";

/** How often somebody is tried to be ahead of who makes the path anew at the same moment. */
const attempts = 10;

/**
 * Makes live what was prepared, all paths or none. Every step is told by what there is, so that it goes on after a kill.
 * Resolves with the milliseconds for which something was missing; rejects when all is as before.
 */
export async function swapIn(works: readonly Work[], id: string, logger: Logger): Promise<number> {
  for (const work of works) await writeMark(work, id, "swapping");
  const begin = performance.now();
  try {
    for (const { target, folder } of allOf(works)) await putIn(target, folder);
  } catch (error) {
    await rollBack(works, id);
    throw notRenamed(error);
  }
  const milliseconds = Math.round((performance.now() - begin) * 10) / 10;
  for (const { target } of allOf(works)) await syncFolder(dirname(target.at)).catch(() => undefined);
  for (const { folder } of works) await (await open(swappedFile(folder), "w", 0o600)).close();
  for (const work of works) await writeMark(work, id, "swapped");
  logger.info({ paths: allOf(works).map(({ target }) => target.at), milliseconds }, "files were replaced");
  return milliseconds;
}

/** Puts everything back to where it was before the swap, as far as that was begun. */
async function rollBack(works: readonly Work[], id: string): Promise<void> {
  for (const { target, folder } of allOf(works).reverse()) {
    if (!(await isThere(target.made)) && (await isThere(target.at))) await rename(target.at, target.made);
    if (await isThere(target.before)) await place(target.before, target.at, folder);
  }
  for (const work of works) await writeMark(work, id, "prepared");
}

/** Brings back what was live before; what was swapped in is kept aside. Goes on after a kill, as `swapIn`. */
export async function takeOut(works: readonly Work[], id: string): Promise<number> {
  for (const work of works) await writeMark(work, id, "undoing");
  const begin = performance.now();
  for (const { target, folder } of allOf(works)) {
    const former = await isThere(target.before);
    // Where there is nothing to bring back any more, it was brought back already.
    const isDone = target.was !== "none" && !former;
    if (!isDone && !(await isThere(target.undone)) && (await isThere(target.at)))
      await rename(target.at, target.undone);
    if (former) await place(target.before, target.at, folder);
  }
  const milliseconds = Math.round((performance.now() - begin) * 10) / 10;
  for (const { target } of allOf(works)) await syncFolder(dirname(target.at)).catch(() => undefined);
  for (const work of works) await writeMark(work, id, "undone");
  return milliseconds;
}

export function allOf(works: readonly Work[]): { readonly target: Placed; readonly folder: string }[] {
  return works.flatMap(({ targets, folder }) => targets.map((target) => ({ target, folder })));
}

async function putIn(target: Placed, folder: string): Promise<void> {
  if (!(await isThere(target.made))) return;
  if ((await isThere(target.at)) && !(await isThere(target.before))) await rename(target.at, target.before);
  await place(target.made, target.at, folder);
}

/** Renames; what a program has made there anew in the very moment between is kept aside too. */
async function place(from: string, to: string, folder: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await rename(from, to);
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      if (!["ENOTEMPTY", "EEXIST", "EISDIR", "ENOTDIR"].includes(code) || attempt === attempts) throw error;
    }
    const strays = join(folder, "strays");
    await mkdir(strays, { recursive: true, mode: 0o700 });
    await rename(to, join(strays, `${Date.now()}-${attempt}`)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
  }
}

function notRenamed(error: unknown): AppError {
  const { code = "", path = "" } = error as NodeJS.ErrnoException;
  const message = `${path} can not be renamed (${code || String(error)}): nothing was replaced`;
  return new AppError("conflict", message, {
    permanent: false,
    context: { step: "swap" },
    text: { key: "error-replace-files-rename", args: { path, code } },
    cause: error,
  });
}
