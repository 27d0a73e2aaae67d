import { setTimeout as sleep } from "node:timers/promises";

/** A monotonic clock; tests move their own. Milliseconds. */
export interface Pace {
  now(): number;
  wait(ms: number, signal?: AbortSignal): Promise<void>;
}

const realPace: Pace = {
  now: () => performance.now(),
  wait: async (ms, signal) => {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  },
};

/** Timers are late by some milliseconds: so much time that was not used may be made up for. */
const creditMs = 100;
const largestChunk = 64 * 1024;

/** A limit in bytes per second that any number of uploads share, first come, first served. */
export class Bandwidth {
  readonly #bytesPerMs: number;
  readonly #chunk: number;
  readonly #pace: Pace;
  /** When all that was granted so far has been sent. */
  #free: number;

  constructor(bytesPerSecond: number, pace: Pace = realPace) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#chunk = Math.max(1, Math.min(largestChunk, Math.floor(bytesPerSecond / 10)));
    this.#pace = pace;
    this.#free = pace.now();
  }

  /** Resolves when so many bytes may be sent. Rejects with the signal's abort. */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    const now = this.#pace.now();
    const start = Math.max(this.#free, now - creditMs);
    this.#free = start + bytes / this.#bytesPerMs;
    const ms = Math.ceil(start - now);
    if (ms > 0) await this.#pace.wait(ms, signal);
  }

  /** The same bytes, each piece when its turn has come. */
  async *paced(body: Uint8Array, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    for (let offset = 0; offset < body.length; offset += this.#chunk) {
      const chunk = body.subarray(offset, offset + this.#chunk);
      await this.take(chunk.length, signal);
      yield chunk;
    }
  }
}

const shared = new Map<string, Bandwidth>();

/** The one limit of a process for a place, however often the storage is opened. */
export function sharedBandwidth(place: string, bytesPerSecond: number): Bandwidth {
  const key = `${place} ${bytesPerSecond}`;
  const existing = shared.get(key);
  if (existing !== undefined) return existing;
  const fresh = new Bandwidth(bytesPerSecond);
  shared.set(key, fresh);
  return fresh;
}
