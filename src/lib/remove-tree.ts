import { rm } from "node:fs/promises";
import { run } from "./process.ts";

const dayMs = 86_400_000;

/**
 * Removes everything in a folder, whatever bytes its names consist of, and also what lies in folders that their owner may not
 * write. Not the folder itself.
 */
export async function emptyFolder(path: string): Promise<void> {
  // Of links only themselves are looked at. Root needs no permission, and may be denied the change.
  if (process.geteuid?.() !== 0) {
    await run({ argv: ["chmod", "-R", "u+rwX", "--", path], accepts: () => true }, { timeoutMs: dayMs });
  }
  await run({ argv: ["find", path, "-mindepth", "1", "-delete"] }, { timeoutMs: dayMs });
}

/** The same with the folder itself. */
export async function removeFolder(path: string): Promise<void> {
  await emptyFolder(path);
  await rm(path, { recursive: true, force: true });
}
