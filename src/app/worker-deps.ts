import type { Approval } from "../core/approval.ts";
import { AppError } from "../core/errors.ts";
import type { BackupRun } from "../core/run.ts";
import { type Demanded, onDemand } from "../lib/on-demand.ts";
import type { Provider } from "../providers/types.ts";
import { actions } from "../services/approvals/actions.ts";
import type { ApprovalRunner } from "../services/approvals/runner.ts";
import type { AuditHeadWriter } from "../services/audit/heads.ts";
import type { LinkMaker } from "../services/backup/links.ts";
import { PinWriter } from "../services/backup/pins.ts";
import { Pruner } from "../services/backup/prune.ts";
import { BackupRunner } from "../services/backup/runner.ts";
import { BackupUploads } from "../services/backup/uploads.ts";
import type { Verifier } from "../services/backup/verifier.ts";
import { CatalogueKeeper } from "../services/catalogue-keeper.ts";
import type { DrillRunner } from "../services/drills/runner.ts";
import type { PowerFollower } from "../services/power/follower.ts";
import type { RestoreDeps } from "../services/restorations/deps.ts";
import type { RestoreWorker } from "../services/restorations/worker.ts";
import type { InventoryReader } from "../services/servers/inventory-reader.ts";
import type { ManagedBackupRunner } from "../services/servers/managed-backups.ts";
import { managedBackupRunner } from "../services/servers/managed-handlers.ts";
import type { Poller } from "../services/servers/poller.ts";
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
  readonly linkMaker: Demanded<LinkMaker>;
  readonly verifier: Demanded<Verifier>;
  readonly restoreWorker: Demanded<RestoreWorker>;
  readonly drillRunner: Demanded<DrillRunner>;
  readonly powerFollower: Demanded<PowerFollower>;
  readonly auditHeadWriter: Demanded<AuditHeadWriter>;
  readonly approvalRunner: Demanded<ApprovalRunner<typeof actions>>;
  readonly poller: Demanded<Poller>;
  readonly inventoryReader: Demanded<InventoryReader>;
  readonly managedBackupRunner: Demanded<ManagedBackupRunner>;
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
  const inventoryReader = onDemand(
    async () => new (await import("../services/servers/inventory-reader.ts")).InventoryReader({ ...deps, provider }),
  );
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
      poller: onDemand(async () => new (await import("../services/servers/poller.ts")).Poller({ ...deps, provider })),
      inventoryReader,
      managedBackupRunner: managedBackupRunner(working),
      storage,
      catalogueKeeper,
      runner,
      uploads: new BackupUploads(working),
      pruner: new Pruner(working),
      pinWriter: new PinWriter(working),
      linkMaker: onDemand(async () => new (await import("../services/backup/links.ts")).LinkMaker(working)),
      verifier: onDemand(async () => new (await import("../services/backup/verifier.ts")).Verifier(working)),
      drillRunner: onDemand(async () => new (await import("../services/drills/runner.ts")).DrillRunner(deps)),
      powerFollower: onDemand(
        async () => new (await import("../services/power/follower.ts")).PowerFollower({ ...deps, provider, source }),
      ),
      auditHeadWriter: onDemand(async () => new (await import("../services/audit/heads.ts")).AuditHeadWriter(working)),
      restoreWorker: onDemand(
        async () => new (await import("../services/restorations/worker.ts")).RestoreWorker(restoring),
      ),
      approvalRunner: onDemand(async () => {
        const { ApprovalRunner: Runner } = await import("../services/approvals/runner.ts");
        const { createActionHandlers } = await import("../services/approvals/handlers.ts");
        return new Runner({
          ...deps,
          actions,
          actionHandlers: createActionHandlers({ ...working, runner, provider }),
          ended,
        });
      }),
    },
    close: async () => {
      for (const opened of storages.values()) await opened.close();
      await providers.close();
      await close();
    },
  };
}
