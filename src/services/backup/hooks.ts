import { basename } from "node:path";
import type { Config } from "../../app/config.ts";
import { type AppError, toAppError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import { type BackupRun, owesHook, type RunStatus } from "../../core/run.ts";
import type { Logger } from "../../lib/logger.ts";
import { run as runProgram } from "../../lib/process.ts";
import type { Runs } from "../../state/runs.ts";
import { runError } from "./run-error.ts";

export interface RunHooksDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly runs: Runs;
}

type BackupConfig = Config["backups"][number];

/** What a hook is told of the run as VAKHTA_STATUS: `interrupted`, a worker was stopped or killed in the middle. */
type HookStatus = RunStatus | "interrupted";

/**
 * Programs around a backup. Once the first of them was about to be started, those for afterwards are owed, whatever
 * becomes of the run or of this process: whoever takes the run up next runs them.
 */
export class RunHooks {
  readonly #deps: RunHooksDeps;

  constructor(deps: RunHooksDeps) {
    this.#deps = deps;
  }

  /** Runs those for before. Rejects with the first one's failure; its step is "hook <program>". */
  async before(run: BackupRun, backup: BackupConfig, fence: number, signal: AbortSignal): Promise<void> {
    const { before, after } = backup.hooks;
    if (before.length + after.length === 0) return;
    const { runs, clock } = this.#deps;
    await runs.record(run.id, "progress", clock.now(), (current) => ({ ...current, hooks: "pending" }), fence);
    for (const argv of before) await runHook(argv, hookEnvironment(run, "running"), backup.hooks.timeout, signal);
  }

  /**
   * Runs those for afterwards, where they are owed: all of them, whatever becomes of one. A failure is on the run's
   * record and changes nothing of its outcome. Killed or aborted in between, they are owed still: they may run twice.
   */
  async after(id: string, status: HookStatus, fence: number, signal: AbortSignal): Promise<void> {
    const { runs, clock, config, logger } = this.#deps;
    const run = await runs.read(id);
    if (!run || !owesHook(run)) return;
    const { after: commands, timeout } = config.backups.find(({ name }) => name === run.name)?.hooks ?? {
      after: [],
      timeout: 0,
    };
    let failed: AppError | undefined;
    for (const argv of commands) {
      try {
        await runHook(argv, hookEnvironment(run, status), timeout, signal);
      } catch (error) {
        signal.throwIfAborted();
        failed ??= toAppError(error);
        logger.warn({ run: id, backup: run.name, error: failed.message }, "a hook after the backup failed");
      }
    }
    const error = failed && runError(failed, "hook");
    await runs.record(
      id,
      "normal",
      clock.now(),
      (current) => ({ ...current, hooks: "done", ...(error ? { hookError: error } : {}) }),
      fence,
    );
  }
}

/** Runs one program around a backup. Its step is "hook <program>". */
export async function runHook(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const step = `hook ${basename(argv[0] ?? "")}`;
  // As a client of a container engine: what a hook stops and starts is often a container.
  // What it starts for good (`service app start`) inherits its output, and must neither hold it up nor die of its end.
  await runProgram({ argv, step, env, via: true }, { timeoutMs, signal, discard: true });
}

/** What a program around a backup is told of it. */
export function hookEnvironment(
  run: Pick<BackupRun, "name" | "id" | "folder"> & { readonly error?: { readonly code: string } },
  status: HookStatus,
): Record<string, string> {
  return {
    VAKHTA_BACKUP: run.name,
    VAKHTA_RUN: run.id,
    VAKHTA_STATUS: status,
    VAKHTA_FOLDER: run.folder ?? "",
    VAKHTA_ERROR: run.error?.code ?? "",
  };
}
