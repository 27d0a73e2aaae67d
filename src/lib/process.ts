import { readFileSync } from "node:fs";
import { finished, PassThrough, pipeline, Readable, type Writable } from "node:stream";
import { AppError, toAppError } from "../core/errors.ts";
import { type Child, type Command, signalGroup, startChild, stepOf, supervise } from "./child.ts";
import { type OsPipe, openPipe } from "./os-pipe.ts";

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly signal?: AbortSignal;
  /** Milliseconds until the program is ended and the call fails; default 60,000. */
  readonly timeoutMs?: number;
  /** Bytes of standard output above which the call fails; default 16 MiB. */
  readonly maxOutput?: number;
  /** Standard output goes nowhere, so that what the program leaves running may keep it and write to it. */
  readonly discard?: boolean;
}

export interface RunResult {
  readonly stdout: string;
  /** The last lines, redacted. */
  readonly stderr: string;
}

/** Programs connected by pipes, running. */
export interface Pipeline {
  /**
   * Output of the last program. It ends normally even when a program failed: only `done` decides. When the programs have
   * ended and what they left running holds it open, an abort destroys it with the signal's reason.
   */
  readonly stdout: Readable;
  /** Process ids in the order of the commands; undefined where a program could not be started. */
  readonly pids: readonly (number | undefined)[];
  /**
   * Resolves when the first program has taken the whole input (at once where there is none); rejects when the input
   * failed, or when the program ended before. With `whole`, also with `Unread` when one behind it has ended and left some
   * of what it was given. Nobody has to await it: programs may do with less than they are given.
   */
  readonly fed: Promise<void>;
  /**
   * Resolves when every program exited with 0 (or a status that its command accepts), with the last lines of their standard errors in the order of the commands.
   * Rejects with `tool-failed` and the first cause (`context`: `step`, `exit`, `stderr`), or with the signal's reason.
   * `stdout` must be read to its end or destroyed, else the programs wait for it.
   */
  readonly done: Promise<readonly string[]>;
}

/** A program has ended without having read everything. */
export class Unread extends Error {
  readonly step: string;

  constructor(step: string) {
    super(`${step} has ended before it had read everything`);
    this.step = step;
  }
}

/** A program that is talked to over its standard input and output. */
export interface Conversation {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly pid: number | undefined;
  /** As `Pipeline.done`. */
  readonly done: Promise<readonly string[]>;
}

/**
 * Runs one program to its end and that of its output: what it leaves running with its standard output open counts as
 * the program, unless that is discarded. Fails with `tool-missing`, `tool-failed` or the signal's reason.
 */
export async function run(command: Command, options: RunOptions = {}): Promise<RunResult> {
  const { timeoutMs = 60_000, maxOutput = 16 * 1024 * 1024 } = options;
  const step = stepOf(command);
  const limit = new AbortController();
  const timer = setTimeout(
    () =>
      limit.abort(
        new AppError("tool-failed", `${step} did not finish within ${timeoutMs / 1000} s`, {
          permanent: false,
          context: { step },
          text: { key: "error-tool-slow", args: { step, seconds: timeoutMs / 1000 } },
        }),
      ),
    timeoutMs,
  );
  const signal = options.signal === undefined ? limit.signal : AbortSignal.any([options.signal, limit.signal]);
  let conversation: Conversation | undefined;
  try {
    conversation = converse(command, { signal, discard: options.discard });
    conversation.stdin.end(options.input);
    const [chunks, [stderr = ""]] = await Promise.all([collect(conversation.stdout), conversation.done]);
    return { stdout: Buffer.concat(chunks).toString("utf8"), stderr };

    async function collect(stdout: Readable): Promise<Buffer[]> {
      const collected: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of stdout as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > maxOutput)
          limit.abort(
            new AppError("tool-failed", `${step} printed more than ${maxOutput} bytes`, {
              context: { step },
              text: { key: "error-tool-output", args: { step, bytes: maxOutput } },
            }),
          );
        else collected.push(chunk);
      }
      return collected;
    }
  } finally {
    clearTimeout(timer);
    conversation?.stdout.destroy();
  }
}

/** Starts a program whose standard input and output are used while it runs. */
export function converse(
  command: Command,
  options: { readonly signal?: AbortSignal; readonly discard?: boolean | undefined } = {},
): Conversation {
  const child = startChild(command, ["pipe", options.discard === true ? "ignore" : "pipe", "pipe"]);
  const { stdin, stdout } = child.process;
  if (stdin === null) throw new AppError("internal", "a child without standard input");
  // A program that ended does not read what is written to it: its exit status tells why, not EPIPE.
  stdin.on("error", () => undefined);
  const done = handled(supervise([child], options.signal));
  return { stdin, stdout: kept(stdout ?? Readable.from([]), done, options.signal), pid: child.process.pid, done };
}

/**
 * Starts programs connected by pipes of the operating system: the bytes between them do not pass this process. Where one
 * can not be started, the input is destroyed. Every exit status counts. An abort sends SIGTERM to the programs' process
 * groups, and SIGKILL after 5 s. `whole`: what is small fits into a pipe, and a program that reads nothing would pass for
 * one that has read it; so each but the first one is watched.
 */
