import { createHash } from "node:crypto";
import { type Readable, Transform } from "node:stream";
import { AppError } from "../../core/errors.ts";
import type { ManifestPart } from "../../core/manifest.ts";
import type { BackupReader } from "../types.ts";
import { type Archive, gate } from "./archive.ts";

/**
 * What was read of a part that was not read to its end, of which nothing is known then: when it is read again, and whole,
 * it has to begin the same.
 */
export class Opening {
  readonly #hash = createHash("sha256");
  #bytes = 0;

  /** Notes what is read. */
  noted(reader: BackupReader): BackupReader {
    return through(reader, () => {
      const note = (chunk: Uint8Array): void => {
        this.#hash.update(chunk);
        this.#bytes += chunk.length;
      };
      return { see: note, end: () => undefined };
    });
  }

  /** Fails with `storage-mismatch` where it does not begin with what was noted. */
  required(reader: BackupReader): BackupReader {
    return through(reader, ({ file }) => {
      const [bytes, expected] = [this.#bytes, this.#hash.copy().digest("hex")];
      const hash = createHash("sha256");
      let left = bytes;
      const end = (): void => {
        if (left > 0 || hash.copy().digest("hex") !== expected) throw changed(file);
      };
      const see = (chunk: Uint8Array): void => {
        if (left === 0) return;
        const own = chunk.subarray(0, left);
        hash.update(own);
        left -= own.length;
        if (left === 0) end();
      };
      return { see, end };
    });
  }
}

/**
 * An archive for reading a beginning of it, and the same one for whatever is read of it later, which has to begin as that
 * did: what is made of the beginning is the manifest's when the whole has been read.
 */
export function beginningOf<A extends Archive>(archive: A): { readonly beginning: A; readonly later: A } {
  const opening = new Opening();
  const { reader } = archive;
  return {
    beginning: { ...archive, reader: opening.noted(reader) },
    later: { ...archive, reader: opening.required(reader) },
  };
}

function changed(file: string): AppError {
  return new AppError("storage-mismatch", `${file} was read twice, and its beginning was not the same`, {
    text: { key: "error-storage-changed", args: { object: file } },
  });
}

interface Seeing {
  readonly see: (chunk: Uint8Array) => void;
  readonly end: () => void;
}

/** The same reader, whose parts are looked at on their way; what is thrown then ends them. */
function through(reader: BackupReader, look: (part: ManifestPart) => Seeing): BackupReader {
  const open = async (part: ManifestPart): Promise<Readable> => {
    const { see, end } = look(part);
    const seeing = new Transform({
      transform: (chunk: Uint8Array, _encoding, callback) => attempt(() => see(chunk), callback, chunk),
      flush: (callback) => attempt(end, callback),
    });
    return gate(await reader.open(part), seeing).stream;
  };
  return { ...reader, open };
}

function attempt(work: () => void, callback: (error: Error | null, chunk?: Uint8Array) => void, chunk?: Uint8Array) {
  try {
    work();
  } catch (error) {
    callback(error instanceof Error ? error : new Error(String(error)));
    return;
  }
  callback(null, chunk);
}
