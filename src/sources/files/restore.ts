import { mkdir, readdir, realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { AppError } from "../../core/errors.ts";
import type { ManifestPart } from "../../core/manifest.ts";
import { emptyFolder, removeFolder } from "../../lib/remove-tree.ts";
import { feed } from "../feed.ts";
import { folderOf } from "../folder.ts";
import { full } from "../plain-file.ts";
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
import { Complaints } from "./complaints.ts";
import { LineCounter } from "./readable.ts";
import { compareCommand, extractCommand, isRoot } from "./tar.ts";

/** Extracts the archive into an empty or missing folder; when that fails, it is as it was before. */
export async function restore(reader: BackupReader, target: RestoreTarget): Promise<RestoreReport> {
  const { owners = true, signal } = target;
  const named = folderOf(target.to);
  const made = await mkdir(named, { recursive: true });
  // A link to an empty folder is as good as the folder; what has to be removed lies behind it.
  const folder = await realpath(named);
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
