import { Readable } from "node:stream";

export interface ReadableFromOptions {
  /**
   * Called once the stream is destroyed, however that comes: a generator that waits for more bytes can only be ended by the
   * end of what it waits for.
   */
  readonly release: () => void;
  /** What the stream fails with when the generator throws this; default the same. */
  readonly meaning?: (error: unknown) => unknown;
}

/** A stream of what a generator gives. */
export function readableFrom(bytes: AsyncIterable<Uint8Array>, { release, meaning }: ReadableFromOptions): Readable {
  const stream = Readable.from(meaning === undefined ? bytes : told(bytes, meaning), { objectMode: false });
  const destroy = stream._destroy.bind(stream);
  stream._destroy = (error, callback) => {
    release();
    destroy(error, callback);
  };
  return stream;
}

async function* told(
  bytes: AsyncIterable<Uint8Array>,
  meaning: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (error) {
    throw meaning(error);
  }
}
