import { lstat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError } from "../../../core/errors.ts";
import { run } from "../../../lib/process.ts";
import { removeFolder } from "../../../lib/remove-tree.ts";
import type { ReplacementContext } from "../../replacement.ts";
import { type BackupReader, mostDifferences, type RestoreReport } from "../../types.ts";
import { artifact, compareTree, extract, withDifferences } from "../restore.ts";
import { isRoot } from "../tar.ts";
import { mountOf } from "./mounts.ts";
import { walk } from "./survey.ts";
import type { Target, Targets } from "./targets.ts";
import { identityOf, listFile, makeWork, type Placed, treeOf, type Work, workFolder, writeMark } from "./work.ts";

export interface Preparation {
  readonly id: string;
  readonly reader: BackupReader;
  readonly context: ReplacementContext;
  readonly chosen: Targets;
  /** Paths that may not be links in the backup: what they led to would not be replaced by them. */
  readonly noLinks: readonly string[];
}

/** Paths by the mount on which they are renamed, by the work folder that each mount gets. */
export function groups(
  targets: readonly Target[],
  mounts: readonly string[],
  id: string,
): ReadonlyMap<string, readonly Target[]> {
  const byMount = Map.groupBy(targets, ({ at }) => mountOf(dirname(at), mounts));
  return new Map([...byMount.values()].map((list) => [workFolder(list[0]?.at ?? "/", id), list]));
}

/** Extracts into the work folders and compares; marks them as prepared when all is as the backup says. */
export async function makeWorks(
  work: Preparation,
  grouped: ReadonlyMap<string, readonly Target[]>,
): Promise<RestoreReport> {
  const { id, context } = work;
  const folders = [...grouped.keys()];
  const facts = { folders: JSON.stringify(folders) };
  await context.record({ step: "make", facts });
  const made: Work[] = [];
  try {
    for (const [folder, targets] of grouped) {
      const seen = await Promise.all(targets.map(async (target) => ({ ...target, was: await identityOf(target.at) })));
      made.push(await makeWork(folder, { id, folders }, seen));
    }
    await context.record({ step: "fill", facts });
    const report = await fill(work, made);
    await context.record({ step: "compare", facts });
    const result = await compareAll(work, made, report);
    if (result.differencesTotal > 0) return result;
    for (const { folder, targets } of made) {
      for (const [index, target] of targets.entries()) await writeList(target, listFile(folder, index), context.signal);
      // A swap that outlives a loss of power is of no use when the contents do not.
      await run({ argv: ["sync", "--file-system", folder] }, { signal: context.signal, timeoutMs: 3_600_000 });
    }
    await context.record({ step: "prepared", facts });
    for (const each of made) await writeMark(each, id, "prepared");
    return result;
  } catch (error) {
    for (const { folder } of made) await removeFolder(folder).catch(() => undefined);
    throw error;
  }
}

/** Reads the archive once for each mount. */
async function fill({ reader, context, chosen, noLinks }: Preparation, works: readonly Work[]): Promise<RestoreReport> {
  const { signal } = context;
  const total = artifact(reader.manifest).entries;
  const isWhole = chosen.whole && works.length === 1;
  let report: RestoreReport | undefined;
  for (const [index, { folder, targets }] of works.entries()) {
    const found = await extract(reader, {
      folder: treeOf(folder),
      owners: isRoot(),
      signal,
      members: targets.map(({ member }) => member),
      progress: (bytes) =>
        context.progress?.(Math.round((index * artifact(reader.manifest).bytes + bytes) / works.length)),
    });
    for (const target of targets) await requireMade(target, treeOf(folder), noLinks);
    report = report === undefined ? found : added(report, found);
  }
  if (report === undefined) throw new AppError("internal", "a replacement of nothing");
  const entries = report.compared["entries"] ?? 0;
  if (total !== undefined) context.step?.(entries, isWhole ? total : entries, "files");
  if (!chosen.whole || total === undefined || total === entries) return report;
  const difference = { what: "entries", expected: String(total), found: String(entries) };
  return withDifferences(report, { differences: [difference], total: 1 });
}

function added(a: RestoreReport, b: RestoreReport): RestoreReport {
  const entries = (a.compared["entries"] ?? 0) + (b.compared["entries"] ?? 0);
  return {
    restoreMs: a.restoreMs + b.restoreMs,
    compared: { ...a.compared, entries },
    differences: [...a.differences, ...b.differences].slice(0, mostDifferences),
    differencesTotal: a.differencesTotal + b.differencesTotal,
  };
}

/** Reads the archive again and holds every file against it. */
export async function compareAll(
  { reader, context }: Pick<Preparation, "reader" | "context">,
  works: readonly Work[],
  report: RestoreReport,
): Promise<RestoreReport> {
  let result = report;
  for (const { folder, targets } of works) {
    const members = targets.map(({ member }) => member);
    const { signal } = context;
    result = withDifferences(result, await compareTree(reader, { folder: treeOf(folder), members, signal }));
  }
  return result;
}

/** Rejects where the backup does not have a path, or has it as a link; and where a link is on the way to it. */
async function requireMade({ member, made }: Placed, tree: string, noLinks: readonly string[]): Promise<void> {
  let path = tree;
  for (const name of member.split("/").slice(1)) {
    path = `${path}/${name}`;
    const found = await lstat(path).catch(() => undefined);
    if (found?.isSymbolicLink() !== true || (path === made && !noLinks.includes(member))) continue;
    throw new AppError("conflict", `${member} is a symbolic link in the backup`, {
      context: { step: "compare" },
      text: { key: "error-replace-files-link", args: { path: member } },
    });
  }
}

/** What there is of names, to tell later what is gone. */
async function writeList({ made }: Placed, file: string, signal: AbortSignal): Promise<void> {
  const names: string[] = [];
  await walk(made, signal, ({ type, name }) => {
    if (type !== "d") names.push(`${name}\0`);
  });
  await writeFile(file, names.join(""), { encoding: "latin1", mode: 0o600 });
}
