import { createWriteStream } from "node:fs";
import { appendFile, mkdir, readdir, rm, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError } from "../../core/errors.ts";
import type { Text } from "../../core/text.ts";
import type { Difference } from "../types.ts";
import type { Content } from "./contents.ts";
import type { Sink } from "./restore.ts";

/** Where objects lie whose keys can be no paths, with a list of what they are called. */
const asideFolder = ".vakhta";
/** What a disk says of a path that it can not have, or that is taken by something else. */
const unfit = new Set(["ENOTDIR", "EISDIR", "EEXIST", "ENAMETOOLONG", "EINVAL", "EILSEQ", "ENOTEMPTY"]);

/**
 * Writes objects as files below an empty folder. A key that can be no path in it (`..`, `//`, a name that is a file and
 * a folder at once, too long) lies aside under a number, and `.vakhta/keys.jsonl` names it.
 */
export class FolderSink implements Sink {
  readonly #path: string;
  #aside = 0;

  constructor(path: string) {
    this.#path = path;
  }

  get remarks(): readonly Text[] {
    const aside: Text[] =
      this.#aside === 0 ? [] : [{ key: "remark-s3-aside", args: { count: this.#aside, folder: asideFolder } }];
    return [{ key: "remark-s3-attributes" }, ...aside];
  }

  async prepare(): Promise<void> {
    await mkdir(this.#path, { recursive: true }).catch(notWritten);
    if ((await readdir(this.#path)).length === 0) return;
    throw new AppError("conflict", `${this.#path} is not empty`, {
      context: { step: "preflight" },
      text: { key: "error-restore-folder", args: { path: this.#path } },
    });
  }

  async write(name: string, content: Content): Promise<void> {
    try {
      const path = await this.#placeOf(name, content.object.size);
      if (path !== undefined) await writeFile(path, content);
    } catch (error) {
      notWritten(error);
    }
  }

  async finish(): Promise<void> {
    // Every file is complete when its `write` resolves.
  }

  async *compare(): AsyncIterable<Difference> {
    // Every content was compared on its way to the disk, which has taken all of it.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is open.
  }

  /** A path that is free, its folder made; undefined for what is a folder and nothing else. */
  async #placeOf(name: string, size: number): Promise<string | undefined> {
    const isFolder = size === 0 && (name === "" || name.endsWith("/"));
    const segments = (isFolder ? name.replace(/\/$/, "") : name).split("/");
    const isPlain = !segments.some((segment) => ["", ".", ".."].includes(segment) || segment.includes("\0"));
    if (name === "" && isFolder) return undefined;
    if (isPlain && segments[0] !== asideFolder) {
      const path = join(this.#path, ...segments);
      try {
        await mkdir(isFolder ? path : dirname(path), { recursive: true });
        if (isFolder) return undefined;
        await pipeline(Readable.from([]), createWriteStream(path, { flags: "wx", mode: 0o600 }));
        return path;
      } catch (error) {
        if (!unfit.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
      }
    }
    this.#aside += 1;
    const folder = join(this.#path, asideFolder);
    await mkdir(folder, { recursive: true });
    await appendFile(join(folder, "keys.jsonl"), `${JSON.stringify({ file: String(this.#aside), key: name })}\n`);
    return join(folder, String(this.#aside));
  }
}

/** Writes into a file of its own; one that can not be completed is removed. */
async function writeFile(path: string, { object, body }: Content): Promise<void> {
  try {
    await pipeline(body, createWriteStream(path, { flags: "w", mode: 0o600 }));
    await utimes(path, new Date(), new Date(object.modified));
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

function notWritten(cause: unknown): never {
  const { code, message, path = "" } = cause as NodeJS.ErrnoException;
  if (cause instanceof AppError || code === undefined || !/^E[A-Z]+$/.test(code)) throw cause;
  throw new AppError("source-failed", `the restore can not be written: ${message}`, {
    permanent: false,
    context: { step: "restore", path },
    text: { key: "error-s3-restore-disk", args: { path, code } },
    cause,
  });
}
