import type { Writable } from "node:stream";
import { AppError, toAppError } from "../../core/errors.ts";
import { release } from "../../lib/buffers.ts";
import type { Command } from "../../lib/child.ts";
import { type Conversation, converse, type Pipeline, startPipeline } from "../../lib/process.ts";
import type { PartFacts, SourceInfo, SourcePart, SourceSession } from "../types.ts";
import { zstdCommand } from "../zstd.ts";
import { type SnapshotCheck, startCheck } from "./check.ts";
import { redisError } from "./errors.ts";
import { bytesBehind, markBytes } from "./snapshot.ts";

export interface DumpPlan {
  readonly info: SourceInfo;
  /** redis-cli that writes the snapshot to its standard output. */
  readonly dump: Command;
  readonly check: Command;
  /** zstd's level. */
  readonly level: number;
}

/** The programs of one snapshot. */
interface Programs {
  readonly dump: Pipeline;
  readonly zstd: Conversation;
  readonly check: SnapshotCheck;
}

/**
 * A snapshot, read once and given to zstd and to redis-check-rdb at the same time: nothing is stored on the way, and a
 * snapshot that can not be read never becomes a backup.
 */
export class RedisSession implements SourceSession {
  readonly info: SourceInfo;
  readonly #plan: DumpPlan;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #programs: Programs | undefined;
  #received = 0;

  constructor(plan: DumpPlan, signal: AbortSignal) {
    this.info = plan.info;
    this.#plan = plan;
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
  }

  async *parts(): AsyncIterable<SourcePart> {
    const { dump, check, level } = this.#plan;
    const programs = this.#start(dump, check, level);
    const done = this.#transfer(programs);
    done.catch(() => undefined);
    yield {
      role: "artifact",
      file: "artifact.rdb.zst",
      stream: programs.zstd.stdout,
      rawBytes: () => this.#received,
      done,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new AppError("interrupted", "the dump was ended", { permanent: false }));
    if (this.#programs === undefined) return;
    const { dump, zstd, check } = this.#programs;
    dump.stdout.destroy();
    zstd.stdout.destroy();
    await Promise.allSettled([dump.done, zstd.done, check.keys]);
  }

  /** The consumers first: one that is missing is told before the server is asked for anything. */
  #start(dump: Command, check: Command, level: number): Programs {
    try {
      const checking = startCheck(check, this.#signal);
      const zstd = converse(zstdCommand(level), { signal: this.#signal });
      this.#programs = { check: checking, zstd, dump: startPipeline([dump], { signal: this.#signal }) };
      return this.#programs;
    } catch (error) {
      this.#stop.abort(error);
      throw error;
    }
  }

  async #transfer(programs: Programs): Promise<PartFacts> {
    const { dump, zstd, check } = programs;
    // The first that fails is the cause: the others are ended by it, and what they say then is not listened to.
    const fail = (error: unknown): void => this.#stop.abort(redisError(error));
    for (const end of [dump.done, zstd.done, check.keys]) end.catch(fail);
    try {
      await this.#pass(programs);
      const [, keys] = await Promise.all([zstd.done, check.keys]);
      return { rawBytes: this.#received, entries: keys };
    } catch (error) {
      fail(error);
      throw toAppError(this.#signal.reason);
    }
  }

  /** Hands the snapshot on, one chunk behind, since what stands at its very end may be no part of it. */
  async #pass({ dump, zstd, check }: Programs): Promise<void> {
    const outputs: Consumer[] = [
      { stdin: zstd.stdin, ended: zstd.done },
      { stdin: check.stdin, ended: check.keys },
    ];
    let last: Buffer = Buffer.alloc(0);
    for await (const chunk of dump.stdout as AsyncIterable<Buffer>) {
      this.#received += chunk.length;
      if (chunk.length < markBytes) {
        last = Buffer.concat([last, chunk]);
        continue;
      }
      await writeAll(outputs, last);
      last = chunk;
    }
    const [report = ""] = await dump.done;
    const behind = bytesBehind(report, this.#received);
    this.#received -= behind;
    await writeAll(outputs, last.subarray(0, last.length - behind));
    for (const { stdin } of outputs) stdin.end();
  }
}

/** A program that takes the snapshot. */
interface Consumer {
  readonly stdin: Writable;
  readonly ended: Promise<unknown>;
}

async function writeAll(consumers: readonly Consumer[], chunk: Buffer): Promise<void> {
  if (chunk.length === 0) return;
  await Promise.all(consumers.map((consumer) => write(consumer, chunk)));
  release(chunk);
}

/** Resolves when the bytes are in the pipe. A program that takes no more of them has ended, and its end says why. */
async function write({ stdin, ended }: Consumer, chunk: Buffer): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  stdin.write(chunk, (error) => (error ? reject(error) : resolve()));
  await promise.catch(async (error: unknown) => {
    await ended;
    throw error;
  });
}
