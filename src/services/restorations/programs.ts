import { toAppError } from "../../core/errors.ts";
import type { Restoration } from "../../core/restoration.ts";
import { owesPrograms } from "../../core/restoration-life.ts";
import type { RunError } from "../../core/run.ts";
import { runHook } from "../backup/hooks.ts";
import { runError } from "../backup/run-error.ts";
import type { RestoreDeps } from "./deps.ts";
import { restoreEntry } from "./entries.ts";

type ProgramDeps = Pick<RestoreDeps, "config" | "clock" | "logger" | "restorationStates">;

/**
 * Programs that stop and start what uses a target. From the moment before the first one is started, those that start it
 * again are owed, whatever becomes of the restore or of this process: whoever takes it up runs them.
 */
export class Programs {
  readonly #deps: ProgramDeps;
  readonly #restoration: Restoration;
  readonly #fence: number;
  /** As far as this process knows: the record of it may be lost with Redis. */
  #owed: boolean;

  constructor(deps: ProgramDeps, restoration: Restoration, fence: number) {
    this.#deps = deps;
    this.#restoration = restoration;
    this.#fence = fence;
    this.#owed = owesPrograms(restoration);
  }

  /** Rejects with the first one's failure; its step is "hook <program>". `what`: "restore", "undo". */
  async stop(what: string, signal: AbortSignal): Promise<void> {
    const { stop, start, timeout } = this.#settings();
    if (stop.length + start.length === 0) return;
    await this.#record((current) => ({ ...withoutError(current), programs: "owed" }));
    this.#owed = true;
    for (const argv of stop) await runHook(argv, this.#environment(what, "stop"), timeout, signal);
    if (stop.length > 0) await this.#record((current) => ({ ...current }), "programs-stopped");
  }

  /**
   * Starts it again where that is owed: all of them, whatever becomes of one. A failure is on record and changes nothing of
   * the outcome. Killed or aborted in between, they are owed still: they may run twice.
   */
  async start(what: string, signal: AbortSignal): Promise<void> {
    const { restorationStates, logger } = this.#deps;
    const known = await restorationStates.read(this.#restoration.id);
    if (!(known ? owesPrograms(known) : this.#owed)) return;
    const { start, timeout } = this.#settings();
    let failed: RunError | undefined;
    for (const argv of start) {
      try {
        await runHook(argv, this.#environment(what, "start"), timeout, signal);
      } catch (error) {
        signal.throwIfAborted();
        failed ??= runError(toAppError(error), "start");
        logger.error({ restoration: this.#restoration.id, error: failed.message }, "what was stopped did not start");
      }
    }
    this.#owed = false;
    if (!known) return;
    await this.#record(
      (current) => {
        const { programs: _, ...rest } = withoutError(current);
        return { ...rest, ...(failed ? { programError: failed } : {}) };
      },
      start.length > 0 ? "programs-started" : undefined,
      failed?.code,
    );
  }

  #settings(): { readonly stop: readonly string[][]; readonly start: readonly string[][]; readonly timeout: number } {
    const settings = this.#deps.config.backups.find(({ name }) => name === this.#restoration.name)?.restore;
    return settings ?? { stop: [], start: [], timeout: 0 };
  }

  #environment(what: string, status: "stop" | "start"): Record<string, string> {
    const { name, id, backup, preflight } = this.#restoration;
    return {
      VAKHTA_BACKUP: name,
      VAKHTA_RESTORE: id,
      VAKHTA_RUN: backup,
      VAKHTA_TARGET: preflight?.database ?? "",
      VAKHTA_WORK: what,
      VAKHTA_STATUS: status,
    };
  }

  async #record(
    change: (current: Restoration) => Restoration,
    said?: "programs-stopped" | "programs-started",
    why?: string,
  ): Promise<void> {
    const { restorationStates, clock } = this.#deps;
    const now = clock.now();
    await restorationStates.record(this.#restoration.id, "normal", now, change, this.#fence, (current) =>
      said === undefined ? [] : [restoreEntry(current, said, now, why === undefined ? {} : { why })],
    );
  }
}

function withoutError(restoration: Restoration): Restoration {
  const { programError: _, ...rest } = restoration;
  return rest;
}
