import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { onTestFinished } from "vitest";
import { loadConfig } from "../../src/app/config.ts";
import { createWorkerDeps, type WorkerDeps } from "../../src/app/worker-deps.ts";
import type { Approval } from "../../src/core/approval.ts";
import type { PowerAction, PowerOrder } from "../../src/core/power.ts";
import type { Signal } from "../../src/core/signal.ts";
import type { JobContext } from "../../src/queue/contracts.ts";
import {
  startTimewebSandbox,
  type TimewebSandbox,
  type TimewebSandboxOptions,
} from "../../src/sandbox/timeweb/index.ts";
import { actions } from "../../src/services/approvals/actions.ts";
import { ApprovalRunner } from "../../src/services/approvals/runner.ts";
import { powerHandlers } from "../../src/services/power/handlers.ts";
import { temporaryFolder } from "./backup.ts";
import { ManualClock, type RedisFixture } from "./state.ts";

export const alice = { id: 111, name: "alice" };
export const bob = { id: 222, name: "bob" };
export const chat = { chatId: -1001 };

export const powerJob: JobContext = {
  signal: new AbortController().signal,
  jobId: "job",
  attempt: 1,
  maxAttempts: 1,
};

/** Two servers of Timeweb, workers that know them, and people who may switch them. */
export interface PowerWorld {
  readonly sandbox: TimewebSandbox;
  readonly clock: ManualClock;
  readonly deps: WorkerDeps;
  /** Of the configuration, for workers that are processes of their own. */
  readonly configPath: string;
  /** A further worker, with its own connection. */
  readonly worker: () => WorkerDeps;
  /** A worker that carries out approvals; `pause` moves the clock. */
  readonly runner: (deps?: WorkerDeps, before?: (what: "pause") => void) => ApprovalRunner<typeof actions>;
  /** Asked for, looked at. */
  readonly ready: (action?: PowerAction, source?: string) => Promise<PowerOrder>;
  /** Confirmed by alice, typed where that is wanted, and approved. */
  readonly approved: (action?: PowerAction, source?: string) => Promise<PowerOrder>;
  /** The same, and carried out. */
  readonly ordered: (action?: PowerAction) => Promise<PowerOrder>;
  /** Lets the clock run and looks after an order every ten seconds, until that has ended or the time is over. */
  readonly follow: (id: string, forMs: number) => Promise<PowerOrder>;
  readonly read: (id: string) => Promise<PowerOrder>;
  readonly approval: (order: PowerOrder) => Promise<Approval>;
  readonly fire: (title: string, change?: Partial<Signal>) => Promise<void>;
  /** How often the provider was asked for it. */
  readonly asked: (word: PowerAction) => number;
}

export interface PowerWorldOptions {
  readonly sandbox?: TimewebSandboxOptions;
  /** Further lines of the configuration. */
  readonly config?: string;
  readonly clock?: ManualClock;
}

export async function powerWorld(fixture: RedisFixture, options: PowerWorldOptions = {}): Promise<PowerWorld> {
  const clock = options.clock ?? new ManualClock();
  const sandbox = await startTimewebSandbox({
    clock,
    servers: [
      { id: 101, name: "web-one", addresses: ["203.0.113.7"] },
      { id: 102, name: "db-one", addresses: ["203.0.113.8"] },
    ],
    ...options.sandbox,
  });
  onTestFinished(() => sandbox.close());
  const folder = temporaryFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  const path = join(folder.path, "vakhta.yaml");
  writeFileSync(path, configText(fixture, sandbox, options.config ?? ""));
  const { config } = loadConfig({ path, env: {}, requires: ["telegram", "redis", "providers"] });
  const logger = pino({ level: "silent" });
  const worker = (): WorkerDeps => {
    const made = createWorkerDeps({ config, logger, clock, role: "test" });
    onTestFinished(made.close);
    return made.deps;
  };
  const deps = worker();
  const pause = async (ms: number): Promise<void> => void (await Promise.resolve(clock.advance(ms)));
  const runner = (own: WorkerDeps = deps, before?: (what: "pause") => void) =>
    new ApprovalRunner({
      ...own,
      actions,
      actionHandlers: {
        ...({} as ConstructorParameters<typeof ApprovalRunner<typeof actions>>[0]["actionHandlers"]),
        ...powerHandlers({
          ...own,
          pause: async (ms) => {
            before?.("pause");
            await pause(ms);
          },
        }),
      },
      ended: async (approval) => await own.powerOrders.settle(approval),
    });
  const read = async (id: string): Promise<PowerOrder> => await deps.powerStates.get(id);
  const ready = async (action: PowerAction = "reboot", source?: string): Promise<PowerOrder> => {
    const request = { server: "web-1", action, by: alice, target: chat, ...(source ? { source } : {}) };
    const { id } = await deps.powerOrders.request(request);
    await deps.powerFollower.execute(id, powerJob);
    return await read(id);
  };
  const approved = async (action?: PowerAction, source?: string): Promise<PowerOrder> => {
    const { id } = await ready(action, source);
    const order = await deps.powerOrders.confirm(id, alice, chat);
    const approval = await deps.approvals.read(order.approval ?? "");
    if (approval?.status === "typing") await deps.approvals.confirm(approval.id, alice, "web-1", false);
    return await read(id);
  };
  return {
    sandbox,
    clock,
    deps,
    configPath: path,
    worker,
    runner,
    ready,
    approved,
    read,
    ordered: async (action) => {
      const order = await approved(action);
      await runner().execute(order.approval ?? "", powerJob);
      return await read(order.id);
    },
    follow: async (id, forMs) => {
      for (let passed = 0; passed < forMs; passed += 10_000) {
        clock.advance(10_000);
        const outcome = await deps.powerFollower.execute(id, powerJob);
        if ("done" in outcome) break;
      }
      return await read(id);
    },
    approval: async ({ approval = "" }) => {
      const found = await deps.approvals.read(approval);
      if (!found) throw new Error("it has no approval");
      return found;
    },
    fire: async (title, change = {}) => {
      const signal: Signal = {
        source: "events",
        fingerprint: title,
        status: "firing",
        severity: "critical",
        title,
        labels: { server: "web-1" },
        ...change,
      };
      await deps.alerts.receive([signal]);
    },
    asked: (word) =>
      sandbox.requests().filter(({ method, path }) => method === "POST" && path.endsWith(`/${word}`)).length,
  };
}

function configText(fixture: RedisFixture, sandbox: TimewebSandbox, more: string): string {
  const prefix = fixture.keys().root.split(":")[0] ?? "";
  return `
timezone: UTC
redis: { url: "${fixture.server.url}", prefix: "${prefix}" }
telegram:
  token: "123456:TEST-token-of-nobody-at-all-0123456"
  chats: { ops: { id: ${chat.chatId} } }
  users: [{ id: 111, name: alice, role: operator }, { id: 222, name: bob, role: operator }, { id: 333, name: vera, role: viewer }, { id: 444, name: anna, role: admin }]
worker: { host: here, lease: 5s }
providers: { timeweb: { token: "${sandbox.token}", apiUrl: "${sandbox.url}", rate: 100, burst: 100, timeout: 1s } }
servers:
  - { name: web-1, provider: timeweb, id: 101, labels: { env: prod } }
  - { name: db-1, provider: timeweb, id: 102 }
${more}`;
}
