import { type FastifyInstance, fastify } from "fastify";
import type { Registry } from "prom-client";
import type { Logger } from "../lib/logger.ts";
import { InboundDoor, type InboundRoutes } from "./inbound.ts";
import { type HealthCheck, healthRoutes } from "./routes/health.ts";
import { hookRoutes } from "./routes/hooks.ts";
import { metricsRoutes } from "./routes/metrics.ts";
import { pingRoutes } from "./routes/ping.ts";
import { type TelegramWebhook, telegramRoutes } from "./routes/telegram.ts";

export interface ServerDeps {
  readonly logger: Logger;
  readonly registry: Registry;
  /** What has to work for this process to be ready, by name. */
  readonly checks: Readonly<Record<string, HealthCheck>>;
  /** When set, /metrics wants it as a bearer token. */
  readonly token?: string | undefined;
  /** A request that is not complete by then is broken off; default 30 s. */
  readonly requestTimeoutMs?: number;
  /** Proxies that say where a request comes from; default: none. */
  readonly trustProxy?: readonly string[] | undefined;
  /** Only in webhook mode. */
  readonly webhook?: TelegramWebhook;
  /** Only in the bot: alerts and signs of life from elsewhere. */
  readonly inbound?: InboundRoutes;
}

/** A request that never becomes complete would keep its place for ever. Milliseconds. */
const defaultRequestTimeoutMs = 30_000;

/** zod looks at what comes in. Without the compilers of JSON schemas, a hundred modules less are loaded at each start. */
const noSchemas = () => (): never => {
  throw new Error("routes have no JSON schemas here");
};

/** The HTTP surface of a process; not listening yet, so that tests can `inject`. */
export function createServer(deps: ServerDeps): FastifyInstance {
  const { requestTimeoutMs: requestTimeout = defaultRequestTimeoutMs } = deps;
  const server = fastify({
    logger: false,
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    bodyLimit: 1024 * 1024,
    forceCloseConnections: true,
    trustProxy: deps.trustProxy ? [...deps.trustProxy] : false,
    // Alertmanager appends nothing, but people do: a refusal that nobody notices would lose alerts.
    routerOptions: { ignoreTrailingSlash: true },
    requestTimeout,
    // Node looks for such requests only every half a minute unless told, and not before the headers' time is over.
    http: { connectionsCheckingInterval: requestTimeout / 6, headersTimeout: requestTimeout / 2 },
  });
  server.setErrorHandler(async (error: { statusCode?: number; message: string }, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) deps.logger.error({ err: error, url: request.routeOptions.url }, "request failed");
    await reply.status(status).send({ error: status >= 500 ? "internal error" : error.message });
  });
  server.setNotFoundHandler(async (_request, reply) => await reply.status(404).send({ error: "not found" }));
  server.register(healthRoutes(deps.checks));
  server.register(metricsRoutes(deps.registry, deps.token));
  if (deps.inbound) {
    const door = new InboundDoor(deps.inbound, deps.registry);
    server.register(hookRoutes(deps.inbound, door));
    server.register(pingRoutes(deps.inbound, door));
  }
  if (deps.webhook) server.register(telegramRoutes(deps.webhook));
  return server;
}
