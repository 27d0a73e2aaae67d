import { setTimeout as sleep } from "node:timers/promises";
import type { ProviderConfig, ServerConfig } from "../../app/config.ts";
import type { Clock } from "../../core/ports.ts";
import type { Logger } from "../../lib/logger.ts";
import { createProvider } from "../../providers/index.ts";
import type { Provider, ProviderDeps, RateLimit } from "../../providers/types.ts";
import { Presences } from "../../state/presence.ts";
import { Keys } from "../../state/redis.ts";
import { presenceWithinMs } from "../status.ts";
import { type Finding, failed, failure, ok, skipped, warning } from "./finding.ts";
import { onceToRedis } from "./redis.ts";

interface Parts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly host: string;
}

/** So many names are told. */
const mostNames = 5;

/** A rate of this process alone: the doctor asks little, and works without Redis. */
function paced(perSecond: number): RateLimit {
  let next = 0;
  return {
    take: async (signal) => {
      const now = performance.now();
      next = Math.max(now, next + 1000 / perSecond);
      await sleep(next - now, undefined, { signal });
    },
    penalize: (ms) => {
      next = performance.now() + ms;
      return Promise.resolve();
    },
  };
}

async function opened(
  kind: string,
  account: { readonly name: string; readonly config: unknown } | undefined,
  { clock, logger, host }: Parts,
  use: (provider: Provider) => Promise<Finding>,
): Promise<Finding> {
  const deps: ProviderDeps = {
    clock,
    logger,
    host,
    every: 300_000,
    memory: { read: () => Promise.resolve(undefined), write: () => Promise.resolve() },
    rateLimit: (_account, perSecond) => paced(perSecond),
  };
  const provider = createProvider(kind, account, deps);
  try {
    return await use(provider);
  } catch (error) {
    return failure(error);
  } finally {
    await provider.close();
  }
}

/** Does the account answer, does it take the token, and are the configured servers among its own? */
export async function probeAccount(
  name: string,
  { kind, config }: ProviderConfig,
  servers: readonly ServerConfig[],
  parts: Parts,
  signal: AbortSignal,
): Promise<Finding> {
  return await opened(kind, { name, config }, parts, async (provider) => {
    if (!provider.facts) return ok("doctor-account-ok", { found: servers.length, servers: servers.length });
    const found = await provider.facts(servers, signal);
    const missing = servers.flatMap((server) => (found.has(server.name) ? [] : [server.name]));
    const args = { found: found.size, servers: servers.length, names: listed(missing) };
    return missing.length === 0 ? ok("doctor-account-ok", args) : warning("doctor-account-missing", args);
  });
}

/** Can every server be looked at that is asked itself? */
export async function probeServers(
  kind: string,
  servers: readonly ServerConfig[],
  parts: Parts,
  signal: AbortSignal,
): Promise<Finding> {
  return await opened(kind, undefined, parts, async (provider) => {
    const silent: string[] = [];
    for await (const look of provider.looks(servers, signal)) if ("failure" in look) silent.push(look.name);
    const args = { found: servers.length - silent.length, servers: servers.length, names: listed(silent.toSorted()) };
    return silent.length === 0 ? ok("doctor-servers-ok", args) : failed("doctor-servers-silent", args);
  });
}

/** Is a worker alive on a host that has to be looked at from there? */
export async function probeWorker(
  redis: { readonly url: string; readonly prefix: string },
  host: string | undefined,
  clock: Clock,
): Promise<Finding> {
  const connection = onceToRedis(redis.url);
  // That it cannot be reached is told by the check of Redis.
  connection.on("error", () => undefined);
  try {
    await connection.connect();
    const presences = new Presences(connection, new Keys(redis.prefix), () => clock.now().getTime());
    const alive = await presences.alive(clock.now(), presenceWithinMs);
    const isThere = alive.some((one) => one.role === "worker" && (host === undefined || one.host === host));
    return isThere ? ok("doctor-worker-ok") : warning("doctor-worker-missing");
  } catch {
    return skipped("doctor-worker-unknown");
  } finally {
    connection.disconnect();
  }
}

function listed(names: readonly string[]): string {
  const some = names.slice(0, mostNames).join(", ");
  return names.length > mostNames ? `${some}, …` : some;
}
