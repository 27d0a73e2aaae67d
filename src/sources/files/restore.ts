import { mkdir, readdir, realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { AppError } from "../../core/errors.ts";
import type { Manifest, ManifestPart } from "../../core/manifest.ts";
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
import { readableName } from "./names.ts";
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
    return withDifferences(report, await compareTree(reader, { folder, signal }));
  } finally {
    await removeFolder(folder);
  }
}

/** Reads the archive once more and holds it against what was extracted of it. */
export async function compareTree(
  reader: BackupReader,
  { folder, members, signal }: Pick<Extraction, "folder" | "members" | "signal">,
): Promise<Comparison> {
  const comparison = new Comparison(isRoot());
  const programs = [unzstdCommand, comparison.command(compareCommand(folder, members))];
  await feed(programs, await reader.open(artifact(reader.manifest)), {
    signal,
    onOutput: (chunk) => comparison.take(chunk),
  });
  comparison.end();
  return comparison;
}

/** The report with what was found besides. */
export function withDifferences(
  report: RestoreReport,
  found: Pick<Comparison, "differences" | "total">,
): RestoreReport {
  return {
    ...report,
    differences: [...report.differences, ...found.differences].slice(0, mostDifferences),
    differencesTotal: report.differencesTotal + found.total,
  };
}

/** The part that is the archive. Throws `manifest`. */
export function artifact(manifest: Manifest): ManifestPart {
  const part = manifest.parts.find(({ role }) => role === "artifact");
  if (part !== undefined) return part;
  throw new AppError("manifest", "the manifest names no artifact", { text: { key: "error-manifest" } });
}

export interface Extraction {
  readonly folder: string;
  readonly owners: boolean;
  readonly signal: AbortSignal;
  /** Absolute paths: only these and what is below them. Their number is then not the manifest's. Default: everything. */
  readonly members?: readonly string[] | undefined;
  progress?(bytes: number): void;
}

/**
 * Extracts the archive into an existing, empty folder, and compares its numbers with the manifest's. Of several names of one
 * file the archive has the content under the first one only: where that is not among the members, it is extracted too.
 */
export async function extract(reader: BackupReader, options: Extraction): Promise<RestoreReport> {
  const { folder, owners, signal, members } = options;
  const begin = performance.now();
  const part = artifact(reader.manifest);
  const counter = new LineCounter();
  const complaints = new Complaints();
  const command = { ...extractCommand(folder, owners, members), ...complaints.listening() };
  let bytes = 0;
  await feed([unzstdCommand, command], await reader.open(part), {
    signal,
    onBytes: (count) => {
      bytes += count;
      options.progress?.(bytes);
    },
    onOutput: (chunk) => counter.add(chunk),
  }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    if (
      members !== undefined &&
      complaints.lacksLinks &&
      [...complaints.linked].some((name) => !members.includes(name))
    )
      return;
    throw complaints.isFull ? full(folder, error) : (absent(error) ?? error);
  });
  if (members !== undefined && complaints.lacksLinks) {
    await emptyFolder(folder);
    return await extract(reader, { ...options, members: [...new Set([...members, ...complaints.linked])] });
  }
  const restoreMs = Math.round(performance.now() - begin);
  const found = { entries: counter.lines, bytes: complaints.totals.bytes };
  // Of a part of it there is no number to compare with; the archive's bytes are read whole in any case.
  const expected = { entries: members === undefined ? part.entries : undefined, bytes: part.rawBytes };
  const compared: Record<string, number> = members === undefined ? {} : { entries: found.entries };
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

/** What is asked for is not in the archive. */
function absent(error: unknown): AppError | undefined {
  if (!(error instanceof AppError)) return undefined;
  const name = /tar: (.+): Not found in archive/.exec(String(error.context["stderr"]))?.[1];
  if (name === undefined) return undefined;
  const path = readableName(name);
  return new AppError("not-found", `${path} is not in the backup`, {
    context: error.context,
    text: { key: "error-replace-files-absent", args: { path } },
    cause: error,
  });
}
