import { tickEveryMs } from "../services/tick.ts";
import type { Deps } from "./deps.ts";

/** Milliseconds between two looks. */
const everyMs = 5000;

/**
 * Sees to it that the clock's job is scheduled: now, with a first look at once (what was missed while everything was down
 * is made up), and whenever Redis has lost it.
 */
export async function startTickKeeper({
  producer,
  logger,
}: Pick<Deps, "producer" | "logger">): Promise<{ stop(): void }> {
  await producer.scheduleTick(tickEveryMs);
  await producer.enqueue("tick", {});
  const keep = async (): Promise<void> => {
    if (!(await producer.keepTick(tickEveryMs))) return;
    logger.warn("the clock's job was gone from Redis, and is scheduled anew");
    await producer.enqueue("tick", {});
  };
  let keeping: Promise<void> | undefined;
  const timer = setInterval(() => {
    keeping ??= keep()
      .catch((error: unknown) => logger.debug({ error: String(error) }, "tick"))
      .finally(() => (keeping = undefined));
  }, everyMs);
  return { stop: () => clearInterval(timer) };
}
