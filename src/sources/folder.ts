import { readdir } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { AppError } from "../core/errors.ts";
import type { TargetLook } from "./types.ts";

/** The path that a restore's target names: `/srv/restored`, `file:///srv/restored`, or relative to where we are. */
export function folderOf(to: string): string {
  return to.startsWith("file:") ? fileURLToPath(to) : resolve(to);
}

/** Looks at a folder that is restored into. Rejects with `conflict` for one that is not empty, or no folder. */
export async function lookAtFolder(to: string): Promise<TargetLook> {
  const folder = folderOf(to);
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw unusable(folder, error);
  });
  if (entries.length === 0) return { facts: {}, folder };
  throw new AppError("conflict", `${folder} is not empty`, {
    context: { step: "preflight" },
    text: { key: "error-restore-folder", args: { path: folder } },
  });
}

function unusable(path: string, cause: NodeJS.ErrnoException): AppError {
  const code = cause.code ?? "";
  return new AppError("conflict", `${path} is no folder that can be restored into (${code})`, {
    context: { step: "preflight" },
    text: { key: "error-restore-no-folder", args: { path, code } },
    cause,
  });
}
