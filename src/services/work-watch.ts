import type { Urgency } from "../core/card.ts";
import { AppError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import type { Person } from "../core/run.ts";
import type { Logger } from "../lib/logger.ts";

/** How often progress is written and a cancellation looked for, in milliseconds. */
const beatMs = 1000;
/** Above this a timer of Node would fire at once. */
const longestTimer = 2 ** 31 - 1;

/** What a worker works on: others may ask it to stop, or take it over. */
export interface WatchedWork {
  readonly fence: number;
  readonly cancelRequestedBy?: Person;
}

/** Where the work is on record. */
export interface WorkStore<W extends WatchedWork> {
  get(id: string): Promise<W>;
  update(id: string, urgency: Urgency, now: Date, change: (work: W) => W, fence?: number): Promise<W>;
  /** As `update`, for what must be on record before the work goes on. */
  record(id: string, urgency: Urgency, now: Date, change: (work: W) => W, fence?: number): Promise<W>;
}

export interface WorkWatchOptions<W extends WatchedWork> {
  readonly store: WorkStore<W>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly id: string;
  /** Token of the worker's right to it. */
  readonly fence: number;
  /** What it is called in the log: "run". */
  readonly noun: string;
  /** It is ended after so many milliseconds, with this error. Default: never. */
  readonly deadline?: { readonly ms: number; readonly error: () => AppError } | undefined;
}

/**
 * Writes how far a work is once a second and learns whether it is to stop. A beat that Redis refuses ends nothing: the
 * next one tries again.
 */
export class WorkWatch<W extends WatchedWork> {
  readonly #options: WorkWatchOptions<W>;
  readonly #stopped = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #deadline: NodeJS.Timeout | undefined;
  #latest: ((work: W) => W) | undefined;
  #beat: Promise<void> = Promise.resolve();
  #beating = false;
  /** The latest beat failed; said once. */
  #missing = false;

  constructor(options: WorkWatchOptions<W>) {
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), beatMs);
    const { deadline } = options;
    if (deadline)
      this.#deadline = setTimeout(() => this.#stopped.abort(deadline.error()), Math.min(deadline.ms, longestTimer));
  }

  /** Aborted when the work is cancelled, takes too long or was taken over. */
  get signal(): AbortSignal {
    return this.#stopped.signal;
  }

  /** Puts a change on record before the work goes on. Does not look whether it is to stop. */
  async write(urgency: Urgency, change: (work: W) => W): Promise<W> {
    const { store, id, clock, fence } = this.#options;
    return await store.record(id, urgency, clock.now(), change, fence);
  }

  /** The same, and rejects when it is to stop. */
  async step(urgency: Urgency, change: (work: W) => W): Promise<W> {
    const work = await this.write(urgency, change);
    this.#look(work);
    this.#stopped.signal.throwIfAborted();
    return work;
  }

  /** How far it is: written with the next beat, unless something newer comes before. */
  progress(change: (work: W) => W): void {
    this.#latest = change;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    clearTimeout(this.#deadline);
    await this.#beat;
  }

  #tick(): void {
    // One write at a time: while Redis is away they do not pile up.
    if (this.#beating) return;
    this.#beating = true;
    const { store, id, clock, fence } = this.#options;
    const latest = this.#latest;
    this.#latest = undefined;
    const written = latest ? store.update(id, "progress", clock.now(), latest, fence) : store.get(id);
    this.#beat = written
      .then((work) => {
        this.#missing = false;
        this.#look(work);
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
      const { logger, noun, id } = this.#options;
      const message = error instanceof Error ? error.message : String(error);
      logger.warn({ [noun]: id, error: message }, "progress could not be recorded; trying again");
    }
  }

  #look({ cancelRequestedBy, fence }: W): void {
    if (fence > this.#options.fence)
      this.#stopped.abort(new AppError("lease-lost", "another worker has taken it over", { permanent: false }));
    if (!cancelRequestedBy) return;
    const by = cancelRequestedBy.name;
    const text = { key: "error-cancelled", args: { by } };
    this.#stopped.abort(new AppError("cancelled", `cancelled by ${by}`, { text }));
  }
}

/** What takes longer than it may. `step`: where it was at that moment. */
export function timedOut(what: string, timeoutMs: number, step?: string): AppError {
  return new AppError("timeout", `the ${what} was not finished after ${timeoutMs / 1000} s, its timeout`, {
    permanent: false,
    ...(step === undefined ? {} : { context: { step } }),
    text: { key: "error-timeout", args: { seconds: timeoutMs / 1000 } },
  });
}
