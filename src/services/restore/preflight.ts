import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError } from "../../core/errors.ts";
import { type Manifest, neededBytes } from "../../core/manifest.ts";
import { storedBytes } from "../../core/run.ts";
import { run } from "../../lib/process.ts";
import { lookAtFolder } from "../../sources/folder.ts";
import { findKind, type SourceConfig } from "../../sources/index.ts";
import type { RestoreTarget, SourceKind } from "../../sources/types.ts";
import { unpackedBytes } from "../backup/scratch.ts";

/** What is to be restored where. */
export interface RestoreQuery {
  readonly manifest: Manifest;
  readonly target: RestoreTarget;
  /** The parts are given back as plain files into a folder: what every kind can. */
  readonly files: boolean;
  /** The source of that name as it is configured now, where it is. */
  readonly config?: SourceConfig | undefined;
}

/** What a restore will do and what it finds, before anything is read or touched. */
export interface Preflight {
  /** Stored bytes that are read, parts of earlier runs included. */
  readonly bytes: number;
  /** Bytes when unpacked; an estimate where the manifest does not say. */
  readonly unpackedBytes: number;
  /** Where most of it will lie, and how much room there is; absent where that is no disk of this machine. */
  readonly room?: { readonly folder: string; readonly freeBytes: number };
  /** Servers and programs with their versions. */
  readonly facts: Readonly<Record<string, string>>;
}

/** The kind's own restore, or undefined where backups of this kind can only be given back as files. */
export function restoringKind({ manifest, files }: Pick<RestoreQuery, "manifest" | "files">): SourceKind {
  const kind = findKind(manifest.kind);
  if (kind !== undefined && (files || kind.restore !== undefined)) return kind;
  const message = `this version cannot restore backups of kind ${manifest.kind}: take its parts as files`;
  throw new AppError("config", message, { text: { key: "error-restore-kind", args: { kind: manifest.kind } } });
}

/**
 * Looks at the target, the programs and the room. Rejects with one line's error for what would stop the restore: a target
 * that is not empty (`conflict`), a missing program (`tool-missing`), too little room (`storage-full`).
 */
export async function preflight(query: RestoreQuery): Promise<Preflight> {
  const { manifest, target, files, config } = query;
  const look =
    files || restoringKind(query).lookAtTarget === undefined
      ? await lookAtFolder(target.to)
      : await restoringKind(query).lookAtTarget?.(manifest, target, sameKind(manifest, config));
  const { folder, facts = {} } = look ?? {};
  const zstd = manifest.compression === "zstd" ? await versionOf("zstd", target.signal) : undefined;
  const isTree = !files && (manifest.kind === "files" || manifest.kind === "config");
  const tar = isTree ? await versionOf("tar", target.signal) : undefined;
  const sizes = { bytes: neededBytes(manifest), unpackedBytes: sizeOf(manifest, target.only) };
  const programs = { ...facts, ...(tar ? { tar } : {}), ...(zstd ? { zstd } : {}) };
  if (folder === undefined) return { ...sizes, facts: programs };
  const freeBytes = await freeIn(folder);
  if (freeBytes < sizes.unpackedBytes) throw full(folder, sizes.unpackedBytes, freeBytes);
  return { ...sizes, facts: programs, room: { folder, freeBytes } };
}

/** The configured source, if it still is of the backup's kind. */
export function sameKind(manifest: Manifest, config: SourceConfig | undefined): SourceConfig | undefined {
  return config?.kind === manifest.kind ? config : undefined;
}

function sizeOf(manifest: Manifest, only: string | undefined): number {
  const own = { ...manifest, parts: manifest.parts.filter(({ database }) => only === undefined || database === only) };
  const earlier = manifest.references.reduce((sum, { bytes }) => sum + bytes, 0);
  // What an earlier part unpacks to is not known; as much more as this backup's own parts is a fair guess.
  const times = storedBytes(own) === 0 ? 1 : Math.max(1, unpackedBytes(own) / storedBytes(own));
  return unpackedBytes(own) + Math.ceil(earlier * times);
}

/** Free bytes where a folder is, or will be made. */
async function freeIn(folder: string): Promise<number> {
  for (let path = folder; ; path = dirname(path)) {
    const disk = await statfs(path).catch(() => undefined);
    if (disk !== undefined) return disk.bavail * disk.bsize;
    if (path === dirname(path)) return 0;
  }
}

async function versionOf(program: string, signal: AbortSignal): Promise<string> {
  const command = { argv: [program, "--version"], step: program, install: `apt-get install ${program}` };
  return /\d+(?:\.\d+)+/.exec((await run(command, { signal })).stdout)?.[0] ?? "?";
}

function full(folder: string, neededTotal: number, free: number): AppError {
  const mebibytes = (count: number): number => Math.ceil(count / 1024 ** 2);
  const args = { folder, needed: mebibytes(neededTotal), free: mebibytes(free) };
  const message = `the restore needs about ${args.needed} MiB in ${folder}, and ${args.free} MiB are free`;
  return new AppError("storage-full", message, {
    context: { step: "preflight" },
    text: { key: "error-restore-room", args },
  });
}
