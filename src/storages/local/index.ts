import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, readdir, readFile, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import type { Readable } from "node:stream";
import { AppError } from "../../core/errors.ts";
import type { OpenObject } from "../../core/ports.ts";
import { readableFrom } from "../../lib/readable-from.ts";
import { notFound } from "../errors.ts";
import type { CreateOptions, ObjectWriter, Storage, StorageDeps, StorageKind, StoredObject } from "../types.ts";
import { fileError, isMissing } from "./errors.ts";
import { type LocalConfig, localSchema } from "./schema.ts";
import { SpaceGuard } from "./space.ts";
import { FileWriter, finalName, isTemporary } from "./writer.ts";

/** Bytes that are read at a time. */
const chunkBytes = 256 * 1024;

/** Backups in a folder of the worker's own disk. */
class LocalStorage implements Storage {
  readonly kind = "local";
  readonly local = true;
  readonly name: string;
  readonly location: string;
  readonly #root: string;
  readonly #guard: SpaceGuard;

  /** @throws AppError `config` when the settings mean another host: its folder would be made up here. */
  constructor(name: string, config: LocalConfig, deps: StorageDeps) {
    if (config.host !== undefined && config.host !== deps.host) {
      const args = { storage: name, host: config.host, here: deps.host };
      throw new AppError("config", `storage ${name} is on the disk of ${args.host}, this worker is ${args.here}`, {
        context: args,
        text: { key: "error-storage-host", args },
      });
    }
    this.name = name;
    this.#guard = new SpaceGuard(name, config.minFree);
    this.#root = config.path.replace(/(?<=.)\/+$/, "");
    this.location = `${name}@${config.host ?? deps.host}:${this.#root}`;
  }

