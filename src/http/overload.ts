/** How much may be under way at once. */
export interface GateLimits {
  readonly requests: number;
  /** Of bodies that are read or not persisted yet. */
  readonly bytes: number;
}

/** A place among those that are under way. */
export interface Place {
  /** Says how large the body turned out to be. */
  resize(bytes: number): void;
  /** The same while it grows. False when there is no room for it, which changes nothing. */
  grow(bytes: number): boolean;
  leave(): void;
}

/** Lets in only so much at once, so that the memory stays bounded while Redis is slow or away. */
export class Gate {
  readonly #limits: GateLimits;
  #requests = 0;
  #bytes = 0;

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  get requests(): number {
    return this.#requests;
  }

  /** Undefined when there is no room. */
  enter(bytes: number): Place | undefined {
    if (this.#requests >= this.#limits.requests || this.#bytes + bytes > this.#limits.bytes) return undefined;
    let held = bytes;
    let isInside = true;
    this.#requests += 1;
    this.#bytes += held;
    return {
      resize: (actual) => {
        if (!isInside) return;
        this.#bytes += actual - held;
        held = actual;
      },
      grow: (bytes) => {
        if (isInside && this.#bytes + bytes - held > this.#limits.bytes) return false;
        if (isInside) this.#bytes += bytes - held;
        held = bytes;
        return true;
      },
      leave: () => {
        if (!isInside) return;
        isInside = false;
        this.#requests -= 1;
        this.#bytes -= held;
      },
    };
  }
}

/** Nothing has moved for too long: whoever waits is told to come again, the work itself may still end. */
export class StalledError extends Error {
  override readonly name = "StalledError";
}

/**
 * Resolves as `work` does; rejects with a `StalledError` when it neither ends nor calls `moved` for `ms`. After that
 * `moved` throws, so that what nobody waits for can end.
 */
export async function whileMoving<T>(ms: number, work: (moved: () => void) => Promise<T>): Promise<T> {
  const stalled = Promise.withResolvers<never>();
  let isOver = false;
  const give = (): void => {
    isOver = true;
    stalled.reject(new StalledError("Redis does not answer"));
  };
  let timer = setTimeout(give, ms);
  const moved = (): void => {
    if (isOver) throw new StalledError("nobody waits any more");
    clearTimeout(timer);
    timer = setTimeout(give, ms);
  };
  try {
    return await Promise.race([work(moved), stalled.promise]);
  } finally {
    isOver = true;
    clearTimeout(timer);
  }
}
