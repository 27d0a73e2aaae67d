import { addAbortSignal, type Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";

/** How often in a row a connection may break off without having given a byte. */
const mostBreaks = 5;
const firstPauseMs = 100;

/** An object of which the first answer is there. */
export interface OpenBody {
  readonly body: Readable;
  /** Bytes; undefined where the server does not tell. */
  readonly size: number | undefined;
  readonly signal: AbortSignal;
  /** Asks for the rest, from so many bytes on, after this failure. Whatever it rejects with ends the reading. */
  again(offset: number, cause: unknown): Promise<Readable>;
  /** What it means that the server gives more than `size`. */
  longer(): Error;
  /** What it means that connections break off again and again. */
  broken(cause: unknown): Error;
}

/**
 * All bytes of an object, exactly so many: where a connection breaks off, another one goes on. That happens also by our
 * own doing: on a connection of which nothing is read for a while, since a program or a slower storage takes no more, there
 * is no progress either, and it is given up like one that has died.
 */
export function unbroken(open: OpenBody): AsyncGenerator<Buffer> {
  // It may break off before anybody reads it.
  open.body.on("error", () => undefined);
  return bytesOf(open);
}

async function* bytesOf({ body: first, size, signal, ...deal }: OpenBody): AsyncGenerator<Buffer> {
  let body = first;
  let offset = 0;
  let breaks = 0;
  try {
    for (;;) {
      let cause: unknown = Object.assign(new Error("the connection was closed"), { code: "ECONNRESET" });
      let isEnd = false;
      try {
        for await (const chunk of addAbortSignal(signal, body) as AsyncIterable<Buffer>) {
          offset += chunk.length;
          if (size !== undefined && offset > size) break;
          breaks = 0;
          yield chunk;
        }
        isEnd = size === undefined;
      } catch (error) {
        signal.throwIfAborted();
        cause = error;
      }
      if (size !== undefined && offset > size) throw deal.longer();
      if (isEnd || offset === size) return;
      breaks += 1;
      if (breaks > mostBreaks) throw deal.broken(cause);
      body.destroy();
      await delay(firstPauseMs * 2 ** (breaks - 1), undefined, { signal }).catch(() => signal.throwIfAborted());
      body = await deal.again(offset, cause);
    }
  } finally {
    body.destroy();
  }
}
