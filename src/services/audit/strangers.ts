import type { Clock } from "../../core/ports.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Strangers } from "../../state/strangers.ts";

/** For the clock: puts on record which strangers have pressed or ordered something within an hour, and how often. */
export async function recordStrangers(deps: {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly strangers: Strangers;
}): Promise<void> {
  const recorded = await deps.strangers.record(deps.clock.now());
  if (recorded > 0) deps.logger.warn({ strangers: recorded }, "strangers have tried to use the bot");
}
