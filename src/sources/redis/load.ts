import { rm } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../core/errors.ts";
import { feed } from "../feed.ts";
import type { BackupReader } from "../types.ts";
import { unzstdCommand } from "../zstd.ts";
import { type PrivateServer, type PrivateServerOptions, snapshotFile, startPrivateServer } from "./server.ts";

export interface LoadOptions extends Omit<PrivateServerOptions, "memory"> {
  progress?(bytes: number): void;
}

/** Unpacks a backup's snapshot into a folder, has a private Redis load it, and removes it: from then on it is in memory. */
export async function load(
  reader: BackupReader,
  options: LoadOptions,
): Promise<{ readonly server: PrivateServer; readonly entries: number | undefined }> {
  const part = reader.manifest.parts.find(({ role }) => role === "artifact");
  if (part === undefined) {
    throw new AppError("manifest", "the manifest names no snapshot", { text: { key: "error-manifest" } });
  }
  const file = join(options.folder, snapshotFile);
  try {
    let bytes = 0;
    const onBytes = (count: number): void => {
      bytes += count;
      options.progress?.(bytes);
    };
    const unpack = { ...unzstdCommand, argv: ["zstd", "-dq", "-o", file] };
    await feed([unpack], await reader.open(part), { signal: options.signal, onBytes });
    const memory = Number(reader.manifest.source["usedMemory"] ?? Number.NaN);
    const server = await startPrivateServer({ ...options, memory });
    return { server, entries: part.entries };
  } finally {
    await rm(file, { force: true });
  }
}
