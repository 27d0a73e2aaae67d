import { readdir } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { AppError } from "../core/errors.ts";
import { partialSuffix } from "./plain-file.ts";
import type { TargetLook } from "./types.ts";

/** Whether a restore's target is an address of something that is no folder, as `s3://bucket`. */
export function isAddress(to: string): boolean {
  return /^(?!file:)[a-z][a-z0-9+.-]*:\/\//i.test(to);
}

/**
 * The path that a restore's target names: `/srv/restored`, `file:///srv/restored`, or relative to where we are. Throws
 * `config` for the address of anything else, which nobody means as the name of a folder.
 */
export function folderOf(to: string): string {
  const url = to.startsWith("file:") ? URL.parse(to) : undefined;
  if (isAddress(to) || url === null || (url?.host ?? "") !== "") {
    throw new AppError("config", "expected the path of a folder, or file:///folder", {
      context: { step: "preflight" },
      text: { key: "error-restore-no-path" },
    });
  }
  return url ? fileURLToPath(url) : resolve(to);
}

/** Looks at a folder that is restored into. Rejects with `conflict` for one that is not empty, or no folder. */
export async function lookAtFolder(to: string): Promise<TargetLook> {
  const folder = folderOf(to);
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw unusable(folder, error);
  });
  if (entries.length === 0) return { facts: {}, folder };
  const partial = entries.find((name) => name.endsWith(partialSuffix));
  if (partial !== undefined) {
    throw new AppError("conflict", `${folder} is not empty: it holds ${partial}, as an interrupted restore leaves it`, {
      context: { step: "preflight" },
      text: { key: "error-restore-folder-partial", args: { path: folder, file: partial } },
    });
  }
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
