import { pino } from "pino";
import { onTestFinished } from "vitest";
import { alertsSchema } from "../../src/app/config/alerts.ts";
import { approvalsSchema } from "../../src/app/config/approvals.ts";
import type { Config } from "../../src/app/config.ts";
import { createWorkerDeps, type WorkerDeps } from "../../src/app/worker-deps.ts";
import type { Approval } from "../../src/core/approval.ts";
import { timewebAccountSchema } from "../../src/providers/timeweb/schema.ts";
import type { JobContext } from "../../src/queue/contracts.ts";
import {
  startTimewebSandbox,
  type TimewebSandbox,
  type TimewebSandboxOptions,
} from "../../src/sandbox/timeweb/index.ts";
import { people, person } from "./approvals.ts";
import { noServers } from "./no-servers.ts";
import { ManualClock, type RedisFixture } from "./state.ts";

export const account = "timeweb";
export const job: JobContext = { signal: new AbortController().signal, jobId: "job", attempt: 1, maxAttempts: 1 };
export const minute = 60_000;
export const chat = { chatId: -1001 };

/** An account in a sandbox, and what a worker has to ask it with; all on one clock that stands still. */
export interface InventoryWorld {
  readonly sandbox: TimewebSandbox;
  readonly clock: ManualClock;
  readonly deps: WorkerDeps;
  readonly config: Config;
  /** A further worker. */
  readonly another: () => WorkerDeps;
  /** Reads the account, as its job does. */
  readonly readAccount: () => Promise<void>;
  /** As alice approves it and a worker carries it out. */
  readonly carryOut: (approval: Approval, deps?: WorkerDeps) => Promise<Approval>;
  /** Requests that the sandbox has seen, by a part of "<method> <path>". */
  readonly seen: (part: string) => number;
}

export async function inventoryWorld(
  fixture: RedisFixture,
  options: TimewebSandboxOptions = {},
  change: (config: Config) => Config = (config) => config,
): Promise<InventoryWorld> {
  const clock = new ManualClock();
  const sandbox = await startTimewebSandbox({
    clock,
    servers: [{ id: 101, name: "web-1", ram: 4096, addresses: ["203.0.113.7"] }],
    databases: [
      { id: 7, name: "shop" },
      { id: 8, name: "crm", multiNode: true },
    ],
    ...options,
  });
  onTestFinished(() => sandbox.close());
  const config = change({
    ...noServers,
    timezone: "UTC",
    locale: "en",
    redis: { url: fixture.server.url, prefix: fixture.keys().root.split(":")[0] },
    worker: { host: "here", concurrency: 1, lease: 30_000 },
    approvals: approvalsSchema.parse({}),
    alerts: alertsSchema.parse({}),
    heartbeats: [],
    daily: false,
    hooks: {},
    storages: {},
    backups: [],
    telegram: { chats: { ops: { id: chat.chatId, topics: {} } }, users: people },
    providers: { [account]: { kind: "timeweb", config: accountConfig(sandbox) } },
    servers: [
      { name: "web-1", provider: account, kind: "timeweb", labels: { env: "prod" }, config: { id: 101 } },
      { name: "db-1", provider: "node-exporter", kind: "node-exporter", labels: {}, config: { url: "http://[::1]:1" } },
    ],
  } as unknown as Config);
  const logger = pino({ level: "silent" });
  const another = (): WorkerDeps => {
    const { deps, close } = createWorkerDeps({ config, logger, clock, role: "worker" });
    onTestFinished(close);
    return deps;
  };
  const deps = another();
  return {
    sandbox,
    clock,
    deps,
    config,
    another,
    readAccount: async () => void (await deps.inventoryReader.execute({ kind: "account", id: account }, job)),
    carryOut: async ({ id }, worker = deps) => {
      await deps.approvals.decide(id, "approve", person("alice"));
      await worker.approvalRunner.execute(id, job);
      const approval = await deps.approvals.read(id);
      if (!approval) throw new Error("the approval is gone");
      return approval;
    },
    seen: (part) => sandbox.requests().filter(({ method, path }) => `${method} ${path}`.includes(part)).length,
  };
}

/** Without a limit of its own, and soon done with waiting. */
export function accountConfig({ token, url }: Pick<TimewebSandbox, "token" | "url">): object {
  return timewebAccountSchema.parse({ token, apiUrl: url, rate: 100, burst: 100, timeout: "500ms" });
}
