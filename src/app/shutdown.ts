import type { Logger } from "../lib/logger.ts";

/** One step of the shutdown: bounded, so that a hanging one does not keep the others from running. */
export interface ShutdownStep {
  readonly name: string;
  readonly timeoutMs: number;
  run(): Promise<unknown>;
}

/** Runs the steps in order, each for at most its time. Never throws. */
export async function runShutdown(steps: readonly ShutdownStep[], logger: Logger): Promise<void> {
  for (const step of steps) {
    const timer = Promise.withResolvers<"timeout">();
    const timeout = setTimeout(() => timer.resolve("timeout"), step.timeoutMs);
    try {
      if ((await Promise.race([step.run(), timer.promise])) === "timeout")
        logger.warn({ step: step.name }, "shutdown step took too long");
    } catch (error) {
      logger.warn({ step: step.name, err: error }, "shutdown step failed");
    } finally {
      clearTimeout(timeout);
    }
  }
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