export function startPipeline(
  commands: readonly Command[],
  options: { readonly input?: Readable; readonly signal?: AbortSignal; readonly whole?: boolean } = {},
): Pipeline {
  const { children, read } = connected(commands, options);
  const first = children[0]?.process.stdin;
  const last = children.at(-1)?.process.stdout;
  if (!last) throw new AppError("internal", "a pipeline without commands");
  const done = handled(supervise(children, options.signal));
  const stdout = kept(last, done, options.signal);
  const fed = Promise.withResolvers<void>();
  if (options.input !== undefined && first) feedTo(first, options.input, fed);
  else fed.resolve();
  return {
    stdout,
    fed: handled(Promise.all([fed.promise, ...read]).then(() => undefined)),
    pids: children.map((child) => child.process.pid),
    done,
  };
}

interface Connected {
  readonly children: readonly Child[];
  /** Of each that is watched, when it has ended. */
  readonly read: readonly Promise<void>[];
}

/** Starts programs, each with the next one's input as its output, all or none; the first one has one where there is an input. */
function connected(
  commands: readonly Command[],
  { input, whole = false }: { readonly input?: Readable; readonly whole?: boolean },
): Connected {
  const children: Child[] = [];
  const pipes: OsPipe[] = [];
  const read: Promise<void>[] = [];
  const first = input ? "pipe" : "ignore";
  try {
    for (const [index, command] of commands.entries()) {
      const before = pipes.at(-1);
      const after = index < commands.length - 1 ? openPipe({ watched: whole }) : undefined;
      if (after) pipes.push(after);
      const child = startChild(command, [before?.read ?? first, after?.write ?? "pipe", "pipe"]);
      children.push(child);
      if (whole && before) read.push(handled(readWhole(child, before)));
      // Without this process's copies of the pipe's ends, a reader's death reaches the writer (SIGPIPE) and the reverse (EOF).
      before?.close("read");
      after?.close("write");
    }
  } catch (error) {
    letGo(pipes);
    for (const child of children) signalGroup(child.process, "SIGKILL");
    // Nobody else would end what it comes from.
    input?.on("error", () => undefined).destroy();
    throw error;
  }
  return { children, read };
}

function letGo(pipes: readonly OsPipe[]): void {
  for (const pipe of pipes) {
    for (const end of ["read", "write"] as const) pipe.close(end);
    pipe.isLeft();
  }
}

/** Resolves when a program has ended and read all that was in its pipe. */
async function readWhole({ process: child, step }: Child, pipe: OsPipe): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const event of ["exit", "error"]) child.once(event, () => resolve(undefined));
  await promise;
  if (pipe.isLeft()) throw new Unread(step);
}

/**
 * Gives an input to a program. Unlike `pipeline` it does not hand the program's end on to the input as an error: what
 * was given would seem to be at fault where the program's exit status tells why.
 */
function feedTo(program: Writable, input: Readable, fed: PromiseWithResolvers<void>): void {
  program.once("finish", fed.resolve);
  program.once("error", fed.reject);
  program.once("close", () => {
    // Of no effect once it has finished.
    fed.reject(new AppError("tool-failed", "the program has ended before it had read everything"));
    input.destroy();
  });
  // Also told of an input that has failed before: it would be waited for without an end.
  finished(input, { writable: false }, (error) => {
    if (!error) return;
    fed.reject(error);
    program.destroy();
  });
  input.pipe(program);
}

/** Bytes that a running process has written so far, or undefined where that cannot be told. Linux only. */
export function bytesWritten(pid: number): number | undefined {
  return transferred(pid, "wchar");
}

/**
 * Bytes that a running process has read so far, its own program's included: what a writer in front of it has put out,
 * also where that is done by children of children.
 */
export function bytesTaken(pid: number): number | undefined {
  return transferred(pid, "rchar");
}

function transferred(pid: number, counter: "rchar" | "wchar"): number | undefined {
  try {
    const match = new RegExp(`^${counter}: (\\d+)$`, "m").exec(readFileSync(`/proc/${pid}/io`, "utf8"));
    return match === null ? undefined : Number(match[1]);
  } catch {
    return undefined;
  }
}

/**
 * The same bytes, kept until they are read. A child's own stream is not enough: when the child exits, Node lets what
 * nobody has begun to read flow away, and a short output would be lost without any error. After the programs' end
 * (`done`) nothing but an abort cuts it off: no pause is long enough to tell a busy machine from an output that
 * something else holds open.
 */
function kept(stdout: Readable, done: Promise<unknown>, signal: AbortSignal | undefined): Readable {
  const output = new PassThrough({ highWaterMark: 256 * 1024 });
  output.on("error", () => undefined);
  pipeline(stdout, output, () => undefined);
  if (signal === undefined) return output;
  const cut = (): void => void output.destroy(toAppError(signal.reason, "cancelled"));
  const watch = (): void => {
    if (output.destroyed || stdout.readableEnded) return;
    if (signal.aborted) cut();
    else signal.addEventListener("abort", cut, { once: true });
  };
  done.then(watch, watch);
  output.once("close", () => signal.removeEventListener("abort", cut));
  return output;
}

/** Marks a promise as looked after: whoever awaits it gets its error, and nobody awaiting it is no crash. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
