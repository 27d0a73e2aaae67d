import { mkdir, realpath, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { AppError } from "../../core/errors.ts";
import { encodeManifest, manifestFile } from "../../core/manifest.ts";
import { encryptedSuffix } from "../../lib/crypto.ts";
import { emptyFolder, removeFolder } from "../../lib/remove-tree.ts";
import { folderOf, lookAtFolder } from "../../sources/folder.ts";
import { writePlainFile } from "../../sources/plain-file.ts";
import type { BackupReader, Difference, RestoreReport, RestoreTarget } from "../../sources/types.ts";

const packed = ".zst";

/** A part, its own or of an earlier run, and the file that it becomes. */
interface PlainFile {
  readonly file: string;
  readonly rawBytes?: number | undefined;
  readonly open: () => Promise<Readable>;
}

/** What was written, beside the manifest. */
export interface RestoredFiles extends RestoreReport {
  /** Relative to the folder. */
  readonly files: readonly string[];
}

/**
 * Writes all parts of a backup into an empty or missing folder, decrypted and unpacked, with its manifest: what needs
 * nothing of Vakhta. Parts of earlier runs lie in folders named after these. When it fails, what it made is removed.
 */
export async function restoreFiles(reader: BackupReader, target: RestoreTarget): Promise<RestoredFiles> {
  await lookAtFolder(target.to);
  const made = await mkdir(folderOf(target.to), { recursive: true, mode: 0o700 });
  const folder = await realpath(folderOf(target.to));
  const begin = performance.now();
  try {
    const differences: Difference[] = [];
    const files: string[] = [];
    let total = 0;
    let read = 0;
    const onBytes = (count: number): void => {
      read += count;
      target.progress?.(read);
    };
    for (const { file, rawBytes, open } of plainFiles(reader, target.only)) {
      const plain = plainName(file);
      const options = { unpack: plain !== withoutEnding(file, encryptedSuffix), signal: target.signal, onBytes };
      await mkdir(dirname(join(folder, plain)), { recursive: true, mode: 0o700 });
      const size = await writePlainFile(join(folder, plain), await open(), options);
      files.push(plain);
      total += size;
      if (rawBytes !== undefined && rawBytes !== size)
        differences.push({ what: file, expected: String(rawBytes), found: String(size) });
    }
    await writeFile(join(folder, manifestFile), encodeManifest(reader.manifest), { mode: 0o600, flag: "wx" });
    return {
      restoreMs: Math.round(performance.now() - begin),
      compared: { files: files.length, bytes: total },
      differences,
      differencesTotal: differences.length,
      files: [...files, manifestFile],
    };
  } catch (error) {
    await (made === undefined ? emptyFolder(folder) : removeFolder(made));
    throw error;
  }
}

function plainFiles(reader: BackupReader, only: string | undefined): PlainFile[] {
  const { parts, references, id } = reader.manifest;
  const chosen = parts.filter(({ database, role }) => only === undefined || database === only || role === "globals");
  if (only !== undefined && !chosen.some(({ database }) => database === only)) {
    throw new AppError("not-found", `backup ${id} has no database ${only}`, {
      text: { key: "error-restore-no-database", args: { id, database: only } },
    });
  }
  return [
    ...chosen.map((part): PlainFile => {
      return { file: part.file, rawBytes: part.rawBytes, open: () => reader.open(part) };
    }),
    ...references.map((reference): PlainFile => {
      const run = reference.folder.slice(reference.folder.indexOf("/") + 1);
      return { file: `${run}${reference.file}`, open: () => reader.openReference(reference) };
    }),
  ];
}

/** As it is called when it is neither encrypted nor packed. */
function plainName(file: string): string {
  return withoutEnding(withoutEnding(file, encryptedSuffix), packed);
}

function withoutEnding(name: string, ending: string): string {
  return name.endsWith(ending) ? name.slice(0, -ending.length) : name;
}
