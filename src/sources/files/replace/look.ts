import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { access, lstat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { AppError } from "../../../core/errors.ts";
import type { Manifest } from "../../../core/manifest.ts";
import type { Lost, ReplacementIdentity, ReplacementLook } from "../../../core/replacement.ts";
import type { Text } from "../../../core/text.ts";
import { run } from "../../../lib/process.ts";
import type { BackupReader } from "../../types.ts";
import { artifact } from "../restore.ts";
import type { TreeConfig } from "../schema.ts";
import { isRoot, placed } from "../tar.ts";
import { mountOf, mountPoints } from "./mounts.ts";
import { openFiles } from "./open-files.ts";
import { topOf, walk } from "./survey.ts";
import { isAtOrBelow, shorten, type Target, type Targets, targetsOf } from "./targets.ts";
import { identityOf, isThere } from "./work.ts";

const namedLost = 20;
const mebibytes = (bytes: number): number => Math.ceil(bytes / 1024 ** 2);

export interface LookOptions {
  readonly manifest: Manifest;
  readonly pick: string | undefined;
  readonly signal: AbortSignal;
}

/** What is there, what will be lost and what stands in the way. Changes nothing. */
export async function lookAt(config: TreeConfig, options: LookOptions): Promise<ReplacementLook> {
  const { manifest, pick, signal } = options;
  const { chosen, mounts, obstacles } = await groundFor(config, manifest, pick);
  const { targets } = chosen;
  const live = await survey(targets, Date.parse(manifest.startedAt) / 1000, signal);
  const neededBytes = pick === undefined ? (artifact(manifest).rawBytes ?? live.bytes) : live.bytes;
  const room = await roomFor(targets, mounts, neededBytes);
  obstacles.push(...room.obstacles);
  const names = targets.map(({ at }) => at);
  const database = shorten(names.length > 0 ? names : config.paths);
  const missing = await absentOf(config);
  return {
    identity: await identityOfAll(targets),
    database,
    facts: { "GNU tar": await tarVersion(signal) },
    liveBytes: live.bytes,
    neededBytes,
    ...(room.freeBytes !== undefined && { freeBytes: room.freeBytes }),
    sessions: [],
    missingExtensions: [],
    otherVersions: [],
    lost: live.lost.slice(0, namedLost),
    lostTotal: live.lost.length,
    unit: "files",
    method: "beside",
    wayBack: "kept",
    ...(missing !== undefined && { noFormer: missing }),
    jobs: 1,
    remarks: [...chosen.remarks, ...remarksOn(config, options, chosen, live)],
    obstacles,
  };
}

export interface Ground {
  readonly chosen: Targets;
  readonly mounts: readonly string[];
  readonly obstacles: Text[];
}

/** What is to be replaced, and what keeps it from being renamed. */
export async function groundFor(config: TreeConfig, manifest: Manifest, pick: string | undefined): Promise<Ground> {
  if (config.via !== undefined) {
    const chosen = { targets: [], whole: false, obstacles: [], remarks: [] };
    return { chosen, mounts: [], obstacles: [{ key: "replace-files-via" }] };
  }
  const chosen = await targetsOf(config, manifest, pick);
  const mounts = await mountPoints();
  const found: Text[] = [];
  for (const target of chosen.targets) found.push(...(await obstaclesTo(target, mounts)));
  return { chosen, mounts, obstacles: [...chosen.obstacles, ...found] };
}

/** Which things are replaced, by name and, of folders, by what they are: somebody agrees to that. */
export async function identityOfAll(targets: readonly Target[]): Promise<ReplacementIdentity> {
  const lines: string[] = [];
  for (const { at } of targets) lines.push(JSON.stringify([at, await identityOf(at)]));
  return { database: createHash("sha256").update(lines.sort().join("\n")).digest("hex") };
}

async function obstaclesTo({ at }: Target, mounts: readonly string[]): Promise<Text[]> {
  const found: Text[] = [];
  if (mounts.includes(at)) return [{ key: "replace-files-mount", args: { path: at } }];
  const below = mounts.filter((mount) => isAtOrBelow(mount, at));
  if (below.length > 0) found.push({ key: "replace-files-mounts", args: { path: at, mounts: shorten(below) } });
  const parent = dirname(at);
  try {
    await access(parent, constants.W_OK | constants.X_OK);
    // Whoever moves a folder to another one has to be allowed to write in it.
    const live = await lstat(at).catch(() => undefined);
    if (live?.isDirectory()) await access(at, constants.W_OK);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    const key = code === "EROFS" ? "replace-files-read-only" : "replace-files-unwritable";
    if (code === "ENOENT" || code === "ENOTDIR")
      found.push({ key: "replace-files-parent", args: { path: at, parent } });
    else found.push({ key, args: { path: at, parent } });
  }
  return found;
}

interface Survey {
  readonly bytes: number;
  readonly lost: readonly Lost[];
  readonly sockets: number;
}

/** Sizes, and what was made or altered since a time, in seconds: each folder right below a path by itself. */
async function survey(targets: readonly Target[], since: number, signal: AbortSignal): Promise<Survey> {
  let bytes = 0;
  let sockets = 0;
  const lost: Lost[] = [];
  for (const { at } of targets) {
    if (!(await isThere(at))) continue;
    const newer = new Map<string, number>();
    const exact = await walk(at, signal, ({ type, bytes: size, changed, name }) => {
      if (type === "s") sockets++;
      if (type === "d") return;
      bytes += size;
      if (changed <= since) return;
      const what = topOf(at, name);
      newer.set(what, (newer.get(what) ?? 0) + 1);
    });
    for (const [what, live] of newer) lost.push({ what, live, exact });
  }
  lost.sort((a, b) => b.live - a.live || (a.what < b.what ? -1 : 1));
  return { bytes, lost, sockets };
}

/** Where everything goes to one file system, it has to have room for all; else for what is live of it already. */
async function roomFor(
  targets: readonly Target[],
  mounts: readonly string[],
  needed: number,
): Promise<{ readonly freeBytes?: number; readonly obstacles: readonly Text[] }> {
  const [first] = targets;
  if (first === undefined || new Set(targets.map(({ at }) => mountOf(dirname(at), mounts))).size > 1)
    return { obstacles: [] };
  const disk = await statfs(dirname(first.at)).catch(() => undefined);
  if (disk === undefined) return { obstacles: [] };
  const freeBytes = disk.bavail * disk.bsize;
  if (freeBytes >= needed) return { freeBytes, obstacles: [] };
  const args = { path: first.at, needed: mebibytes(needed), free: mebibytes(freeBytes) };
  return { freeBytes, obstacles: [{ key: "replace-files-room", args }] };
}

function remarksOn(config: TreeConfig, { manifest, pick }: LookOptions, { targets }: Targets, live: Survey): Text[] {
  const remarks: Text[] = [];
  const open = openFiles(targets.map(({ at }) => at));
  if (open.size > 0) {
    const programs = shorten([...open].map(([name, count]) => (count > 1 ? `${name} (${count})` : name)));
    remarks.push({ key: "replace-files-open", args: { programs } });
  }
  if (live.sockets > 0) remarks.push({ key: "replace-files-sockets", args: { count: live.sockets } });
  const excluded = new Set([...config.exclude, ...excludedBy(manifest)]);
  if (excluded.size > 0) remarks.push({ key: "replace-files-excluded", args: { list: shorten([...excluded]) } });
  const unsure = (manifest.notes ?? []).filter(({ kind }) => kind !== "skipped");
  if (unsure.length > 0) {
    const total = manifest.notesTotal ?? unsure.length;
    remarks.push({ key: "replace-files-notes", args: { total, path: unsure[0]?.name ?? "" } });
  }
  if (config.followSymlinks) remarks.push({ key: "replace-files-followed" });
  if (!isRoot()) remarks.push({ key: "replace-files-owners" });
  if (pick !== undefined) remarks.push({ key: "replace-files-picked", args: { path: pick } });
  return remarks;
}

const patterns = z.array(z.string());

/** What the source left out when the backup was made, whatever it leaves out now. */
function excludedBy({ source }: Manifest): readonly string[] {
  const text = source["exclude"];
  return text === undefined ? [] : patterns.parse(JSON.parse(text));
}

/** The first path of the source that is not there: a backup of it fails. */
async function absentOf(config: TreeConfig): Promise<Text | undefined> {
  if (config.via !== undefined) return undefined;
  for (const path of config.paths) {
    const isReached = await access(path).then(
      () => true,
      () => false,
    );
    if (!isReached) return { key: "replace-files-no-former", args: { path } };
  }
  return undefined;
}

async function tarVersion(signal: AbortSignal): Promise<string> {
  const { stdout } = await run(placed(undefined, ["tar", "--version"]), { signal });
  return /^tar \(GNU tar\) (\S+)/.exec(stdout)?.[1] ?? "?";
}

/** Reads so much of a backup that a wrong key, a damaged beginning or a missing copy is found. */
export async function readBeginning(reader: BackupReader): Promise<void> {
  const stream = await reader.open(artifact(reader.manifest));
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) if (chunk.length > 0) break;
  } finally {
    stream.destroy();
  }
}

/** What stands in the way, as an error. */
export function refused(path: string, text: Text): AppError {
  return new AppError("conflict", `${path} can not be replaced: ${text.key}`, { context: { step: "preflight" }, text });
}
