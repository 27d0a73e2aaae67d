import type { BackupPhase, Clock, OpenObject, RunObserver, RunProgress } from "../../core/ports.ts";
import type { BackupRun } from "../../core/run.ts";
import type { Text } from "../../core/text.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Runs } from "../../state/runs.ts";
import { timedOut, WorkWatch } from "../work-watch.ts";

export interface RunWatchDeps {
  readonly runs: Runs;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Writes how far a run is and learns from the same write whether it is to stop. */
export class RunWatch implements RunObserver {
  readonly #clock: Clock;
  readonly #watch: WorkWatch<BackupRun>;
  #phase: BackupPhase;

  /** `timeoutMs`: the run is ended after this time. */
  constructor(deps: RunWatchDeps, run: BackupRun, fence: number, timeoutMs: number | undefined) {
    const { runs: store, clock, logger } = deps;
    const { id } = run;
    this.#clock = clock;
    this.#phase = run.phase;
    const deadline =
      timeoutMs === undefined ? undefined : { ms: timeoutMs, error: () => timedOut("run", timeoutMs, this.#phase) };
    this.#watch = new WorkWatch({ store, clock, logger, id, fence, noun: "run", deadline });
  }

  /** Aborted when the run is cancelled, takes too long or was taken over. */
  get signal(): AbortSignal {
    return this.#watch.signal;
  }

  async phase(phase: BackupPhase): Promise<void> {
    this.#phase = phase;
    await this.#watch.step("normal", (run) => (run.phase === phase ? run : { ...run, phase }));
  }

  progress(progress: RunProgress): void {
    const at = this.#clock.now().toISOString();
    this.#watch.progress((run) => ({ ...run, progress: { ...progress, at } }));
  }

  async opened(object: OpenObject): Promise<void> {
    await this.#watch.write("progress", (run) => ({ ...run, open: [...run.open, object] }));
  }

  async closed(object: OpenObject): Promise<void> {
    await this.#watch.write("progress", (run) => ({
      ...run,
      open: run.open.filter((open) => open.handle !== object.handle || open.key !== object.key),
    }));
  }

  async left(storage: string): Promise<void> {
    await this.#watch.write("progress", (run) =>
      run.folder === undefined ? run : { ...run, leftIn: [...(run.leftIn ?? []), { storage, folder: run.folder }] },
    );
  }

  async title(title: Text): Promise<void> {
    await this.#watch.write("progress", (run) => ({ ...run, sourceTitle: title }));
  }

  async stop(): Promise<void> {
    await this.#watch.stop();
  }
}
