import { AppError, toAppError } from "../../core/errors.ts";
import type { BackupPhase, Clock, OpenObject, RunObserver, RunProgress } from "../../core/ports.ts";
import type { BackupRun } from "../../core/run.ts";
import type { Runs } from "../../state/runs.ts";

export interface RunWatchDeps {
  readonly runs: Runs;
  readonly clock: Clock;
}

/** How often progress is written and a cancellation looked for, in milliseconds. */
const beatMs = 1000;
/** Above this a timer of Node would fire at once. */
const longestTimer = 2 ** 31 - 1;

/** Writes a run's progress once a second and learns from the same write whether it is to stop. */
export class RunWatch implements RunObserver {
  readonly #deps: RunWatchDeps;
  readonly #id: string;
  readonly #fence: number;
  readonly #stopped = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #deadline: NodeJS.Timeout | undefined;
  #phase: BackupPhase;
  #latest: RunProgress | undefined;
  #beat: Promise<void> = Promise.resolve();
  #beating = false;
  cancelled = false;

  /** `timeoutMs`: the run is ended after this time. */
  constructor(deps: RunWatchDeps, run: BackupRun, fence: number, timeoutMs: number | undefined) {
    this.#deps = deps;
    this.#id = run.id;
    this.#fence = fence;
    this.#phase = run.phase;
    this.#timer = setInterval(() => this.#tick(), beatMs);
    if (timeoutMs !== undefined)
      this.#deadline = setTimeout(() => this.#stopped.abort(this.#late(timeoutMs)), Math.min(timeoutMs, longestTimer));
  }

  /** Aborted when the run is cancelled, takes too long or was taken over. */
  get signal(): AbortSignal {
    return this.#stopped.signal;
  }

  async phase(phase: BackupPhase): Promise<void> {
    this.#phase = phase;
    this.#look(await this.#write("normal", (run) => (run.phase === phase ? run : { ...run, phase })));
    this.#stopped.signal.throwIfAborted();
  }

  progress(progress: RunProgress): void {
    this.#latest = progress;
  }

  async opened(object: OpenObject): Promise<void> {
    await this.#write("progress", (run) => ({ ...run, open: [...run.open, object] }));
  }

  async closed(object: OpenObject): Promise<void> {
    await this.#write("progress", (run) => ({
      ...run,
      open: run.open.filter((open) => open.handle !== object.handle || open.key !== object.key),
    }));
  }

  async title(title: string): Promise<void> {
    await this.#write("progress", (run) => ({ ...run, sourceTitle: title }));
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    clearTimeout(this.#deadline);
    await this.#beat;
  }

  async #write(urgency: "normal" | "progress", change: (run: BackupRun) => BackupRun): Promise<BackupRun> {
    return await this.#deps.runs.update(this.#id, urgency, this.#deps.clock.now(), change, this.#fence);
  }

  #tick(): void {
    // One write at a time: while Redis is away they do not pile up.
    if (this.#beating) return;
    this.#beating = true;
    const at = this.#deps.clock.now().toISOString();
    const latest = this.#latest;
    this.#latest = undefined;
    const written = latest
      ? this.#write("progress", (run) => ({ ...run, progress: { ...latest, at } }))
      : this.#deps.runs.get(this.#id);
    this.#beat = written
      .then((run) => this.#look(run))
      .catch((error: unknown) => this.#stopped.abort(toAppError(error)))
      .finally(() => {
        this.#beating = false;
      });
  }

  #late(timeoutMs: number): AppError {
    const message = `the run was not finished after ${timeoutMs / 1000} s, its timeout`;
    return new AppError("timeout", message, { permanent: false, context: { step: this.#phase } });
  }

  #look(run: BackupRun): void {
    if (run.cancelRequestedBy && !this.cancelled) {
      this.cancelled = true;
      this.#stopped.abort(new AppError("cancelled", `cancelled by ${run.cancelRequestedBy.name}`));
    }
  }
}
