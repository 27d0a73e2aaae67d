import { join } from "node:path";
import { onTestFinished } from "vitest";
import { alertsSchema } from "../../src/app/config/alerts.ts";
import { approvalsSchema } from "../../src/app/config/approvals.ts";
import { backupSchema } from "../../src/app/config/backups.ts";
import type { Config } from "../../src/app/config.ts";
import { createWorkerDeps, type WorkerDeps } from "../../src/app/worker-deps.ts";
import type { Approval } from "../../src/core/approval.ts";
import type { Clock } from "../../src/core/ports.ts";
import type { Restoration } from "../../src/core/restoration.ts";
import type { BackupRun } from "../../src/core/run.ts";
import type { RestorationOrder } from "../../src/services/restorations/restorations.ts";
import { quiet } from "./backup.ts";
import { jobContext } from "./catalogue.ts";
import { noServers } from "./no-servers.ts";
import type { RedisFixture } from "./state.ts";

export const alice = { id: 111, name: "alice" };
export const bob = { id: 222, name: "bob" };
export const chat = { chatId: -1001 };

/** What a test chooses about the configuration. */
export interface RestoreConfig {
  /** Folder of the storages `local` and `offsite`. */
  readonly path: string;
  readonly redisUrl: string;
  /** Of the keys in Redis. */
  readonly prefix: string;
  readonly source: object;
  readonly restore?: object;
  readonly backup?: object;
  readonly approvals?: object;
  readonly encryption?: object;
  readonly storages?: object;
  readonly users?: readonly object[];
}

/** A configuration with one backup, "shop", in two storages. */
export function restoreConfig(options: RestoreConfig): Config {
  const { path, source, restore = {}, backup = {}, approvals = {}, encryption } = options;
  const parsed = backupSchema((schema) => schema).parse({ name: "shop", source, restore, verify: {}, ...backup });
  const storages = options.storages ?? {
    local: { kind: "local", path: join(path, "local"), host: "here" },
    // Another disk, as far as a test can have one.
    offsite: { kind: "local", path: join(path, "offsite"), host: "here" },
  };
  return {
    timezone: "UTC",
    locale: "en",
    redis: { url: options.redisUrl, prefix: options.prefix },
    worker: { host: "here", concurrency: 1, lease: 5000 },
    ...noServers,
    approvals: approvalsSchema.parse({ restore: { approvers: 1, ...approvals } }),
    alerts: alertsSchema.parse({}),
    telegram: {
      chats: { ops: { id: chat.chatId, topics: {} } },
      users: options.users ?? [
        { ...alice, role: "admin" },
        { ...bob, role: "admin" },
      ],
    },
    storages,
    ...(encryption ? { encryption } : {}),
    backups: [
      {
        ...parsed,
        storages: Object.keys(storages),
        encrypt: encryption !== undefined,
        keep: Object.fromEntries(Object.keys(storages).map((name) => [name, { last: 1 }])),
        anomaly: false,
      },
    ],
  } as unknown as Config;
}

/** A worker, with our own hand on what it does next. */
export interface RestoreWorld {
  readonly deps: WorkerDeps;
  /** Makes a backup by the program's own runner. */
  backUp(): Promise<BackupRun>;
  /** Asks for a restore and has the worker look at it. */
  looked(order: Partial<RestorationOrder> & { readonly backup: string }): Promise<Restoration>;
  /** Has the worker do what it has to do for it. */
  work(id: string): Promise<Restoration>;
  /** Confirms it, types the name and approves it, so that a worker may begin. */
  approved(id: string): Promise<Approval>;
  /** Has the worker carry out what was approved. */
  carryOut(approval: string, signal?: AbortSignal): Promise<Restoration>;
  /** All of that. */
  restored(order: Partial<RestorationOrder> & { readonly backup: string }): Promise<Restoration>;
  /** Asks for the undo, types the name, and has it carried out. */
  undone(id: string): Promise<Restoration>;
  /** What the audit log says of it, in its order. */
  audit(id: string): Promise<string[]>;
}

export function restoreWorld(
  fixture: RedisFixture,
  clock: Clock,
  options: Omit<RestoreConfig, "redisUrl" | "prefix"> & { readonly prefix?: string },
): RestoreWorld {
  const prefix = options.prefix ?? fixture.keys().root.split(":")[0] ?? "";
  const config = restoreConfig({ ...options, redisUrl: fixture.server.url, prefix });
  const { deps, close } = createWorkerDeps({ config, logger: quiet, clock, role: "test" });
  onTestFinished(close);
  const typed = async (approval: string): Promise<Approval> => {
    const { target } = (await deps.approvalStates.get(approval)).value;
    return (await deps.approvals.confirm(approval, alice, target, false)).approval;
  };
  const world: RestoreWorld = {
    deps,
    backUp: async () => {
      const { run } = await deps.orders.request({ name: "shop", trigger: "chat", requestedBy: alice, target: chat });
      await deps.runner.execute(run.id, jobContext());
      return await deps.runs.get(run.id);
    },
    looked: async (order) => {
      const { id } = await deps.restorations.request({
        name: "shop",
        place: "in-place",
        by: alice,
        target: chat,
        ...order,
      });
      return await world.work(id);
    },
    work: async (id) => {
      await deps.restoreWorker.execute(id, jobContext());
      return await deps.restorationStates.get(id);
    },
    approved: async (id) => await typed((await deps.restorations.confirm(id, alice, chat)).approval ?? ""),
    carryOut: async (approval, signal) => {
      await deps.approvalRunner.execute(approval, jobContext(signal ? { signal } : {}));
      const { args } = (await deps.approvalStates.get(approval)).value;
      return await deps.restorationStates.get((args as { restoration: string }).restoration);
    },
    restored: async (order) => {
      const { id } = await world.looked(order);
      return await world.carryOut((await world.approved(id)).id);
    },
    undone: async (id) => {
      await deps.restorations.undo(id, alice, chat);
      const { undo } = await world.work(id);
      await typed(undo?.approval ?? "");
      return await world.carryOut(undo?.approval ?? "");
    },
    audit: async (id) => (await deps.audit.of("restore", id)).map(({ what }) => what),
  };
  return world;
}
