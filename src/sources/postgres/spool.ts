import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { addAbortSignal, Readable } from "node:stream";
import { AppError } from "../../core/errors.ts";
import { type Archive, onDisk, openGated } from "./archive.ts";

/** Bytes that are read from the file at a time. */
const chunkBytes = 256 * 1024;

/** A stored part that comes once and is read several times, also while it still comes: it lies in a file meanwhile. */
export class Spool {
  readonly #path: string;
  #written = 0;
  #isWhole = false;
  #failure: Error | undefined;
  #more = Promise.withResolvers<void>();

  /** @param path a file that only this user can read; whoever made its folder removes it. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Resolves when all of it is there and was found to be the manifest's. Who reads it fails as this does. */
  async fill(archive: Archive): Promise<void> {
    try {
      await using file = await open(this.#path, "w", 0o600);
      const { stream, failure } = await openGated(archive);
      try {
        for await (const chunk of addAbortSignal(archive.signal, stream) as AsyncIterable<Uint8Array>) {
          await file.writeFile(chunk);
          this.#written += chunk.length;
          this.#wake();
        }
        this.#isWhole = true;
      } catch (error) {
        throw failure() ?? onDisk(error, dirname(this.#path));
      } finally {
        stream.destroy();
      }
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    } finally {
      this.#wake();
    }
  }

  /** From its beginning, as it comes. */
  read(): Readable {
    return Readable.from(this.#follow(), { objectMode: false, highWaterMark: chunkBytes });
  }

  async *#follow(): AsyncGenerator<Uint8Array> {
    let file: FileHandle | undefined;
    try {
      for (let position = 0; ; ) {
        const more = this.#more.promise;
        if (this.#failure !== undefined) throw this.#failure;
        if (position < this.#written) {
          file ??= await open(this.#path);
          const length = Math.min(chunkBytes, this.#written - position);
          const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, position);
          if (bytesRead === 0) throw new AppError("internal", `${this.#path} was cut short while it was read`);
          position += bytesRead;
          yield buffer.subarray(0, bytesRead);
        } else if (this.#isWhole) return;
        else await more;
      }
    } finally {
      await file?.close();
    }
  }

  #wake(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers<void>();
  }
}
