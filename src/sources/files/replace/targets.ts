import { lstat, realpath } from "node:fs/promises";
import { basename, dirname, join, matchesGlob, normalize } from "node:path";
import type { Manifest } from "../../../core/manifest.ts";
import type { Text } from "../../../core/text.ts";
import type { TreeConfig } from "../schema.ts";
import { setPaths } from "../sets.ts";

/** One path that is replaced. */
export interface Target {
  /** As the backup has it: absolute. */
  readonly member: string;
  /** Where it is live: no link leads there. */
  readonly at: string;
}

/** What of a backup goes where. */
export interface Targets {
  readonly targets: readonly Target[];
  /** Everything in the backup is among them: its numbers can be compared. */
  readonly whole: boolean;
  readonly obstacles: readonly Text[];
  readonly remarks: readonly Text[];
}

/**
 * Only what the configuration names is ever replaced: whoever can write to a storage must not choose where on this machine
 * files go. The manifest says which of it the backup has.
 */
export async function targetsOf(config: TreeConfig, manifest: Manifest, pick?: string): Promise<Targets> {
  const obstacles: Text[] = [];
  const remarks: Text[] = [];
  const paths = manifest.source["paths"] ?? "";
  const stored = paths.split(", ");
  // A path may hold what stands between them.
  const has = (path: string): boolean => `, ${paths}, `.includes(`, ${path}, `);
  const named = [...new Set([...config.paths, ...stored.filter((path) => isOfSet(config, path))])];
  const roots = named.filter(has);
  const targets: Target[] = [];
  for (const root of roots) {
    if (pick !== undefined && !isAtOrBelow(pick, root)) continue;
    const found = await locate(root, pick, { has, follow: config.followSymlinks });
    if ("obstacle" in found) obstacles.push(found.obstacle);
    else targets.push(found);
  }
  if (pick !== undefined && (!isPlain(pick) || targets.length + obstacles.length === 0)) {
    return { targets: [], whole: false, obstacles: [{ key: "replace-files-pick", args: { path: pick } }], remarks };
  }
  if (targets.length + obstacles.length === 0)
    obstacles.push({ key: "replace-files-nothing", args: { paths: shorten(stored) } });
  const outer = targets.filter(
    ({ at }, index) => !targets.some((other, place) => (other.at === at ? place < index : isAtOrBelow(at, other.at))),
  );
  const members = outer.map(({ member }) => member);
  const isCovered = (path: string): boolean => stored.some((other) => isAtOrBelow(path, other));
  if (pick === undefined) {
    const absent = config.paths.filter((path) => !isCovered(path));
    if (absent.length > 0) remarks.push({ key: "replace-files-absent", args: { paths: shorten(absent) } });
    // What a link leads to is stored beside it under its own name.
    const foreign = stored.filter((path) => !roots.includes(path) && !members.includes(path));
    if (foreign.length > 0) remarks.push({ key: "replace-files-foreign", args: { paths: shorten(foreign) } });
  }
  const whole = pick === undefined && members.length === stored.length && members.every(has);
  return { targets: outer, whole, obstacles, remarks };
}

function isOfSet(config: TreeConfig, path: string): boolean {
  if (!isPlain(path)) return false;
  const patterns = (config.sets ?? []).flatMap((name) => setPaths[name]);
  return patterns.some((pattern) => matchesGlob(path, pattern));
}

function isPlain(path: string): boolean {
  return (
    path.startsWith("/") && normalize(path) === path && !/\p{Cc}/u.test(path) && (path === "/" || !path.endsWith("/"))
  );
}

/** Whether a path is another one or lies below it. */
export function isAtOrBelow(path: string, other: string): boolean {
  return path === other || path.startsWith(other === "/" ? "/" : `${other}/`);
}

/** Where a path of the backup is live, or what keeps it from being replaced. */
async function locate(
  root: string,
  pick: string | undefined,
  backup: { has(path: string): boolean; readonly follow: boolean },
): Promise<Target | { readonly obstacle: Text }> {
  const below = (pick ?? root).slice(root.length);
  const refuse = (key: string, args: Text["args"]): { obstacle: Text } => ({ obstacle: { key, args: args ?? {} } });
  let base: string;
  let member = root;
  try {
    const isLink = (await lstat(root).catch(() => undefined))?.isSymbolicLink();
    const target = isLink ? await realpath(root).catch(() => undefined) : undefined;
    base = target ?? join(await realpath(dirname(root)), basename(root));
    if (target !== undefined && !backup.follow) {
      // What it leads to is stored under its own name; the link stays as it is.
      member = base;
      if (!backup.has(base)) return refuse("replace-files-link", { path: root, target: base });
    }
  } catch {
    return refuse("replace-files-parent", { path: root, parent: dirname(root) });
  }
  const at = below === "" ? base : `${base}${below}`;
  if (below !== "") {
    const parent = await realpath(dirname(at)).catch(() => undefined);
    if (parent === undefined) return refuse("replace-files-parent", { path: at, parent: dirname(at) });
    if (parent !== dirname(at)) return refuse("replace-files-through", { path: at, parent });
  }
  return { member: `${member}${below}`, at };
}

const named = 5;

/** The first of them, for a person. */
export function shorten(list: readonly string[]): string {
  return list.length > named ? `${list.slice(0, named).join(", ")}, … (${list.length})` : list.join(", ");
}
