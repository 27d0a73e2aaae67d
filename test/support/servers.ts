import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { onTestFinished } from "vitest";
import { loadConfig } from "../../src/app/config.ts";
import { createWorkerDeps, type WorkerDeps } from "../../src/app/worker-deps.ts";
import type { JobPayload } from "../../src/queue/contracts.ts";
import type { EnqueueOptions } from "../../src/queue/producer.ts";
import {
  startTimewebSandbox,
  type TimewebSandbox,
  type TimewebSandboxOptions,
} from "../../src/sandbox/timeweb/index.ts";
import { beginPolls } from "../../src/services/servers/polls.ts";
import { keepServers } from "../../src/services/servers/upkeep.ts";
import { serversWatch } from "../../src/services/watch/index.ts";
import { pollsCheck } from "../../src/services/watch/polls.ts";
import { Watch } from "../../src/services/watch/watch.ts";
import { temporaryFolder } from "./backup.ts";
import { ManualClock, type RedisFixture } from "./state.ts";
import { presence } from "./watch.ts";

export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;

/** A batch as it lies in the queue. */
export interface QueuedPoll {
  readonly batch: JobPayload<"poll">;
  readonly id: string | undefined;
  readonly host: string | undefined;
}

/** Servers of a sandbox, a worker and the watch, on one clock; nothing happens but what a test lets happen. */
export interface ServersWorld {
  readonly sandbox: TimewebSandbox;
  readonly clock: ManualClock;
  readonly deps: WorkerDeps;
  /** Another worker with the same state, and another configuration if it is given. */
  worker(servers?: string): WorkerDeps;
  /** The polls whose turn it is now. */
  begin(worker?: WorkerDeps): Promise<QueuedPoll[]>;
  /** One tick: polls begun and carried out, silence looked for. */
  tick(worker?: WorkerDeps): Promise<void>;
  /** Time passes, tick by tick. */
  pass(ms: number): Promise<void>;
  /** Open incidents: severity and key of the title. */
  open(): Promise<string[]>;
  /** Everything there ever was, by the key of its title and how often it has begun. */
  all(): Promise<string[]>;
}

export interface ServersWorldOptions {
  readonly sandbox?: TimewebSandboxOptions;
  /** Lines of `servers:`. */
  readonly servers?: string;
  readonly config?: string;
}

const three = [1, 2, 3].map(
  (id) => `  - { name: web-${id}, provider: timeweb, id: ${100 + id}, labels: { env: prod } }`,
);

export async function serversWorld(fixture: RedisFixture, options: ServersWorldOptions = {}): Promise<ServersWorld> {
  const clock = new ManualClock();
  const sandbox = await startTimewebSandbox({
    clock,
    servers: [101, 102, 103].map((id) => ({ id, name: `web-${id - 100}` })),
    ...options.sandbox,
  });
  onTestFinished(() => sandbox.close());
  const folder = temporaryFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  const prefix = fixture.keys().root.split(":")[0] ?? "";
  const logger = pino({ level: "silent" });
  const worker = (servers = options.servers ?? three.join("\n")): WorkerDeps => {
    const path = join(folder.path, "vakhta.yaml");
    writeFileSync(
      path,
      `
timezone: UTC
redis: { url: "${fixture.server.url}", prefix: "${prefix}" }
telegram:
  token: "123456:TEST-token-of-nobody-at-all-0123456"
  chats: { ops: { id: -1001 } }
  users: [{ id: 444, name: anna, role: admin }]
worker: { host: here, lease: 5s }
providers: { timeweb: { token: "${sandbox.token}", apiUrl: "${sandbox.url}", rate: 100, burst: 100, timeout: 1s } }
servers:
${servers}
${options.config ?? ""}`,
    );
    const { config } = loadConfig({ path, env: {}, requires: ["telegram", "redis", "providers"] });
    const made = createWorkerDeps({ config, logger, clock, role: "test" });
    onTestFinished(made.close);
    return made.deps;
  };
  const deps = worker();
  const here = presence("worker", "here");
  const begin = async (own: WorkerDeps = deps): Promise<QueuedPoll[]> => {
    const queued: QueuedPoll[] = [];
    const enqueue = async (_name: string, batch: unknown, { id, host }: EnqueueOptions = {}): Promise<void> =>
      void queued.push({ batch: batch as JobPayload<"poll">, id, host });
    await own.presences.write({ ...here, seenAt: clock.now().toISOString() });
    await beginPolls({ ...own, producer: { enqueue } });
    return queued;
  };
  const run = { signal: new AbortController().signal };
  const watches = new Map<WorkerDeps, ReturnType<typeof serversWatch>>();
  const bots = new Watch("bot", deps, [pollsCheck(deps)]);
  const tick = async (own: WorkerDeps = deps): Promise<void> => {
    for (const { batch } of await begin(own)) await own.poller.run(batch, run);
    await keepServers(own);
    const watch = watches.get(own) ?? serversWatch(own);
    watches.set(own, watch);
    await watch.step();
    await bots.step();
  };
  const ours = async () =>
    [...(await deps.incidents.open()), ...(await deps.incidents.endedSince(new Date(0), 1000))].filter(
      ({ source, labels }) => source === "servers" || labels["check"] === "polls",
    );
  const keyOf = (title: string | { readonly key: string }): string => (typeof title === "string" ? title : title.key);
  return {
    sandbox,
    clock,
    deps,
    worker,
    begin,
    tick,
    pass: async (ms) => {
      for (let passed = 0; passed < ms; passed += 15 * second) {
        clock.advance(Math.min(15 * second, ms - passed));
        await tick();
      }
    },
    open: async () =>
      (await ours())
        .filter(({ status }) => status === "firing")
        .map(({ severity, title, labels }) =>
          `${severity} ${keyOf(title)} ${labels["server"] ?? labels["provider"] ?? ""}`.trim(),
        )
        .toSorted(),
    all: async () => (await ours()).map(({ title, times }) => `${keyOf(title)} ${times}`).toSorted(),
  };
}
