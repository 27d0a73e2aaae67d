import { AppError } from "../core/errors.ts";
import type { BackupRun } from "../core/run.ts";
import { LinkMaker } from "../services/backup/links.ts";
import { PinWriter } from "../services/backup/pins.ts";
import { Pruner } from "../services/backup/prune.ts";
import { BackupRunner } from "../services/backup/runner.ts";
import { BackupUploads } from "../services/backup/uploads.ts";
import { Verifier } from "../services/backup/verifier.ts";
import { CatalogueKeeper } from "../services/catalogue-keeper.ts";
import { enqueuePrune } from "../services/upkeep.ts";
import { createSource } from "../sources/index.ts";
import { createStorage } from "../storages/index.ts";
import type { Storage } from "../storages/types.ts";
import type { BackupConfig } from "./config.ts";
import { createDeps, type Deps, type DepsOptions } from "./deps.ts";

/** What the jobs work with. */
export interface WorkerDeps extends Deps {
  readonly runner: BackupRunner;
  readonly uploads: BackupUploads;
  readonly catalogueKeeper: CatalogueKeeper;
  readonly pruner: Pruner;
  readonly pinWriter: PinWriter;
  readonly linkMaker: LinkMaker;
  readonly verifier: Verifier;
  /** Opens a configured storage; opened once and shared. */
  storage(name: string): Promise<Storage>;
}

/** As `createDeps`, with what only a worker does: sources, storages, the pipeline. */
export function createWorkerDeps(options: DepsOptions): { deps: WorkerDeps; close: () => Promise<void> } {
  const { deps, close } = createDeps(options);
  const { config, clock, logger, host } = deps;
  const storages = new Map<string, Storage>();
  const storage = async (name: string): Promise<Storage> => {
    const opened = storages.get(name);
    if (opened) return opened;
    const settings = config.storages[name];
    if (!settings) {
      throw new AppError("config", `no storage is called ${name}`, {
        text: { key: "error-storage-unknown", args: { name } },
      });
    }
    const fresh = createStorage(name, settings, { logger, host });
    storages.set(name, fresh);
    return fresh;
  };
  const source = (settings: BackupConfig["source"]) => createSource(settings, { clock, logger });
  const catalogueKeeper = new CatalogueKeeper({ ...deps, storage });
  const stored = async (run: BackupRun, name: string): Promise<void> => {
    if (run.folder !== undefined) await catalogueKeeper.noteSoon(name, run.folder);
    await enqueuePrune(deps.producer, config, name, run.name);
  };
  const working = { ...deps, storage, source, catalogueKeeper, stored };
  return {
    deps: {
      ...deps,
      storage,
      catalogueKeeper,
      runner: new BackupRunner(working),
      uploads: new BackupUploads(working),
      pruner: new Pruner(working),
      pinWriter: new PinWriter(working),
      linkMaker: new LinkMaker(working),
      verifier: new Verifier(working),
    },
    close: async () => {
      for (const opened of storages.values()) await opened.close();
      await close();
    },
  };
}
