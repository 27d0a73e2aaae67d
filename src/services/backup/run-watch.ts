import { AppError } from "../../core/errors.ts";
import type { BackupPhase, Clock, OpenObject, RunObserver, RunProgress } from "../../core/ports.ts";
import type { BackupRun } from "../../core/run.ts";
import type { Text } from "../../core/text.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Runs } from "../../state/runs.ts";

export interface RunWatchDeps {
  readonly runs: Runs;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How often progress is written and a cancellation looked for, in milliseconds. */
const beatMs = 1000;
/** Above this a timer of Node would fire at once. */
const longestTimer = 2 ** 31 - 1;

/**
 * Writes a run's progress once a second and learns from the same write whether it is to stop. A beat that Redis refuses
 * ends nothing: the next one tries again.
 */
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
  /** The latest beat failed; said once. */
  #missing = false;

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

  async left(storage: string): Promise<void> {
    await this.#write("progress", (run) =>
      run.folder === undefined ? run : { ...run, leftIn: [...(run.leftIn ?? []), { storage, folder: run.folder }] },
    );
  }

  async title(title: Text): Promise<void> {
    await this.#write("progress", (run) => ({ ...run, sourceTitle: title }));
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    clearTimeout(this.#deadline);
    await this.#beat;
  }

  async #write(urgency: "normal" | "progress", change: (run: BackupRun) => BackupRun): Promise<BackupRun> {
    return await this.#deps.runs.record(this.#id, urgency, this.#deps.clock.now(), change, this.#fence);
  }

  #tick(): void {
    // One write at a time: while Redis is away they do not pile up.
    if (this.#beating) return;
    this.#beating = true;
    const at = this.#deps.clock.now().toISOString();
    const latest = this.#latest;
    this.#latest = undefined;
    const { runs, clock } = this.#deps;
    const written = latest
      ? runs.update(this.#id, "progress", clock.now(), (run) => ({ ...run, progress: { ...latest, at } }), this.#fence)
      : runs.get(this.#id);
    this.#beat = written
      .then((run) => {
        this.#missing = false;
        this.#look(run);
      })
      .catch((error: unknown) => this.#missed(error))
      .finally(() => {
        this.#beating = false;
      });
  }

  #missed(error: unknown): void {
    if (error instanceof AppError && (error.code === "lease-lost" || error.code === "not-found")) {
      this.#stopped.abort(error);
    } else if (!this.#missing) {
      this.#missing = true;
      const message = error instanceof Error ? error.message : String(error);
      this.#deps.logger.warn({ run: this.#id, error: message }, "progress could not be recorded; trying again");
    }
  }

  #late(timeoutMs: number): AppError {
    const message = `the run was not finished after ${timeoutMs / 1000} s, its timeout`;
    return new AppError("timeout", message, {
      permanent: false,
      context: { step: this.#phase },
      text: { key: "error-timeout", args: { seconds: timeoutMs / 1000 } },
    });
  }

  #look(run: BackupRun): void {
    if (!run.cancelRequestedBy) return;
    const by = run.cancelRequestedBy.name;
    this.#stopped.abort(
      new AppError("cancelled", `cancelled by ${by}`, { text: { key: "error-cancelled", args: { by } } }),
    );
  }
}
