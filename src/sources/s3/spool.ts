import { randomUUID } from "node:crypto";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { AppError } from "../../core/errors.ts";

const chunkBytes = 128 * 1024;

/** Bytes on this machine's disk that have no name: they are gone when it is closed, or when this process is killed. */
export class Spool implements AsyncDisposable {
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async create(): Promise<Spool> {
    const path = join(tmpdir(), `vakhta-index-${randomUUID()}`);
    const file = await open(path, "wx+", 0o600).catch(failed);
    await unlink(path);
    return new Spool(file);
  }

  /** Takes everything that comes, from its beginning; to be awaited before anything is read. */
  async write(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    let position = 0;
    for await (const chunk of chunks) {
      for (let offset = 0; offset < chunk.length; ) {
        const { bytesWritten } = await this.#file.write(chunk, offset, chunk.length - offset, position).catch(failed);
        offset += bytesWritten;
        position += bytesWritten;
      }
    }
  }

  /** Reads it from its beginning; any number of readers at once. */
  reader(): Readable {
    return Readable.from(this.#chunks(), { objectMode: false });
  }

  async *#chunks(): AsyncGenerator<Buffer> {
    for (let position = 0; ; ) {
      // Of its own memory: whoever reads it may give that back.
      const chunk = Buffer.allocUnsafeSlow(chunkBytes);
      const { bytesRead } = await this.#file.read(chunk, 0, chunk.length, position).catch(failed);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

/** What an error of the disk means. */
function failed(cause: unknown): never {
  const { code, message } = cause as NodeJS.ErrnoException;
  throw new AppError("source-failed", `the index can not be kept in ${tmpdir()}: ${message}`, {
    permanent: false,
    context: { step: "index", path: tmpdir() },
    text: { key: "error-s3-index-disk", args: { path: tmpdir(), code: code ?? "?" } },
    cause,
  });
}
