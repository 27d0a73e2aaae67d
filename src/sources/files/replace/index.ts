import { realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { AppError } from "../../../core/errors.ts";
import type { Manifest } from "../../../core/manifest.ts";
import type { Changes, Recovered, ReplacementLook, SwapReport, UndoReport } from "../../../core/replacement.ts";
import { removeFolder } from "../../../lib/remove-tree.ts";
import { takeHold } from "../../hold.ts";
import type { ReplacementContext, ReplacementOrder, Replacer } from "../../replacement.ts";
import type { BackupReader, RestoreReport } from "../../types.ts";
import type { TreeConfig } from "../schema.ts";
import { expandSet } from "../sets.ts";
import { changesIn } from "./changes.ts";

import { groundFor, identityOfAll, lookAt, readBeginning, refused } from "./look.ts";
import { allOf, swapIn, takeOut } from "./moves.ts";
import { compareAll, groups, makeWorks } from "./prepare.ts";
import { shorten, type Target } from "./targets.ts";
import { isOwn, isThere, readWork, removeMark, type State, type Work, workFolder } from "./work.ts";

const foldersSchema = z.array(z.string());

/**
 * Replaces paths by what a backup has of them: extracted beside each on the same file system, compared, renamed. The work
 * folders there are all that it needs to know after a kill.
 */
class FilesReplacer implements Replacer {
  readonly #config: TreeConfig;
  readonly #order: ReplacementOrder;

  constructor(config: TreeConfig, order: ReplacementOrder) {
    this.#config = config;
    this.#order = order;
  }

  async look(
    manifest: Manifest,
    { reader, signal }: { readonly reader?: BackupReader; readonly signal: AbortSignal },
  ): Promise<ReplacementLook> {
    if (reader) await readBeginning(reader);
    return await lookAt(this.#config, { manifest, pick: this.#order.pick, signal });
  }

  async prepare(reader: BackupReader, context: ReplacementContext): Promise<RestoreReport> {
    const { id, pick } = this.#order;
    const { chosen, mounts, obstacles } = await groundFor(this.#config, reader.manifest, pick);
    const { targets } = chosen;
    const name = shorten(targets.map(({ at }) => at));
    const [obstacle] = obstacles;
    if (obstacle !== undefined) throw refused(name, obstacle);
    await using _hold = await takeHold(targets.map(({ at }) => at));
    const { database } = await identityOfAll(targets);
    const works = await this.#works(context);
    if (has(works, "swapping", "swapped", "undoing", "undone")) throw over(name);
    if (database !== context.identity.database) throw changed(name);
    const preparation = { id, reader, context, chosen, noLinks: this.#config.paths };
    if (isWhole(works) && all(works, "prepared") && sameTargets(works, targets)) {
      const report = { restoreMs: 0, compared: {}, differences: [], differencesTotal: 0 };
      return await compareAll(preparation, works, report);
    }
    const grouped = groups(targets, mounts, id);
    await this.#clear(context, [...grouped.keys()]);
    return await makeWorks(preparation, grouped);
  }

  async swap(context: ReplacementContext): Promise<SwapReport> {
    const works = await this.#works(context);
    const targets = allOf(works).map(({ target }) => target);
    await using _hold = await takeHold(targets.map(({ at }) => at));
    if (!isWhole(works) || !all(works, "prepared")) throw notPrepared(shorten(this.#config.paths));
    const { database } = await identityOfAll(targets);
    if (database !== context.identity.database) throw changed(shorten(targets.map(({ at }) => at)));
    await this.#record(context, "swap", works);
    const refusedMs = await swapIn(works, this.#order.id, this.#order.logger);
    await this.#record(context, "swapped", works);
    return { refusedMs, sessionsEnded: 0 };
  }

  async changes(signal: AbortSignal): Promise<Changes> {
    const works = await this.#works(undefined);
    await requireWayBack(works, this.#config);
    return await changesIn(works, ({ at }) => at, signal);
  }

  async undo(context: ReplacementContext): Promise<UndoReport> {
    const works = await this.#works(context);
    await using _hold = await takeHold(allOf(works).map(({ target }) => target.at));
    await requireWayBack(works, this.#config);
    await this.#record(context, "undo", works);
    const refusedMs = await takeOut(works, this.#order.id);
    const changes = await changesIn(works, ({ undone }) => undone, context.signal).catch((error: unknown) => {
      this.#order.logger.warn({ err: error }, "what was written since the swap can not be counted");
      return undefined;
    });
    await this.#record(context, "undone", works);
    return { refusedMs, sessionsEnded: 0, ...(changes && { changes }) };
  }

  async discard(context: ReplacementContext): Promise<void> {
    const works = await this.#works(context);
    await using _hold = await takeHold(allOf(works).map(({ target }) => target.at));
    await this.#settle(works);
    const folders = await this.#folders(context);
    if (folders.length === 0) return;
    await context.record({ step: "discard", facts: { folders: JSON.stringify(folders) } });
    // What is half removed is no way back any more.
    for (const folder of folders) await removeMark(folder);
    for (const folder of folders) await removeFolder(folder);
  }

  async recover(context: ReplacementContext): Promise<Recovered> {
    const works = await this.#works(context);
    await using _hold = await takeHold(allOf(works).map(({ target }) => target.at));
    const settled = await this.#settle(works);
    if (settled !== undefined) return settled;
    const folders = await this.#folders(context);
    if (folders.length === 0) return "nothing";
    for (const folder of folders) await removeFolder(folder);
    return "rolled-back";
  }

  /** Finishes what was begun with live paths; undefined where none was touched and nothing is prepared whole. */
  async #settle(works: readonly Work[]): Promise<Recovered | undefined> {
    const { id, logger } = this.#order;
    if (works.length === 0) return undefined;
    if (has(works, "undoing")) {
      await takeOut(works, id);
      return "undone";
    }
    if (has(works, "swapping")) {
      // Everything was compared and approved: it is finished, unless it can not be, and then all is as before.
      const isSwapped = await swapIn(works, id, logger).then(
        () => true,
        (error: unknown) => {
          logger.error({ err: error }, "a swap that was cut off could not be finished: it was rolled back");
          return false;
        },
      );
      return isSwapped ? "swapped" : "prepared";
    }
    if (has(works, "undone")) return "undone";
    if (has(works, "swapped")) return "swapped";
    return isWhole(works) && all(works, "prepared") ? "prepared" : undefined;
  }

  /** What is half made of this order; rejects where its name is somebody else's. */
  async #clear(context: ReplacementContext, wanted: readonly string[]): Promise<void> {
    // Without a journal nothing was begun: what has the name then is not ours.
    const known = context.journal === undefined ? [] : await this.#folders(context, wanted);
    for (const folder of known) await removeFolder(folder);
  }

  /** The work folders of this order with their marks, in their order. */
  async #works(context: Pick<ReplacementContext, "journal"> | undefined): Promise<Work[]> {
    const found = new Map<string, Work>();
    const queue = await this.#folders(context);
    for (let folder = queue.shift(); folder !== undefined; folder = queue.shift()) {
      const work = found.has(folder) ? undefined : await readWork(folder, this.#order.id);
      if (work === undefined) continue;
      found.set(folder, work);
      queue.push(...work.folders.filter((other) => this.#isOurs(other)));
    }
    const order = [...found.values()][0]?.folders ?? [];
    return [...found.values()].sort((a, b) => order.indexOf(a.folder) - order.indexOf(b.folder));
  }

  /** The work folders that are there, marked or not. */
  async #folders(
    context: Pick<ReplacementContext, "journal"> | undefined,
    more: readonly string[] = [],
  ): Promise<string[]> {
    const noted = foldersSchema.safeParse(JSON.parse(context?.journal?.facts["folders"] ?? "[]")).data ?? [];
    const { pick, id } = this.#order;
    const sets = (this.#config.sets ?? []).flatMap((name) => expandSet(name).paths);
    const places = new Set([...noted.filter((folder) => this.#isOurs(folder)), ...more]);
    for (const path of [...this.#config.paths, ...sets, ...(pick === undefined ? [] : [pick])]) {
      const real = await realpath(path).catch(() => undefined);
      const parent = await realpath(dirname(path)).catch(() => undefined);
      for (const at of [real, parent && join(parent, basename(path))])
        if (at !== undefined) places.add(workFolder(at, id));
    }
    const own: string[] = [];
    for (const folder of places) if (await isOwn(folder)) own.push(folder);
    return own;
  }

  /** What a journal says is only believed where it can do no harm. */
  #isOurs(folder: string): boolean {
    return folder.startsWith("/") && folder === workFolder(folder, this.#order.id);
  }

  async #record(
    context: ReplacementContext,
    step: "swap" | "swapped" | "undo" | "undone",
    works: readonly Work[],
  ): Promise<void> {
    await context.record({ step, facts: { folders: JSON.stringify(works.map(({ folder }) => folder)) } });
    if (step === "swap" || step === "undo") context.signal.throwIfAborted();
  }
}

const has = (works: readonly Work[], ...states: readonly State[]): boolean =>
  works.some(({ state }) => states.includes(state));
const all = (works: readonly Work[], state: State): boolean =>
  works.length > 0 && works.every((work) => work.state === state);

/** Every work folder that belongs to it is there. */
function isWhole(works: readonly Work[]): boolean {
  const folders = works[0]?.folders ?? [];
  return works.length > 0 && works.length === folders.length;
}

function sameTargets(works: readonly Work[], targets: readonly Target[]): boolean {
  const names = (list: readonly Target[]): string =>
    JSON.stringify(list.map(({ member, at }) => `${member}\0${at}`).sort());
  return names(allOf(works).map(({ target }) => target)) === names(targets);
}

/** Rejects with `conflict` where what was live is not there any more. */
async function requireWayBack(works: readonly Work[], config: TreeConfig): Promise<void> {
  let isThereAll = isWhole(works) && all(works, "swapped");
  for (const { target } of allOf(works)) isThereAll &&= target.was === "none" || (await isThere(target.before));
  if (isThereAll) return;
  const path = shorten(config.paths);
  throw new AppError("conflict", `nothing is kept aside of ${path}: there is nothing to go back to`, {
    context: { step: "preflight" },
    text: { key: "error-replace-files-no-before", args: { path } },
  });
}

function refusal(key: string, message: string, path: string): AppError {
  return new AppError("conflict", message, { context: { step: "preflight" }, text: { key, args: { path } } });
}

const over = (path: string): AppError =>
  refusal("error-replace-files-over", `${path} was replaced already by this restore`, path);
const changed = (path: string): AppError =>
  refusal(
    "error-replace-files-changed",
    `${path} is not what was to be replaced any more: somebody has made it anew`,
    path,
  );
const notPrepared = (path: string): AppError =>
  refusal("error-replace-files-not-prepared", `nothing is prepared to take the place of ${path}`, path);

/** The replacer of one order. */
export function createReplacer(config: TreeConfig, order: ReplacementOrder): Replacer {
  return new FilesReplacer(config, order);
}
