import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../app/clock.ts";
import type { Config } from "../app/config.ts";
import { createDeps } from "../app/deps.ts";
import { AppError } from "../core/errors.ts";
import { createLogger } from "../lib/logger.ts";
import { retentionHolder } from "../services/backup/holders.ts";
import type { Terminal } from "./terminal.ts";

/** Milliseconds in which Redis has to answer. */
const answerMs = 2000;

/**
 * Keeps the workers' runs of a name away, where the configured Redis answers; where it does not, says so and goes on: then
 * only lease files in the storages keep programs apart. Rejects with `busy` while a worker works on the name.
 */
export async function takeRedisLease(terminal: Terminal, config: Config, name: string): Promise<AsyncDisposable> {
  const logger = createLogger({ name: "cli", level: "silent" });
  const { deps, close } = createDeps({ config, logger, clock: systemClock, role: "cli" });
  try {
    const ping = deps.redis.ping().catch(() => undefined);
    if ((await Promise.race([ping, sleep(answerMs, undefined, { ref: false })])) === undefined) {
      terminal.complain("cli-prune-without-redis");
      return { [Symbol.asyncDispose]: close };
    }
    const lease = await deps.leases.tryAcquire(`backup:${name}`, {
      ttlMs: config.worker.lease,
      holder: `${retentionHolder} cli`,
    });
    if (lease === undefined) {
      throw new AppError("busy", `a worker works on ${name} at this moment`, {
        permanent: false,
        text: { key: "error-prune-busy", args: { name } },
      });
    }
    return {
      [Symbol.asyncDispose]: async () => {
        await lease.release();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
