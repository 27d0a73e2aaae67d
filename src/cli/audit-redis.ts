import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../app/clock.ts";
import type { Config } from "../app/config.ts";
import { createDeps } from "../app/deps.ts";
import { AppError } from "../core/errors.ts";
import { createLogger } from "../lib/logger.ts";
import type { Audit } from "../state/audit.ts";

/** The audit log in the configured Redis. @throws AppError redis when it does not answer within these milliseconds. */
export async function openAudit(config: Config, answerMs = 3000): Promise<{ readonly audit: Audit } & AsyncDisposable> {
  const logger = createLogger({ name: "cli", level: "silent" });
  const { deps, close } = createDeps({ config, logger, clock: systemClock, role: "cli" });
  const ping = deps.redis.ping().catch(() => undefined);
  if ((await Promise.race([ping, sleep(answerMs, undefined, { ref: false })])) === undefined) {
    await close();
    throw new AppError("redis", "Redis does not answer", { permanent: false, text: { key: "error-audit-redis" } });
  }
  return { audit: deps.audit, [Symbol.asyncDispose]: close };
}
