import { createWriteStream } from "node:fs";
import { rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError } from "../core/errors.ts";
import { feed } from "./feed.ts";
import { unzstdCommand } from "./zstd.ts";

/** What a file is called until it is whole. */
export const partialSuffix = ".part";

/**
 * Writes a part as a file that is not there yet, unpacked or as it is, and resolves with its size. Rejects with
 * `storage-full` when there is no room, else as `feed`; nothing of it is left then, and the part is closed.
 */
export async function writePlainFile(
  file: string,
  stream: Readable,
  options: { readonly unpack: boolean; readonly signal: AbortSignal; readonly onBytes: (bytes: number) => void },
): Promise<number> {
  const { unpack, signal, onBytes } = options;
  const partial = `${file}${partialSuffix}`;
  // It may fail before anything reads it.
  stream.on("error", () => undefined);
  let isOurs = false;
  try {
    await writeFile(partial, "", { mode: 0o600, flag: "wx" });
    isOurs = true;
    if (unpack) {
      await feed([{ ...unzstdCommand, argv: ["zstd", "-dqf", "-o", partial] }], stream, { signal, onBytes });
    } else {
      stream.on("data", (chunk: Uint8Array) => onBytes(chunk.length));
      await pipeline(stream, createWriteStream(partial, { flush: true }), { signal });
    }
    await rename(partial, file);
    return (await stat(file)).size;
  } catch (error) {
    stream.destroy();
    // Somebody else may be writing one of that name.
    if (isOurs) await rm(partial, { force: true });
    throw isFull(error) && !signal.aborted ? full(dirname(file), error) : error;
  }
}

function isFull(error: unknown): boolean {
  if (error instanceof AppError) return /No space left|Disk quota exceeded/.test(String(error.context["stderr"]));
  return ["ENOSPC", "EDQUOT"].includes((error as NodeJS.ErrnoException).code ?? "");
}

/** A folder's disk has no room for what is restored. */
export function full(folder: string, cause: unknown): AppError {
  return new AppError("storage-full", `there is not enough room for the backup in ${folder}`, {
    context: cause instanceof AppError ? cause.context : {},
    text: { key: "error-restore-full", args: { path: folder } },
    cause,
  });
}
