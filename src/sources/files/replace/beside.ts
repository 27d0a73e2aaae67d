import { constants } from "node:fs";
import { access, lstat, mkdir, realpath, rename, statfs } from "node:fs/promises";
import { basename, dirname, join, normalize } from "node:path";
import type { Manifest } from "../../../core/manifest.ts";
import type { ReplacementLook } from "../../../core/replacement.ts";
import type { Text } from "../../../core/text.ts";
import { removeFolder } from "../../../lib/remove-tree.ts";
import type { Beside, BesideOrder, ReplacementContext } from "../../replacement.ts";
import type { BackupReader, RestoreReport } from "../../types.ts";
import { artifact, compareTree, extract, withDifferences } from "../restore.ts";
import type { TreeConfig } from "../schema.ts";
import { isRoot } from "../tar.ts";
import { readBeginning, refused } from "./look.ts";
import { isAtOrBelow } from "./targets.ts";
import { identityOf, isOwn, isThere, syncFolder, workFolder } from "./work.ts";

const mebibytes = (bytes: number): number => Math.ceil(bytes / 1024 ** 2);

/** A folder that was not there before, with everything or one path of a backup: extracted under another name and renamed. */
class FilesBeside implements Beside {
  readonly #config: TreeConfig;
  readonly #order: BesideOrder;

  constructor(config: TreeConfig, order: BesideOrder) {
    this.#config = config;
    this.#order = order;
  }

  async look(
    manifest: Manifest,
    { reader }: { readonly reader?: BackupReader; readonly signal: AbortSignal },
  ): Promise<ReplacementLook> {
    if (reader) await readBeginning(reader);
    const { to } = this.#order;
    const obstacles = await this.#obstacles();
    const neededBytes = artifact(manifest).rawBytes ?? 0;
    const disk = await statfs(dirname(to)).catch(() => undefined);
    const freeBytes = disk && disk.bavail * disk.bsize;
    if (freeBytes !== undefined && freeBytes < neededBytes && this.#order.pick === undefined) {
      const args = { path: to, needed: mebibytes(neededBytes), free: mebibytes(freeBytes) };
      obstacles.push({ key: "replace-files-room", args });
    }
    const remarks: Text[] = [];
    if (this.#config.paths.some((path) => isAtOrBelow(to, path)))
      remarks.push({ key: "replace-files-within", args: { path: to } });
    if (!isRoot()) remarks.push({ key: "replace-files-owners" });
    return {
      identity: { database: to },
      database: to,
      facts: {},
      liveBytes: 0,
      neededBytes,
      ...(freeBytes !== undefined && { freeBytes }),
      sessions: [],
      missingExtensions: [],
      otherVersions: [],
      lost: [],
      lostTotal: 0,
      unit: "files",
      method: "beside",
      wayBack: "kept",
      jobs: 1,
      remarks,
      obstacles,
    };
  }

  async make(reader: BackupReader, context: ReplacementContext): Promise<RestoreReport> {
    const { to, pick } = this.#order;
    const { signal, journal } = context;
    const members = pick === undefined ? undefined : [pick];
    if (journal?.step === "prepared" && journal.facts["made"] === (await identityOf(to))) {
      // It got its name right before a kill.
      await this.discard(context);
      const report = { restoreMs: 0, compared: {}, differences: [], differencesTotal: 0 };
      return withDifferences(report, await compareTree(reader, { folder: to, members, signal }));
    }
    const [obstacle] = await this.#obstacles();
    if (obstacle !== undefined) throw refused(to, obstacle);
    if (journal !== undefined) await this.discard(context);
    const work = workFolder(to, this.#order.id);
    const tree = join(work, "tree");
    await context.record({ step: "make", facts: { to } });
    await mkdir(work, { mode: 0o700 });
    try {
      await mkdir(tree, { mode: 0o700 });
      await context.record({ step: "fill", facts: { to } });
      const progress = (bytes: number): void => context.progress?.(bytes);
      const extracted = await extract(reader, { folder: tree, owners: isRoot(), signal, members, progress });
      await context.record({ step: "compare", facts: { to } });
      const report = withDifferences(extracted, await compareTree(reader, { folder: tree, members, signal }));
      await context.record({ step: "prepared", facts: { to, made: await identityOf(tree) } });
      signal.throwIfAborted();
      // Only an empty folder could be replaced by this; that is seen here.
      if (await isThere(to)) throw refused(to, { key: "replace-files-there", args: { path: to } });
      await rename(tree, to);
      await syncFolder(dirname(to));
      return report;
    } finally {
      await removeFolder(work).catch((error: unknown) => {
        this.#order.logger.warn({ err: error, folder: work }, "what a restore has extracted could not be removed");
      });
    }
  }

  async discard(_context: ReplacementContext): Promise<void> {
    const work = workFolder(this.#order.to, this.#order.id);
    if (await isOwn(work)) await removeFolder(work);
  }

  async #obstacles(): Promise<Text[]> {
    const { to, pick } = this.#order;
    const parent = dirname(to);
    if (!to.startsWith("/") || to === "/" || normalize(to) !== to || /\p{Cc}/u.test(to) || basename(to) === "")
      return [{ key: "replace-files-name", args: { path: to } }];
    if (pick !== undefined && (!pick.startsWith("/") || normalize(pick) !== pick))
      return [{ key: "replace-files-pick", args: { path: pick } }];
    if ((await lstat(to).catch(() => undefined)) !== undefined)
      return [{ key: "replace-files-there", args: { path: to } }];
    try {
      // The way there may lead through links; the folder itself has to be a real one's.
      await access(await realpath(parent), constants.W_OK | constants.X_OK);
      return [];
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      if (code === "EROFS") return [{ key: "replace-files-read-only", args: { path: to, parent } }];
      if (code === "ENOENT" || code === "ENOTDIR") return [{ key: "replace-files-parent", args: { path: to, parent } }];
      return [{ key: "replace-files-unwritable", args: { path: to, parent } }];
    }
  }
}

/** One that makes a folder. */
export function createBeside(config: TreeConfig, order: BesideOrder): Beside {
  return new FilesBeside(config, order);
}
