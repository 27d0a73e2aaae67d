import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from "fastify";
import { type DestinationStream, pino } from "pino";
import { Registry } from "prom-client";
import { onTestFinished } from "vitest";
import { alertsSchema } from "../../src/app/config/alerts.ts";
import type { Config, HeartbeatConfig } from "../../src/app/config.ts";
import { createDeps, type Deps } from "../../src/app/deps.ts";
import type { Incident } from "../../src/core/incident.ts";
import { hooksSchema } from "../../src/hooks/index.ts";
import type { InboundLimits } from "../../src/http/inbound.ts";
import { createServer } from "../../src/http/server.ts";
import { noServers } from "./no-servers.ts";
import { ManualClock } from "./state.ts";

export const httpToken = "token-of-the-tests-0123456789";

export interface InboundOptions {
  readonly redisUrl: string;
  readonly prefix?: string;
  /** Default: `httpToken`; null: none is configured. */
  readonly token?: string | null;
  readonly hooks?: Parameters<typeof hooksSchema.parse>[0];
  readonly heartbeats?: readonly Partial<HeartbeatConfig>[];
  readonly limits?: Partial<InboundLimits>;
  readonly clock?: ManualClock;
}

export interface InboundWorld {
  readonly deps: Deps;
  readonly clock: ManualClock;
  readonly server: FastifyInstance;
  /** Everything that was logged. */
  readonly log: () => string;
  readonly metrics: () => Promise<string>;
  /** POST with the token, unless `headers` says otherwise. */
  readonly post: (url: string, payload: unknown, options?: InjectOptions) => Promise<LightMyRequestResponse>;
  /** Everything that is known, the newest end last. */
  readonly incidents: () => Promise<Incident[]>;
  /** Lets the clock run in steps of five seconds, looking after each. */
  readonly pass: (ms: number) => Promise<void>;
}

let worlds = 0;

/** The bot's HTTP and what is behind it, on a Redis of the test's own. */
export function inboundWorld(options: InboundOptions): InboundWorld {
  const clock = options.clock ?? new ManualClock();
  const heartbeats = (options.heartbeats ?? []).map((heartbeat) => ({
    name: "import",
    key: "key-of-the-import",
    grace: 300_000,
    severity: "critical",
    labels: {},
    ...heartbeat,
  }));
  const token = options.token === undefined ? httpToken : (options.token ?? undefined);
  worlds += 1;
  const config = {
    timezone: "UTC",
    locale: "en",
    redis: { url: options.redisUrl, prefix: options.prefix ?? `inbound${process.pid}-${worlds}` },
    http: { token },
    worker: { host: "here", concurrency: 1, lease: 30_000 },
    ...noServers,
    telegram: { chats: { ops: { id: -1001, topics: {} } }, users: [] },
    storages: {},
    backups: [],
    alerts: alertsSchema.parse({}),
    hooks: hooksSchema.parse(options.hooks ?? {}),
    heartbeats,
  } as unknown as Config;
  let log = "";
  const destination: DestinationStream = {
    write: (line) => {
      log += line;
    },
  };
  const logger = pino({ level: "trace" }, destination);
  const { deps, close } = createDeps({ config, logger, clock, role: "test" });
  const registry = new Registry();
  const server = createServer({
    logger,
    registry,
    checks: {},
    trustProxy: ["loopback"],
    inbound: { ...deps, hooks: config.hooks, token, ...(options.limits ? { limits: options.limits } : {}) },
  });
  onTestFinished(async () => {
    await server.close();
    await close();
  });
  return {
    deps,
    clock,
    server,
    log: () => log,
    metrics: async () => await registry.metrics(),
    post: async (url, payload, { headers, ...rest } = {}) =>
      await server.inject({
        method: "POST",
        url,
        headers: { authorization: `Bearer ${httpToken}`, "content-type": "application/json", ...headers },
        payload: typeof payload === "string" || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload),
        ...rest,
      }),
    incidents: async () => [
      ...(await deps.incidents.open()),
      ...(await deps.incidents.endedSince(new Date(0), 1000)).toReversed(),
    ],
    pass: async (ms) => {
      for (let left = ms; left > 0; left -= 5000) {
        clock.advance(Math.min(5000, left));
        await deps.heartbeats.check();
        await deps.inbound.check();
      }
    },
  };
}
