import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { runFolder } from "../../src/core/manifest.ts";
import type { OpenObject, RunObserver, RunProgress } from "../../src/core/ports.ts";
import type { Text } from "../../src/core/text.ts";
import type { BackupOrder } from "../../src/services/backup/pipeline.ts";
import { createSource, sourceSchema } from "../../src/sources/index.ts";
import type { Source } from "../../src/sources/types.ts";
import { createStorage, storageSchema } from "../../src/storages/index.ts";
import type { Storage } from "../../src/storages/types.ts";

export const quiet = pino({ level: "silent" });
export const startedAt = new Date("2026-03-01T03:00:00.000Z");
export const clock = { now: () => new Date("2026-03-01T03:05:00.000Z") };

/** A source by its configuration, as the program would make it. */
export function sourceOf(config: object): Source {
  return createSource(sourceSchema.parse(config), { clock, logger: quiet });
}

/** A storage by its configuration, as the program would make it. */
export function storageOf(name: string, config: object): Storage {
  return createStorage(name, storageSchema.parse(config), { host: "here", logger: quiet });
}

/** A folder that is removed when the test's scope ends. */
export function temporaryFolder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "vakhta-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** All files below a folder, relative to it, sorted. */
export function filesBelow(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort();
}

/** An observer that keeps everything it is told; the hooks may throw. */
export class RecordingObserver implements RunObserver {
  readonly phases: string[] = [];
  readonly titles: Text[] = [];
  readonly progresses: RunProgress[] = [];
  readonly open: OpenObject[] = [];
  readonly storagesLeft: string[] = [];
  onPhase?: (phase: string) => void | Promise<void>;
  onOpened?: (object: OpenObject) => void | Promise<void>;
  onProgress?: (progress: RunProgress) => void;

  async phase(phase: string): Promise<void> {
    this.phases.push(phase);
    await this.onPhase?.(phase);
  }
  async title(title: Text): Promise<void> {
    this.titles.push(title);
  }
  progress(progress: RunProgress): void {
    this.progresses.push(progress);
    this.onProgress?.(progress);
  }
  async opened(object: OpenObject): Promise<void> {
    this.open.push(object);
    await this.onOpened?.(object);
  }
  async closed(object: OpenObject): Promise<void> {
    this.open.splice(this.open.indexOf(object), 1);
  }
  async left(storage: string): Promise<void> {
    this.storagesLeft.push(storage);
  }
}

/** A complete order; everything that a test does not care about has a value. */
export function orderOf(
  parts: Pick<BackupOrder, "source" | "storages"> & Partial<BackupOrder>,
): BackupOrder & { observer: RecordingObserver } {
  const runId = parts.runId ?? "run1";
  return {
    runId,
    name: "app",
    startedAt,
    folder: runFolder("app", startedAt, runId),
    recipients: [],
    clock,
    signal: new AbortController().signal,
    host: "here",
    version: "0.0.0-test",
    observer: new RecordingObserver(),
    ...parts,
  } as BackupOrder & { observer: RecordingObserver };
}
