import { flushCompileCache } from "node:module";
import { AppError } from "../core/errors.ts";
import { createLogger, type Logger } from "../lib/logger.ts";
import { redact } from "../lib/redaction.ts";
import { messagesOf } from "../messages/index.ts";
import { ConfigError, configExitCode, type LoadedConfig } from "./config.ts";
import { onExitSignals } from "./shutdown.ts";

/**
 * The frame of an entry point: the configuration or one clear text and exit 78; a logger; the exit signals. `start`
 * gives back what stops the process.
 */
export async function enter<L extends LoadedConfig>(
  name: string,
  load: () => L,
  start: (loaded: L, logger: Logger) => Promise<{ stop(): Promise<void> }>,
): Promise<void> {
  let loaded: L;
  try {
    loaded = load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(configExitCode);
  }
  const logger = createLogger({ name, level: loaded.config.log.level });
  for (const warning of loaded.warnings)
    logger.warn({ setting: warning.path.join(".") }, messagesOf("en").plain(warning.key, warning.args));
  try {
    const running = await start(loaded, logger);
    onExitSignals(() => running.stop(), logger);
    // Otherwise written at an orderly exit only: after a kill the next start would compile everything anew, slower and
    // with some 25 MB more.
    flushCompileCache();
  } catch (error) {
    logger.fatal(
      { err: error instanceof AppError ? undefined : error },
      redact(error instanceof Error ? error.message : String(error)),
    );
    process.exit(1);
  }
}
