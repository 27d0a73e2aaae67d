import { pipeline, type Readable, Transform } from "node:stream";
import { finished } from "node:stream/promises";
import { AppError } from "../../core/errors.ts";
import type { Command } from "../../lib/child.ts";
import { bytesTaken, type Pipeline, startPipeline } from "../../lib/process.ts";
import type { PartFacts, SourceInfo, SourcePart, SourceSession } from "../types.ts";
import { bytesRead, zstdCommand } from "../zstd.ts";
import type { CommandConfig } from "./schema.ts";

export interface CommandPlan {
  readonly config: CommandConfig;
  readonly info: SourceInfo;
  readonly command: Command;
}

/**
 * No more than this zstd makes of nothing: magic number, descriptor, window, one empty block, checksum. One byte of
 * content makes it longer.
 */
const emptyFrameBytes = 13;

/** The output of one program, through zstd unless told otherwise. */
export class CommandSession implements SourceSession {
  readonly info: SourceInfo;
  readonly #plan: CommandPlan;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #pipeline: Pipeline | undefined;
  #bytes = 0;

  constructor(plan: CommandPlan, signal: AbortSignal) {
    this.info = plan.info;
    this.#plan = plan;
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
  }

  async *parts(): AsyncIterable<SourcePart> {
    const { config, command } = this.#plan;
    const isPacked = config.compress === "zstd";
    const programs = startPipeline(isPacked ? [command, zstdCommand(config.level)] : [command], {
      signal: this.#signal,
    });
    this.#pipeline = programs;
    const stream = this.#counted(programs.stdout);
    const pid = programs.pids[1];
    const done = this.#finish(programs, finished(stream, { writable: false }), isPacked);
    done.catch(() => undefined);
    yield {
      role: "artifact",
      file: isPacked ? `${config.file}.zst` : config.file,
      stream,
      rawBytes: () => (isPacked ? (pid === undefined ? undefined : bytesTaken(pid)) : this.#bytes),
      done,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new AppError("interrupted", "the program was ended", { permanent: false }));
    this.#pipeline?.stdout.destroy();
    await this.#pipeline?.done.catch(() => undefined);
  }

  #counted(stdout: Readable): Readable {
    const counter = new Transform({
      transform: (chunk: Uint8Array, _encoding, callback) => {
        this.#bytes += chunk.length;
        callback(null, chunk);
      },
    });
    counter.on("error", () => undefined);
    pipeline(stdout, counter, () => undefined);
    return counter;
  }

  async #finish(programs: Pipeline, ended: Promise<void>, isPacked: boolean): Promise<PartFacts> {
    ended.catch(() => undefined);
    const said = await programs.done;
    await ended;
    const raw = isPacked ? bytesRead(said[1] ?? "") : this.#bytes;
    const isEmpty = raw === 0 || (isPacked && this.#bytes <= emptyFrameBytes);
    if (isEmpty && !this.#plan.config.allowEmpty) {
      const step = this.#plan.command.step ?? "";
      throw new AppError("source-failed", `${step} has put out nothing`, {
        context: { step, exit: "exit status 0", stderr: said[0] },
        text: { key: "error-command-empty", args: { step } },
      });
    }
    return raw === undefined ? {} : { rawBytes: raw };
  }
}
