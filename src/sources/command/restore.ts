import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { AppError } from "../../core/errors.ts";
import type { Manifest, ManifestPart } from "../../core/manifest.ts";
import type { Command } from "../../lib/child.ts";
import { removeFolder } from "../../lib/remove-tree.ts";
import { feed } from "../feed.ts";
import { folderOf, isAddress, lookAtFolder } from "../folder.ts";
import { writePlainFile } from "../plain-file.ts";
import type { BackupReader, Difference, RestoreReport, RestoreTarget, Scratch, TargetLook } from "../types.ts";
import { unzstdCommand } from "../zstd.ts";
import { programCommand } from "./programs.ts";
import type { CommandConfig } from "./schema.ts";

const suffix = /\.zst(?:\.age)?$/;
const isPacked = (part: ManifestPart) => suffix.test(part.file);

/** What stands before a program of the configuration: only behind another one is seen that it has read everything. */
const unpacker = (part: ManifestPart): Command => (isPacked(part) ? unzstdCommand : { argv: ["cat"] });

/** Unpacks the part and gives it to the configured `check`. Without one, only a part that zstd has packed can be judged. */
export async function checkReadable(
  part: ManifestPart,
  stream: Readable,
  signal: AbortSignal,
  config?: CommandConfig,
): Promise<void> {
  const check = config?.check === undefined ? [] : [programCommand(config, "check")];
  if (isPacked(part) || check.length > 0) await feed([unpacker(part), ...check], stream, { signal });
  else for await (const _chunk of stream) signal.throwIfAborted();
}

/** Gives the backup to the configured `restore`, which judges the target by itself; without one, writes it as a file. */
export async function restore(
  reader: BackupReader,
  target: RestoreTarget,
  config?: CommandConfig,
): Promise<RestoreReport> {
  const begin = performance.now();
  const part = artifact(reader);
  const { signal } = target;
  let bytes = 0;
  const onBytes = (count: number): void => {
    bytes += count;
    target.progress?.(bytes);
  };
  const compare =
    config?.restore === undefined
      ? await writeFile(part, reader, target, onBytes)
      : await give(part, reader, programCommand(config, "restore", { VAKHTA_RESTORE_TO: target.to }), {
          signal,
          onBytes,
        });
  return { restoreMs: Math.round(performance.now() - begin), ...compare };
}

/** Gives the backup to the configured `testRestore`, in the scratch folder. Its exit status is the result. */
export async function testRestore(
  reader: BackupReader,
  { folder, id, server, signal }: Scratch,
  config?: CommandConfig,
): Promise<RestoreReport> {
  if (config?.testRestore === undefined) {
    throw new AppError(
      "config",
      "source.testRestore names no program: only a program knows how to restore this backup",
      {
        context: { step: "restore" },
        text: { key: "error-command-no-test" },
      },
    );
  }
  const begin = performance.now();
  const env = { VAKHTA_SCRATCH: folder, VAKHTA_SCRATCH_ID: id, ...(server && { VAKHTA_SCRATCH_SERVER: server }) };
  const command: Command = { ...programCommand(config, "testRestore", env), cwd: folder };
  const compare = await give(artifact(reader), reader, command, { signal });
  return { restoreMs: Math.round(performance.now() - begin), ...compare };
}

type Comparison = Omit<RestoreReport, "restoreMs">;
const nothingCompared: Comparison = { compared: {}, differences: [], differencesTotal: 0 };

function artifact({ manifest }: BackupReader): ManifestPart {
  const part = manifest.parts.find(({ role }) => role === "artifact");
  if (part !== undefined) return part;
  throw new AppError("manifest", "the manifest names no artifact", { text: { key: "error-manifest" } });
}

async function give(
  part: ManifestPart,
  reader: BackupReader,
  command: Command,
  options: Parameters<typeof feed>[2],
): Promise<Comparison> {
  await feed([unpacker(part), command], await reader.open(part), options);
  return nothingCompared;
}

/** Writes the plain backup into an empty or missing folder. When it fails, what it made is removed. */
async function writeFile(
  part: ManifestPart,
  reader: BackupReader,
  { to, signal }: RestoreTarget,
  onBytes: (bytes: number) => void,
): Promise<Comparison> {
  await lookAtFolder(to);
  const made = await mkdir(folderOf(to), { recursive: true });
  const file = join(folderOf(to), part.file.replace(/\.age$/, "").replace(suffix, ""));
  let size: number;
  try {
    size = await writePlainFile(file, await reader.open(part), { unpack: isPacked(part), signal, onBytes });
  } catch (error) {
    if (made !== undefined) await removeFolder(made);
    throw error;
  }
  if (part.rawBytes === undefined) return nothingCompared;
  const differences: Difference[] =
    size === part.rawBytes ? [] : [{ what: "bytes", expected: String(part.rawBytes), found: String(size) }];
  return { compared: { bytes: part.rawBytes }, differences, differencesTotal: differences.length };
}

/** A configured `restore` may take an address of its own; anything else is a folder, and has to be empty. */
export async function lookAtTarget(
  _manifest: Manifest,
  { to }: RestoreTarget,
  config?: CommandConfig,
): Promise<TargetLook> {
  return config?.restore !== undefined && isAddress(to) ? { facts: {} } : await lookAtFolder(to);
}
