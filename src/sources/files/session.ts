import { existsSync, lstatSync } from "node:fs";
import { Readable } from "node:stream";
import { AppError } from "../../core/errors.ts";
import type { ManifestNote } from "../../core/manifest.ts";
import type { Logger } from "../../lib/logger.ts";
import { bytesTaken, type Pipeline, startPipeline } from "../../lib/process.ts";
import type { PartFacts, SessionSummary, SourceInfo, SourcePart, SourceSession } from "../types.ts";
import { bytesRead, zstdCommand } from "../zstd.ts";
import type { Inspection } from "./inspect.ts";
import { TarListener } from "./listener.ts";
import { rootList } from "./look.ts";
import type { TreeConfig } from "./schema.ts";
import { createCommand } from "./tar.ts";

/** tar through zstd; what tar says of single files becomes the notes of the backup. */
export class TreeSession implements SourceSession {
  readonly info: SourceInfo;
  readonly #config: TreeConfig;
  readonly #inspection: Inspection;
  readonly #logger: Logger;
  readonly #listener: TarListener;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #pipeline: Pipeline | undefined;

  constructor(config: TreeConfig, inspection: Inspection, logger: Logger, signal: AbortSignal) {
    this.info = inspection.info;
    this.#logger = logger;
    this.#config = config;
    this.#inspection = inspection;
    this.#listener = new TarListener(inspection.roots.closed);
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
  }

  async *parts(): AsyncIterable<SourcePart> {
    const { roots, attributes } = this.#inspection;
    const tar = {
      ...createCommand(this.#config, attributes),
      onLine: (line: string) => this.#listener.take(line),
      accepts: (status: number) => this.#listener.accepts(status, this.#config.unreadable),
    };
    const programs = startPipeline([tar, zstdCommand(this.#config.level)], {
      input: Readable.from([rootList(roots.paths)]),
      signal: this.#signal,
    });
    this.#pipeline = programs;
    const pid = programs.pids[1];
    const done = this.#finish(programs);
    done.catch(() => undefined);
    yield {
      role: "artifact",
      file: "artifact.tar.zst",
      stream: programs.stdout,
      rawBytes: () => (pid === undefined ? undefined : bytesTaken(pid)),
      done,
    };
  }

  summary(): SessionSummary {
    const { notesTotal } = this.#listener;
    return { references: [], notes: this.#listener.notes.map((note) => this.#judged(note)), notesTotal };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new AppError("interrupted", "tar was ended", { permanent: false }));
    this.#pipeline?.stdout.destroy();
    await this.#pipeline?.done.catch(() => undefined);
  }

  async #finish(programs: Pipeline): Promise<PartFacts> {
    const said = await programs.done.catch((error: unknown) => {
      throw this.#isUnreadable(error) ? this.#unreadable(error) : this.#isEndless(error) ? endless(error) : error;
    });
    // A good end with remarks, of attributes that could not be read.
    if (said[0]) this.#logger.warn({ tar: said[0] }, "tar has ended well, with remarks");
    const { entries } = this.#listener;
    if (entries === 0) {
      throw new AppError("source-failed", "tar has found nothing to store", {
        context: { step: "tar", exit: "exit status 0", stderr: said[0] },
        text: { key: "error-source-empty" },
      });
    }
    const rawBytes = bytesRead(said[1] ?? "");
    return { entries, ...(rawBytes === undefined ? {} : { rawBytes }) };
  }

  /** A link that leads nowhere is for a tar that follows links a file that has vanished; so it would be in every run. */
  #judged(note: ManifestNote): ManifestNote {
    const { followSymlinks, via } = this.#config;
    if (note.kind !== "vanished" || !followSymlinks || via !== undefined) return note;
    return leadsNowhere(note.name) ? { kind: "left-out", name: note.name } : note;
  }

  /** Whether tar has failed for nothing else than what it may not read. */
  #isUnreadable(error: unknown): error is AppError {
    if (this.#config.unreadable === "note" || !(error instanceof AppError)) return false;
    return error.context.exit === "exit status 2" && this.#listener.accepts(2, "note");
  }

  /** Following links round and round, tar goes on until its stack is full. */
  #isEndless(error: unknown): error is AppError {
    return this.#config.followSymlinks && error instanceof AppError && error.context.exit === "killed by SIGSEGV";
  }

  #unreadable(error: AppError): AppError {
    const { unreadable, firstUnreadable = "" } = this.#listener;
    return new AppError("source-refused", `${unreadable} files or folders cannot be read, first ${firstUnreadable}`, {
      context: error.context,
      text: { key: "error-files-unreadable", args: { total: unreadable, path: firstUnreadable } },
      cause: error,
    });
  }
}

function leadsNowhere(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink() && !existsSync(path);
  } catch {
    return false;
  }
}

function endless(error: AppError): AppError {
  return new AppError(
    "source-failed",
    "a symbolic link leads back into a folder above it: tar has followed it endlessly",
    {
      context: error.context,
      text: { key: "error-files-endless" },
      cause: error,
    },
  );
}
