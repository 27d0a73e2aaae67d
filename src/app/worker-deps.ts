import type { Approval } from "../core/approval.ts";
import { AppError } from "../core/errors.ts";
import type { BackupRun } from "../core/run.ts";
import type { Provider } from "../providers/types.ts";
import { actions } from "../services/approvals/actions.ts";
import { createActionHandlers } from "../services/approvals/handlers.ts";
import { ApprovalRunner } from "../services/approvals/runner.ts";
import { AuditHeadWriter } from "../services/audit/heads.ts";
import { LinkMaker } from "../services/backup/links.ts";
import { PinWriter } from "../services/backup/pins.ts";
import { Pruner } from "../services/backup/prune.ts";
import { BackupRunner } from "../services/backup/runner.ts";
import { BackupUploads } from "../services/backup/uploads.ts";
import { Verifier } from "../services/backup/verifier.ts";
import { CatalogueKeeper } from "../services/catalogue-keeper.ts";
import { DrillRunner } from "../services/drills/runner.ts";
import { PowerFollower } from "../services/power/follower.ts";
import type { RestoreDeps } from "../services/restorations/deps.ts";
import { RestoreWorker } from "../services/restorations/worker.ts";
import { InventoryReader } from "../services/servers/inventory-reader.ts";
import { ManagedBackupRunner } from "../services/servers/managed-backups.ts";
import { Poller } from "../services/servers/poller.ts";
import { enqueuePrune } from "../services/upkeep.ts";
import { createSource } from "../sources/index.ts";
import { LookMemories } from "../state/look-memory.ts";
import { Rates } from "../state/rates.ts";
import { Keys } from "../state/redis.ts";
import { createStorage } from "../storages/index.ts";
import type { Storage } from "../storages/types.ts";
import type { BackupConfig } from "./config.ts";
import { createDeps, type Deps, type DepsOptions } from "./deps.ts";
import { openProviders } from "./providers.ts";

/** What the jobs work with. */
export interface WorkerDeps extends Deps {
  readonly runner: BackupRunner;
  readonly uploads: BackupUploads;
  readonly catalogueKeeper: CatalogueKeeper;
  readonly pruner: Pruner;
  readonly pinWriter: PinWriter;
  readonly linkMaker: LinkMaker;
  readonly verifier: Verifier;
  readonly restoreWorker: RestoreWorker;
  readonly drillRunner: DrillRunner;
  readonly powerFollower: PowerFollower;
  readonly auditHeadWriter: AuditHeadWriter;
  readonly approvalRunner: ApprovalRunner<typeof actions>;
  readonly poller: Poller;
  readonly inventoryReader: InventoryReader;
  readonly managedBackupRunner: ManagedBackupRunner;
  /** Opens what `servers[].provider` names; opened once and shared. */
  provider(name: string): Provider;
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
  const keys = new Keys(config.redis.prefix);
  const rates = new Rates(deps.redis, keys);
  const providers = openProviders(config, {
    clock,
    logger,
    host,
    every: config.stats.every,
    memory: new LookMemories(deps.redis, keys),
    rateLimit: (account, perSecond, burst) => rates.limit(account, perSecond, burst),
  });
  const { provider } = providers;
  const source = (settings: BackupConfig["source"]) => createSource(settings, { clock, logger });
  const catalogueKeeper = new CatalogueKeeper({ ...deps, storage });
  const stored = async (run: BackupRun, name: string): Promise<void> => {
    if (run.folder !== undefined) await catalogueKeeper.noteSoon(name, run.folder);
    await enqueuePrune(deps.producer, config, name, run.name);
  };
  const inventoryReader = new InventoryReader({ ...deps, provider });
  const working = { ...deps, inventoryReader, storage, source, catalogueKeeper, stored };
  const runner = new BackupRunner(working);
  const restoring: RestoreDeps = { ...working, runner };
  const ended = async (approval: Approval): Promise<void> => {
    await deps.restorations.settle(approval);
    await deps.powerOrders.settle(approval);
  };
  return {
    deps: {
      ...deps,
      provider,
      poller: new Poller({ ...deps, provider }),
      inventoryReader,
      managedBackupRunner: new ManagedBackupRunner(working),
      storage,
      catalogueKeeper,
      runner,
      uploads: new BackupUploads(working),
      pruner: new Pruner(working),
      pinWriter: new PinWriter(working),
      linkMaker: new LinkMaker(working),
      verifier: new Verifier(working),
      drillRunner: new DrillRunner(deps),
      powerFollower: new PowerFollower({ ...deps, provider, source }),
      auditHeadWriter: new AuditHeadWriter(working),
      restoreWorker: new RestoreWorker(restoring),
      approvalRunner: new ApprovalRunner({
        ...deps,
        actions,
        actionHandlers: createActionHandlers({ ...working, runner, provider }),
        ended,
      }),
    },
    close: async () => {
      for (const opened of storages.values()) await opened.close();
      await providers.close();
      await close();
    },
  };
}
