import { createHash } from "node:crypto";
import { pino } from "pino";
import { onTestFinished } from "vitest";
import { createWorkerDeps, type WorkerDeps } from "../../src/app/worker-deps.ts";
import {
  encodeManifest,
  type Manifest,
  type ManifestReference,
  manifestFile,
  manifestFolder,
} from "../../src/core/manifest.ts";
import type { JobContext } from "../../src/queue/contracts.ts";
import type { Storage } from "../../src/storages/types.ts";
import { retentionConfig } from "./retention-config.ts";
import { aManifest } from "./run.ts";
import { ManualClock, type RedisFixture } from "./state.ts";

export const signal = new AbortController().signal;
export const day = 86_400_000;

/** What a job is told; the first attempt unless said otherwise. */
export function jobContext(change: Partial<JobContext> = {}): JobContext {
  return { signal, jobId: "job", attempt: 1, maxAttempts: 6, ...change };
}

/** A backup's run id of twelve digits. */
export function idOf(index: number): string {
  return String(index).padStart(12, "0");
}

/** The manifest of one of many backups: `index` days before `newest`. Its one part is `bytes` long. */
export function dailyManifest(
  index: number,
  change: Partial<Manifest> & { bytes?: number; newest?: string } = {},
): Manifest {
  const { bytes = 10, newest = "2026-03-01T03:00:00.000Z", ...more } = change;
  const startedAt = new Date(Date.parse(newest) - index * day);
  const id = change.id ?? idOf(index);
  const content = contentOf(id, bytes);
  return aManifest({
    id,
    startedAt: startedAt.toISOString(),
    finishedAt: new Date(startedAt.getTime() + 60_000).toISOString(),
    parts: [
      {
        role: "artifact",
        file: "artifact.dump.zst",
        bytes,
        sha256: createHash("sha256").update(content).digest("hex"),
        rawBytes: bytes,
      },
    ],
    ...more,
  });
}

/** The bytes of a part of the backup with this id, which ends in digits. */
function contentOf(id: string, bytes: number): Buffer {
  return Buffer.alloc(bytes, Number(/\d+$/.exec(id)?.[0]) % 251);
}

/** Puts a whole backup into a storage, as a run would leave it. Returns its folder. */
export async function putBackup(storage: Storage, manifest: Manifest): Promise<string> {
  const folder = manifestFolder(manifest);
  for (const { file, bytes } of manifest.parts)
    await storage.put(`${folder}${file}`, contentOf(manifest.id, bytes), signal);
  await storage.put(`${folder}${manifestFile}`, encodeManifest(manifest), signal);
  return folder;
}

/** What a later backup's manifest says of the one part of this one. */
export function referenceTo(manifest: Manifest): ManifestReference {
  const [part] = manifest.parts;
  if (!part) throw new Error("a backup has a part");
  const { file, bytes, sha256 } = part;
  return { run: manifest.id, folder: manifestFolder(manifest), file, bytes, sha256 };
}

/** Keys in a storage. */
export async function keysOf(storage: Storage): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of storage.list("")) keys.push(key);
  return keys;
}

/** Folders in a storage that hold a manifest, oldest first. */
export async function backupsIn(storage: Storage): Promise<string[]> {
  const keys = await keysOf(storage);
  return keys.filter((key) => key.endsWith(`/${manifestFile}`)).map((key) => key.slice(0, -manifestFile.length));
}

export interface RetentionWorld {
  readonly clock: ManualClock;
  readonly deps: WorkerDeps;
  /** Another worker with the same state; with the same configuration unless one is given. */
  readonly worker: (change?: object) => WorkerDeps;
  readonly storage: (name: string) => Promise<Storage>;
}

/** Real Redis and real storages, a clock that stands still on 1 March 2026 at noon. */
export function retentionWorld(fixture: RedisFixture, change: object): RetentionWorld {
  const clock = new ManualClock("2026-03-01T12:00:00.000Z");
  const prefix = fixture.keys().root.split(":")[0] ?? "";
  const worker = (own: object = {}): WorkerDeps => {
    const config = retentionConfig({ url: fixture.server.url, prefix }, { ...change, ...own });
    const { deps, close } = createWorkerDeps({ config, logger: pino({ level: "silent" }), clock, role: "test" });
    onTestFinished(close);
    return deps;
  };
  const deps = worker();
  return { clock, deps, worker, storage: (name) => deps.storage(name) };
}

export { aBackup } from "./retention-config.ts";
