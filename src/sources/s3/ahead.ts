/** What begins ahead of its turn. */
export interface Job<R> {
  /** Memory that its result takes. */
  readonly bytes: number;
  run(): Promise<R>;
}

export interface AheadLimits {
  /** Items that wait for their turn. */
  readonly items: number;
  readonly running: number;
  /** Memory for results; one may have more than that alone. */
  readonly bytes: number;
}

interface Entry<T, R> {
  readonly item: T;
  readonly result: Promise<R> | undefined;
  readonly bytes: number;
}

/**
 * Items in their order, each with the result of the job that `jobOf` gives for it: several of these run while earlier
 * items are still being used. The memory of a result counts until the next item is asked for.
 */
export async function* ahead<T, R>(
  items: AsyncIterable<T>,
  jobOf: (item: T) => Job<R> | undefined,
  limits: AheadLimits,
): AsyncGenerator<{ readonly item: T; readonly result: Promise<R> | undefined }> {
  const queue: Entry<T, R>[] = [];
  const room = new Gate();
  const arrived = new Gate();
  const state = { running: 0, bytes: 0, stopped: false, ended: false };
  let failure: { readonly error: unknown } | undefined;

  const isFull = (job: Job<R> | undefined): boolean =>
    queue.length >= limits.items ||
    (job !== undefined &&
      (state.running >= limits.running || (state.bytes > 0 && state.bytes + job.bytes > limits.bytes)));
  const start = (job: Job<R>): Promise<R> => {
    state.running += 1;
    state.bytes += job.bytes;
    const result = job.run().finally(() => {
      state.running -= 1;
      room.open();
    });
    // Whoever takes it gets its error; nobody may, when an earlier one has failed.
    result.catch(() => undefined);
    return result;
  };
  const pump = async (): Promise<void> => {
    for await (const item of items) {
      const job = jobOf(item);
      while (isFull(job) && !state.stopped) await room.wait();
      if (state.stopped) return;
      queue.push({ item, result: job && start(job), bytes: job?.bytes ?? 0 });
      arrived.open();
    }
  };
  const pumping = pump()
    .catch((error: unknown) => {
      failure = { error };
    })
    .finally(() => {
      state.ended = true;
      arrived.open();
    });
  try {
    for (;;) {
      const entry = queue.shift();
      if (entry) {
        room.open();
        yield entry;
        state.bytes -= entry.bytes;
        room.open();
      } else if (failure) throw failure.error;
      else if (state.ended) return;
      else await arrived.wait();
    }
  } finally {
    state.stopped = true;
    room.open();
    // The items' own programs have ended then.
    await pumping;
  }
}

/** Somewhere to wait until something may have changed. */
class Gate {
  #waiting: (() => void)[] = [];

  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  open(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
