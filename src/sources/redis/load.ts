import { rm } from "node:fs/promises";
import { join } from "node:path";
import { feed } from "../feed.ts";
import type { BackupReader } from "../types.ts";
import { unzstdCommand } from "../zstd.ts";
import { artifact } from "./artifact.ts";
import { type PrivateServer, type PrivateServerOptions, snapshotFile, startPrivateServer } from "./server.ts";

export interface LoadOptions extends Omit<PrivateServerOptions, "memory"> {
  progress?(bytes: number): void;
  /** The snapshot stays in the folder, so that it can be loaded again. Default: it is removed when it is in memory. */
  readonly keep?: boolean;
}

/** Unpacks a backup's snapshot into a folder and has a private Redis load it. */
export async function load(
  reader: BackupReader,
  options: LoadOptions,
): Promise<{ readonly server: PrivateServer; readonly entries: number | undefined }> {
  const part = artifact(reader.manifest);
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
    if (options.keep !== true) await rm(file, { force: true });
  }
}