  create(key: string, options: CreateOptions): Promise<ObjectWriter> {
    return FileWriter.create(this.name, key, this.#path(key), options, this.#guard);
  }

  async put(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const writer = await FileWriter.create(this.name, key, this.#path(key), { signal });
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    try {
      await writer.write(bytes);
      await writer.commit({ bytes: bytes.length, sha256 });
    } catch (error) {
      await writer.abort();
      throw error;
    }
    const stored = await readFile(this.#path(key)).catch((error: unknown) => {
      throw fileError(error, this.name, this.#path(key));
    });
    if (createHash("sha256").update(stored).digest("hex") !== sha256) {
      throw new AppError("storage-mismatch", `storage ${this.name}: ${key} reads back different`, {
        context: { storage: this.name, key },
        text: { key: "error-storage-reads-different", args: { storage: this.name, object: key } },
      });
    }
  }

  async head(key: string): Promise<StoredObject | undefined> {
    const path = this.#path(key);
    try {
      const info = await stat(path);
      return info.isFile() ? { key, bytes: info.size } : undefined;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw fileError(error, this.name, path);
    }
  }

  async read(key: string, signal?: AbortSignal): Promise<Readable> {
    const path = this.#path(key);
    let file: FileHandle;
    try {
      file = await open(path);
    } catch (error) {
      if (!isMissing(error)) throw fileError(error, this.name, path);
      throw notFound(this.name, key, error);
    }
    const options = { fd: file, highWaterMark: chunkBytes, ...(signal === undefined ? {} : { signal }) };
    const content = createReadStream("", options);
    // An abort may come before anybody reads it.
    content.on("error", () => undefined);
    return readableFrom(content, {
      release: () => content.destroy(),
      meaning: (error) => (signal?.aborted === true ? signal.reason : fileError(error, this.name, path)),
    });
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncIterable<StoredObject> {
    for await (const { path, key } of this.#walk(prefix, signal)) {
      if (isTemporary(key.slice(key.lastIndexOf("/") + 1))) continue;
      // Removed meanwhile is not there; anything else would pass a part of the list for all of it.
      const info = await stat(path).catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw fileError(error, this.name, path);
      });
      if (info?.isFile()) yield { key, bytes: info.size, modified: Math.round(info.mtimeMs) };
    }
  }

  async delete(keys: readonly string[], signal?: AbortSignal): Promise<void> {
    for (const key of keys) {
      signal?.throwIfAborted();
      const path = this.#path(key);
      try {
        await rm(path, { force: true });
        await this.#removeEmptyFolders(dirname(path));
      } catch (error) {
        throw fileError(error, this.name, path);
      }
    }
  }

  async cleanUp(prefix: string, _recorded: readonly OpenObject[], signal?: AbortSignal): Promise<number> {
    // Recorded handles need no look: a temporary file lies beside its object, below the prefix.
    let removed = 0;
    for await (const { path, key } of this.#walk(prefix, signal)) {
      if (!isTemporary(key.slice(key.lastIndexOf("/") + 1))) continue;
      await rm(path, { force: true });
      removed += 1;
      await this.#removeEmptyFolders(dirname(path));
    }
    return removed;
  }

  async removeStale(
    prefix: string,
    before: Date,
    isOurs: (key: string) => boolean,
    signal?: AbortSignal,
  ): Promise<number> {
    let removed = 0;
    for await (const { path, key } of this.#walk(prefix.slice(0, prefix.lastIndexOf("/") + 1), signal)) {
      const slash = key.lastIndexOf("/") + 1;
      const name = finalName(key.slice(slash));
      if (name === undefined) continue;
      const final = `${key.slice(0, slash)}${name}`;
      if (!final.startsWith(prefix) || !isOurs(final)) continue;
      // Removed meanwhile is not there; anything else would pass a part of the list for all of it.
      const info = await stat(path).catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw fileError(error, this.name, path);
      });
      if (info === undefined || info.mtime >= before) continue;
      await rm(path, { force: true });
      removed += 1;
      await this.#removeEmptyFolders(dirname(path));
    }
    return removed;
  }

  async probe(signal: AbortSignal = new AbortController().signal): Promise<void> {
    const key = `.probe-${randomBytes(6).toString("hex")}`;
    await this.put(key, randomBytes(1024), signal);
    await this.delete([key]);
  }

  async close(): Promise<void> {}

  /** The file of a key. A key can not lead out of the folder. */
  #path(key: string): string {
    const segments = key.split("/");
    if (segments.some((segment) => segment === "" || segment === "." || segment === ".." || segment.includes("\0"))) {
      throw new AppError("storage-refused", `storage ${this.name}: ${JSON.stringify(key)} is not a valid key`, {
        context: { storage: this.name },
        text: { key: "error-storage-key", args: { storage: this.name, object: key } },
      });
    }
    return join(this.#root, ...segments);
  }

  /** Files whose key begins with the prefix, in key order; one folder's names are in memory at a time per level. */
  async *#walk(prefix: string, signal?: AbortSignal): AsyncGenerator<{ path: string; key: string }> {
    const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
    const start = folder === "" ? this.#root : this.#path(folder.slice(0, -1));
    for await (const path of this.#files(start, signal)) {
      const key = relative(this.#root, path).replaceAll(sep, "/");
      if (key.startsWith(prefix)) yield { path, key };
    }
  }

  async *#files(folder: string, signal?: AbortSignal): AsyncGenerator<string> {
    signal?.throwIfAborted();
    const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw fileError(error, this.name, folder);
    });
    // Keys are compared with their slashes: "a.b" comes before "a/b", as S3 has it.
    const sorted = entries
      .map((entry) => ({ entry, order: Buffer.from(entry.isDirectory() ? `${entry.name}/` : entry.name) }))
      .sort((a, b) => Buffer.compare(a.order, b.order));
    for (const { entry } of sorted) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) yield* this.#files(path, signal);
      else if (entry.isFile()) yield path;
    }
  }

  async #removeEmptyFolders(from: string): Promise<void> {
    for (let folder = from; folder.length > this.#root.length; folder = dirname(folder)) {
      try {
        await rmdir(folder);
      } catch {
        return; // Not empty, or gone with another deletion.
      }
    }
  }
}

export const localStorage: StorageKind<typeof localSchema> = {
  kind: "local",
  schema: localSchema,
  describe: ({ host, path }) => `${host === undefined ? "" : `${host}:`}${path}`,
  create: (name, config, deps) => new LocalStorage(name, config, deps),
};
