import type { Logger } from "../lib/logger.ts";

/** One step of the shutdown: bounded, so that a hanging one does not keep the others from running. */
export interface ShutdownStep {
  readonly name: string;
  readonly timeoutMs: number;
  /** What it still gets, or gets at most, once the end is hurried; 500 unless told. */
  readonly hurriedMs?: number;
  run(): Promise<unknown>;
}

/**
 * Runs the steps in order, each for at most its time; once `hurry` is aborted, for a moment. Never throws. What a step
 * that is left behind waits for stays undone, as at a kill.
 */
export async function runShutdown(
  steps: readonly ShutdownStep[],
  logger: Logger,
  hurry: AbortSignal = new AbortController().signal,
): Promise<void> {
  for (const step of steps) {
    const timer = Promise.withResolvers<"timeout">();
    const late = (): void => timer.resolve("timeout");
    const timeout = setTimeout(late, step.timeoutMs);
    let hurried: NodeJS.Timeout | undefined;
    const cut = (): void => {
      hurried = setTimeout(late, Math.min(step.hurriedMs ?? 500, step.timeoutMs));
    };
    if (hurry.aborted) cut();
    else hurry.addEventListener("abort", cut, { once: true });
    try {
      // Why the end is hurried was told once: it explains each step that does not end.
      if ((await Promise.race([step.run(), timer.promise])) === "timeout")
        logger[hurry.aborted ? "debug" : "warn"]({ step: step.name }, "shutdown step took too long");
    } catch (error) {
      if (hurry.aborted) logger.debug({ step: step.name, error: String(error) }, "shutdown step failed");
      else logger.warn({ step: step.name, err: error }, "shutdown step failed");
    } finally {
      clearTimeout(timeout);
      clearTimeout(hurried);
      hurry.removeEventListener("abort", cut);
    }
  }
}

/** Redis has answered by then, or an end does not wait for it; milliseconds. */
const answerMs = 1500;

/** Milliseconds between its answer and the next question. */
const askEveryMs = 500;

/**
 * Aborted, and told, when nothing comes back from Redis: whatever else an end would wait for there does not come either,
 * and who ends containers kills them after ten seconds. Any answer is one, also a refusal.
 */
export function redisAway(redis: { ping(): Promise<unknown> }, logger: Logger): AbortSignal {
  const away = new AbortController();
  const ask = (): void => {
    const timeout = setTimeout(() => {
      logger.warn("Redis gives no answer: the end does not wait for it");
      away.abort();
    }, answerMs);
    // It may also go away during the end, as everything on a machine does that is shut down.
    const again = (): void => {
      clearTimeout(timeout);
      setTimeout(ask, askEveryMs).unref();
    };
    // Refused for being closed: the end has come so far.
    redis.ping().then(again, () => clearTimeout(timeout));
  };
  ask();
  return away.signal;
}

/**
 * Calls `stop` once on SIGTERM or SIGINT and exits with 0 afterwards; a second signal exits at once. What nobody
 * caught is logged and ends the process the same way with 1: whoever supervises it starts a sound one.
 */
export function onExitSignals(stop: () => Promise<void>, logger: Logger): void {
  let stopping = false;
  const end = (code: number): void => {
    if (stopping) process.exit(code === 0 ? 130 : code);
    stopping = true;
    void stop().finally(() => process.exit(code));
  };
  process.on("SIGTERM", () => end(0));
  process.on("SIGINT", () => end(0));
  process.on("uncaughtException", (error) => {
    logger.fatal({ err: error }, "uncaught");
    end(1);
  });
  process.on("unhandledRejection", (error) => {
    logger.fatal({ err: error }, "unhandled rejection");
    end(1);
  });
}
