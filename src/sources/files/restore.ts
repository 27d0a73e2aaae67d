import { mkdir, readdir } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { AppError, toAppError } from "../../core/errors.ts";
import type { ManifestPart } from "../../core/manifest.ts";
import { emptyFolder, removeFolder } from "../../lib/remove-tree.ts";
import { feed } from "../feed.ts";
import {
  type BackupReader,
  type Difference,
  mostDifferences,
  type RestoreReport,
  type RestoreTarget,
  type Scratch,
} from "../types.ts";
import { unzstdCommand } from "../zstd.ts";
import { Comparison } from "./compare.ts";
import { messageOf, readableName } from "./names.ts";
import { LineCounter, Totals } from "./readable.ts";
import { compareCommand, extractCommand, isRoot } from "./tar.ts";

/** Extracts the archive into an empty or missing folder; when that fails, it is as it was before. */
export async function restore(reader: BackupReader, target: RestoreTarget): Promise<RestoreReport> {
  const { owners = true, signal } = target;
  const folder = target.to.startsWith("file:") ? fileURLToPath(target.to) : resolve(target.to);
  const made = await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0) {
    throw new AppError("conflict", `${folder} is not empty`, {
      context: { step: "preflight" },
      text: { key: "error-restore-folder", args: { path: folder } },
    });
  }
  try {
    const progress = (bytes: number): void => target.progress?.(bytes);
    return await extract(reader, { folder, owners: owners && isRoot(), signal, progress });
  } catch (error) {
    await (made === undefined ? emptyFolder(folder) : removeFolder(made));
    throw error;
  }
}

/**
 * Extracts the archive into the scratch folder and then compares every file with a second reading: contents, owners,
 * modes, times and links. What differs is named.
 */
export async function testRestore(reader: BackupReader, { folder: scratch, signal }: Scratch): Promise<RestoreReport> {
  const folder = resolve(scratch, "tree");
  await mkdir(folder, { mode: 0o700 });
  try {
    const report = await extract(reader, { folder, owners: isRoot(), signal });
    const comparison = new Comparison(isRoot());
    await feed([unzstdCommand, comparison.command(compareCommand(folder))], await reader.open(artifact(reader)), {
      signal,
      onOutput: (chunk) => comparison.take(chunk),
    });
    comparison.end();
    return {
      ...report,
      differences: [...report.differences, ...comparison.differences].slice(0, mostDifferences),
      differencesTotal: report.differencesTotal + comparison.total,
    };
  } finally {
    await removeFolder(folder);
  }
}

function artifact({ manifest }: BackupReader): ManifestPart {
  const part = manifest.parts.find(({ role }) => role === "artifact");
  if (part !== undefined) return part;
  throw new AppError("manifest", "the manifest names no artifact", { text: { key: "error-manifest" } });
}

interface Extraction {
  readonly folder: string;
  readonly owners: boolean;
  readonly signal: AbortSignal;
  progress?(bytes: number): void;
}

async function extract(reader: BackupReader, options: Extraction): Promise<RestoreReport> {
  const { folder, owners, signal } = options;
  const begin = performance.now();
  const part = artifact(reader);
  const counter = new LineCounter();
  const complaints = new Complaints();
  const command = { ...extractCommand(folder, owners), ...complaints.listening() };
  let bytes = 0;
  await feed([unzstdCommand, command], await reader.open(part), {
    signal,
    onBytes: (count) => {
      bytes += count;
      options.progress?.(bytes);
    },
    onOutput: (chunk) => counter.add(chunk),
  }).catch((error: unknown) => {
    throw complaints.isFull && !signal.aborted ? full(folder, error) : error;
  });
  const restoreMs = Math.round(performance.now() - begin);
  const found = { entries: counter.lines, bytes: complaints.totals.bytes };
  const expected = { entries: part.entries, bytes: part.rawBytes };
  const compared: Record<string, number> = {};
  const differences: Difference[] = [...complaints.differences];
  let total = complaints.total;
  for (const what of ["entries", "bytes"] as const) {
    const [should, is] = [expected[what], found[what]];
    if (should === undefined || is === undefined) continue;
    compared[what] = should;
    if (should === is) continue;
    differences.push({ what, expected: String(should), found: String(is) });
    total++;
  }
  return { restoreMs, compared, differences: differences.slice(0, mostDifferences), differencesTotal: total };
}

function full(folder: string, cause: unknown): AppError {
  return new AppError("storage-full", `there is not enough room for the backup in ${folder}`, {
    context: { ...toAppError(cause).context, step: "tar" },
    text: { key: "error-files-full", args: { path: folder } },
    cause,
  });
}

/**
 * What tar could not make although the archive is whole and there is room: device nodes, which only the machine's root
 * may make. That is no reason to withhold everything else from somebody who needs it; it is told as a difference.
 */
class Complaints {
  readonly totals = new Totals();
  readonly differences: Difference[] = [];
  total = 0;
  /** Whether there was no more room. */
  isFull = false;
  #others = 0;

  listening(): { onLine: (line: string) => boolean; accepts: (status: number) => boolean } {
    return {
      onLine: (line) => this.#take(line),
      accepts: (status) => status === 2 && this.total > 0 && this.#others === 0,
    };
  }

  #take(line: string): boolean {
    if (!this.totals.take(line)) return false;
    const { name = "", what = "" } = messageOf(line) ?? {};
    if (what !== "Cannot mknod: Operation not permitted") {
      if (/^Wrote only |No space left|Disk quota exceeded/.test(what)) this.isFull = true;
      if (!what.startsWith("Warning: ")) this.#others++;
      return true;
    }
    this.total++;
    if (this.differences.length < mostDifferences)
      this.differences.push({ what: readableName(name), expected: "device", found: "not permitted" });
    return true;
  }
}
