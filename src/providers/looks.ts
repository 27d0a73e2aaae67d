import type { Look, ServerTarget } from "./types.ts";

/** Lets no more than so many be under way at a time; the others wait in their order. */
export class Slots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(most: number) {
    this.#free = most;
  }

  /** Carries it out as soon as there is room. Rejects with the signal's reason when that comes first. */
  async use<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#take(signal);
    try {
      return await work();
    } finally {
      this.#give();
    }
  }

  async #take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const give = (): void => resolve();
    const stop = (): void => {
      this.#waiting.delete(give);
      reject(signal.reason);
    };
    this.#waiting.add(give);
    signal.addEventListener("abort", stop, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  #give(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}

/**
 * The looks that `look` takes at each of `servers`, all at the same time, in the order in which they are done. `look` tells
 * of failures by what it resolves with; it may reject when its signal is aborted, only then, and is not waited for. Rejects
 * when `signal` is aborted; whoever stops reading aborts what is still under way.
 */
export async function* looksOf<C>(
  servers: readonly ServerTarget<C>[],
  signal: AbortSignal,
  look: (server: ServerTarget<C>, signal: AbortSignal) => Promise<Look>,
): AsyncGenerator<Look, void, undefined> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const done: Look[] = [];
  let failure: { readonly reason: unknown } | undefined;
  let wake = Promise.withResolvers<void>();
  const fail = (reason: unknown): void => {
    failure ??= { reason };
    wake.resolve();
  };
  const stop = (): void => {
    fail(signal.reason);
    controller.abort(signal.reason);
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    for (const server of servers) {
      look(server, controller.signal).then((one) => {
        done.push(one);
        wake.resolve();
      }, fail);
    }
    for (let left = servers.length; left > 0; ) {
      await wake.promise;
      wake = Promise.withResolvers();
      while (done.length > 0) {
        if (failure) throw failure.reason;
        left -= 1;
        yield done.shift() as Look;
      }
      if (failure) throw failure.reason;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    controller.abort(new Error("nobody reads the looks any more"));
  }
}
