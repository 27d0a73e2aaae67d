import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AppError } from "../../core/errors.ts";
import type { CreateOptions, ExpectedObject, ObjectWriter } from "../types.ts";
import { fileError, isMissing } from "./errors.ts";
import type { SpaceGuard } from "./space.ts";

const temporaryName = /^\..+\.[0-9a-f]{12}\.tmp$/;

/** Free space is looked at each time so many bytes were written. */
const lookEvery = 8 * 1024 * 1024;

/** The name that a temporary file was to get, or undefined for any other file. */
export function finalName(name: string): string | undefined {
  return isTemporary(name) ? name.slice(1, -".0123456789ab.tmp".length) : undefined;
}

/** True for the name of a file that is being written, or was when its process died. */
export function isTemporary(name: string): boolean {
  return temporaryName.test(name);
}

/**
 * A file that appears under its name only when it is complete: written beside it under a temporary name, synced,
 * renamed, and the folder synced with all that were made for it, so that after a power cut it is there whole or not at
 * all.
 */
export class FileWriter implements ObjectWriter {
  readonly key: string;
  readonly #storage: string;
  readonly #path: string;
  readonly #temporary: string;
  readonly #signal: AbortSignal;
  readonly #guard: SpaceGuard | undefined;
  /** Bytes since free space was looked at. */
  #unlooked = 0;
  #file: FileHandle | undefined;
  /** The outermost folder that had to be made. */
  #made: string | undefined;
  #renamed = false;
  #synced: Promise<void> | undefined;

  private constructor(storage: string, key: string, path: string, signal: AbortSignal, guard: SpaceGuard | undefined) {
    this.key = key;
    this.#storage = storage;
    this.#path = path;
    this.#temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
    this.#signal = signal;
    this.#guard = guard;
  }

  /** Begins a file. Without a guard it may take the last of the disk: for manifests, without which parts are lost. */
  static async create(
    storage: string,
    key: string,
    path: string,
    options: CreateOptions,
    guard?: SpaceGuard,
  ): Promise<FileWriter> {
    const writer = new FileWriter(storage, key, path, options.signal, guard);
    try {
      await guard?.requireRoom(path, options.neededBytes ?? 0);
    } catch (error) {
      throw fileError(error, storage, path);
    }
    await options.opened?.({ storage, key, handle: writer.#temporary });
    try {
      // Once more when a deletion beside it has just removed the folder because it was empty.
      writer.#file = await writer.#createFile().catch(() => writer.#createFile());
      return writer;
    } catch (error) {
      throw fileError(error, storage, path);
    }
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#signal.throwIfAborted();
    try {
      if (this.#unlooked >= lookEvery) {
        this.#unlooked = 0;
        await this.#guard?.requireReserve(this.#temporary);
      }
      this.#unlooked += chunk.length;
      await writeAll(this.#opened(), chunk);
    } catch (error) {
      throw fileError(error, this.#storage, this.#path);
    }
  }

  end(): void {
    this.#synced = this.#file?.sync();
    // Its error is the commit's.
    this.#synced?.catch(() => undefined);
  }

  async commit(expected: ExpectedObject): Promise<void> {
    this.#signal.throwIfAborted();
    try {
      const file = this.#opened();
      await (this.#synced ?? file.sync());
      await this.#close();
      this.#renamed = true;
      await rename(this.#temporary, this.#path);
      await this.#syncFolders();
      const { size } = await stat(this.#path);
      if (size !== expected.bytes) {
        await rm(this.#path, { force: true });
        throw new AppError(
          "storage-mismatch",
          `storage ${this.#storage}: ${this.key} has ${size} bytes, written were ${expected.bytes}`,
          {
            context: { storage: this.#storage, key: this.key },
            text: { key: "error-storage-size", args: { storage: this.#storage, object: this.key } },
          },
        );
      }
    } catch (error) {
      throw fileError(error, this.#storage, this.#path);
    }
  }

  async abort(): Promise<void> {
    await this.#synced?.catch(() => undefined);
    await this.#close().catch(() => undefined);
    await rm(this.#temporary, { force: true });
    if (this.#renamed) await rm(this.#path, { force: true });
    this.#renamed = false;
  }

  async #createFile(): Promise<FileHandle> {
    const made = await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 }).catch((error: unknown) => {
      // All folders above are made: what is missing can only be what a link in the path leads to.
      throw isMissing(error)
        ? Object.assign(new Error("a link leads nowhere", { cause: error }), { code: "ENOTDIR" })
        : error;
    });
    if (made !== undefined && made.length < (this.#made?.length ?? Infinity)) this.#made = made;
    return open(this.#temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  }

  /** A folder's own name is kept by the one above it. */
  async #syncFolders(): Promise<void> {
    const last = dirname(this.#made ?? this.#path);
    for (let folder = dirname(this.#path); folder.length >= last.length; folder = dirname(folder)) {
      await syncFolder(folder);
      if (folder === last) return;
    }
  }

  #opened(): FileHandle {
    if (this.#file === undefined) throw new AppError("internal", `${this.key} is not open any more`);
    return this.#file;
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  let offset = 0;
  while (offset < chunk.length) offset += (await file.write(chunk, offset)).bytesWritten;
}

/** Makes a rename or a removal in the folder survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
