/** Below this, giving memory back by hand is not worth its cost; bytes. */
const worthReleasing = 16 * 1024;

/**
 * The same chunks; the memory of each is given back when the next one is asked for, until when its reader must have
 * used it up. Left to the garbage collector, which hardly notices memory outside of its heap, tens of megabytes of
 * used chunks would wait for it. Only for chunks that nobody else keeps; those that share their memory are left alone.
 */
export async function* releasing(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    yield chunk;
    release(chunk);
  }
}

/** How long bytes wait for more of them before they are handed on as they are; milliseconds. */
const gatherMs = 250;

/**
 * The same bytes in pieces of `size`, smaller ones at the end and where no more come for a moment. All are in the same
 * memory: each is overwritten when the next one is asked for, until when its reader must have used it up. The memory of the
 * chunks is given back, as by `releasing`.
 */
export async function* gathered(chunks: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  const space = Buffer.allocUnsafeSlow(size);
  const iterator = chunks[Symbol.asyncIterator]();
  let used = 0;
  let waiting = true;
  try {
    for (;;) {
      waiting = true;
      const next = iterator.next();
      if (used > 0 && !(await comesSoon(next))) {
        yield space.subarray(0, used);
        used = 0;
      }
      const { done, value: chunk } = await next;
      waiting = false;
      if (done) break;
      for (let offset = 0; offset < chunk.length; ) {
        const taken = chunk.subarray(offset, offset + size - used);
        space.set(taken, used);
        used += taken.length;
        offset += taken.length;
        if (used < size) continue;
        yield space;
        used = 0;
      }
      release(chunk);
    }
    if (used > 0) yield space.subarray(0, used);
  } finally {
    release(space);
    const returned = iterator.return?.();
    // Behind a chunk that is waited for, this would be waited for as long.
    if (waiting) returned?.catch(() => undefined);
    else await returned;
  }
}

/** Whether it is settled within the time for which bytes wait for more. */
async function comesSoon(next: Promise<unknown>): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, gatherMs, false);
  const come = (): void => resolve(true);
  next.then(come, come);
  const soon = await promise;
  clearTimeout(timer);
  return soon;
}

/** Gives the memory of a chunk back at once; it is empty afterwards. Nobody may be reading it any more. */
export function release({ buffer, byteLength }: Uint8Array): void {
  if (byteLength < worthReleasing || byteLength !== buffer.byteLength) return;
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** Large buffers that are used again and again by whoever needs one, so that their number stays what is needed at once. */
export class BufferPool {
  readonly #free: Buffer[] = [];
  readonly #most: number;

  /** Keeps at most `most` unused buffers. */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * A buffer of exactly this size, with anything in it. When a new one has to be made, unused ones of other sizes give
   * their memory back: whoever needed them has ended or gone over to this size.
   */
  take(size: number): Buffer {
    const index = this.#free.findLastIndex((buffer) => buffer.length === size);
    const [buffer] = index < 0 ? [] : this.#free.splice(index, 1);
    if (buffer !== undefined) return buffer;
    for (const other of this.#free.filter(({ length }) => length !== size)) this.#drop(other);
    return Buffer.allocUnsafeSlow(size);
  }

  /** Takes a buffer back that nobody reads or writes any more. */
  give(buffer: Buffer): void {
    this.#free.push(buffer);
    const [oldest] = this.#free;
    if (this.#free.length > this.#most && oldest !== undefined) this.#drop(oldest);
  }

  #drop(buffer: Buffer): void {
    this.#free.splice(this.#free.indexOf(buffer), 1);
    release(buffer);
  }
}
