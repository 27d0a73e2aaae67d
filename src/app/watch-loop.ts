import type { Lease } from "../core/ports.ts";
import type { Logger } from "../lib/logger.ts";
import type { Leases } from "../state/leases.ts";

/** Something that the loop sees to again and again. */
export interface WatchTask {
  readonly name: string;
  run(): Promise<unknown>;
}

export interface WatchLoopOptions {
  readonly leases: Leases;
  /** Shown to those who find the lease taken. */
  readonly holder: string;
  readonly logger: Logger;
  /** One bot does these, whichever has the lease. They run side by side: a slow one holds up no other. */
  readonly tasks: readonly WatchTask[];
}

/** Milliseconds between two steps. */
const everyMs = 5000;

/** Takeover after a kill takes this long and up to a step more; milliseconds. */
const leaseMs = 5000;

interface TaskState {
  running: Promise<void> | undefined;
  failing: boolean;
}

/**
 * What the bots do by the clock beside the chat, by one of them at a time: time for incidents, the watch over ourselves,
 * the card of the day. A task that fails is told once, stops no other, and is done again at the next step.
 */
export class WatchLoop {
  readonly #options: WatchLoopOptions;
  readonly #states = new Map<WatchTask, TaskState>();
  #timer: NodeJS.Timeout | undefined;
  #lease: Lease | undefined;
  #acquiring: Promise<boolean> | undefined;
  #isTaken = false;
  #stopped = false;
  #lastStep: number | undefined;

  constructor(options: WatchLoopOptions) {
    this.#options = options;
    for (const task of options.tasks) this.#states.set(task, { running: undefined, failing: false });
  }

  /** Whether this bot is the one that watches. */
  get watching(): boolean {
    return this.#lease?.isHeld() ?? false;
  }

  /** Whether another bot was found to be the one that watches, when that was looked at last. */
  get standsBy(): boolean {
    return this.#isTaken && !this.watching;
  }

  /** Milliseconds since the last step that was not merely begun; undefined before the first one. */
  get sinceStepMs(): number | undefined {
    return this.#lastStep === undefined ? undefined : performance.now() - this.#lastStep;
  }

  start(): void {
    const look = (): void => void this.#begin();
    this.#timer = setInterval(look, everyMs);
    look();
  }

  /** Does now what is due, after what is under way. Resolves when all of it is done. */
  async step(): Promise<void> {
    await this.#settled();
    await this.#begin();
  }

  /** Begins nothing more, waits for what is under way and gives the lease back. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#acquiring;
    await this.#settled();
    await this.#lease?.release();
  }

  async #settled(): Promise<void> {
    for (const { running } of this.#states.values()) if (running) await running;
  }

  async #begin(): Promise<void> {
    this.#acquiring ??= this.#acquire().finally(() => (this.#acquiring = undefined));
    if (await this.#acquiring) await Promise.all([...this.#states.keys()].map((task) => this.#do(task)));
    this.#lastStep = performance.now();
  }

  async #acquire(): Promise<boolean> {
    if (this.#stopped) return false;
    if (this.watching) return true;
    const { leases, holder, logger } = this.#options;
    try {
      this.#lease = await leases.tryAcquire("watch", { ttlMs: leaseMs, holder });
      this.#isTaken = this.#lease === undefined;
      if (this.#lease) logger.info({ fence: this.#lease.token }, "watching");
    } catch (error) {
      logger.warn({ error: String(error) }, "the watch could not be taken");
    }
    return this.watching && !this.#stopped;
  }

  /** One at a time of each: what is still under way is not begun once more. */
  #do(task: WatchTask): Promise<void> {
    const state = this.#states.get(task);
    if (!state) return Promise.resolve();
    state.running ??= this.#attempt(task, state).finally(() => (state.running = undefined));
    return state.running;
  }

  async #attempt(task: WatchTask, state: TaskState): Promise<void> {
    const { logger } = this.#options;
    try {
      await task.run();
      if (state.failing) logger.info({ task: task.name }, "done again");
      state.failing = false;
    } catch (error) {
      if (!state.failing)
        logger.error({ task: task.name, err: error }, "could not be done; tried again every few seconds");
      state.failing = true;
    }
  }
}
