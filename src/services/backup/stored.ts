import type { BackupRun } from "../../core/run.ts";
import type { Logger } from "../../lib/logger.ts";

interface Deps {
  readonly logger: Logger;
  stored?(run: BackupRun, storage: string): Promise<void>;
}

/** Tells that a copy is complete. The backup is made, whatever becomes of what follows from it. */
export async function tellStored(deps: Deps, run: BackupRun, storage: string): Promise<void> {
  try {
    await deps.stored?.(run, storage);
  } catch (error) {
    const what = { run: run.id, storage, error: String(error) };
    deps.logger.warn(what, "what follows from a finished copy is left to the clock");
  }
}
