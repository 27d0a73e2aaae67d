import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { finished, PassThrough, pipeline, Readable, type Writable } from "node:stream";
import { AppError, toAppError } from "../core/errors.ts";
import type { Text } from "../core/text.ts";
import { baseEnvironment, deathSignalPrefix, findTool } from "./environment.ts";
import { eachLine } from "./lines.ts";
import { type OsPipe, openPipe, readPaced } from "./os-pipe.ts";
import { redact } from "./redaction.ts";

/** A program to run: an argv array, never a shell line. Secrets go into `env`, since argv is visible to every user. */
export interface Command {
  readonly argv: readonly string[];
  /** Name in errors, "pg_dump"; default the program's file name. */
  readonly step?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Folder to start it in; default this process's own. */
  readonly cwd?: string;
  /** The program is a client of a container engine or cluster and needs DOCKER_*, CONTAINER_HOST and KUBECONFIG. */
  readonly via?: boolean;
  /** What to do when the program is missing, "apt-get install zstd". */
  readonly install?: string;
  /**
   * Is given every line of the program's standard error, cut at 64 KiB, before it counts as ended; nothing that what it has
   * left running says later. False: the line is nothing to be shown when the program fails. Default: the last lines are
   * kept and shown.
   */
  readonly onLine?: (line: string) => boolean;
  /** Whether this exit status other than 0 is no failure; asked after the last line. Default: none is. */
  readonly accepts?: (status: number) => boolean;
}

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

const killAfterMs = 5000;
const stderrLines = 20;
const stderrBytes = 64 * 1024;

interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly error?: Error;
}

interface Child {
  readonly step: string;
  readonly process: ChildProcess;
  readonly exited: Promise<Exit>;
  stderr(): string;
  accepts(status: number): boolean;
}

/** Children that live: ended when this process exits by itself. */
const alive = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of alive) signalGroup(child, "SIGTERM");
});

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
  const child = start(command, ["pipe", options.discard === true ? "ignore" : "pipe", "pipe"]);
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
      const child = start(command, [before?.read ?? first, after?.write ?? "pipe", "pipe"]);
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

function stepOf(command: Command): string {
  return command.step ?? basename(command.argv[0] ?? "");
}

type Stdio = "pipe" | "ignore" | number;

function start(command: Command, stdio: readonly [Stdio, Stdio, Stdio]): Child {
  const step = stepOf(command);
  const [name = "", ...rest] = command.argv;
  const program = findTool(name);
  if (program === undefined) {
    const remedy = command.install === undefined ? "install it or add its folder to PATH" : command.install;
    throw new AppError("tool-missing", `${name} is not installed on this machine: ${remedy}`, {
      context: { step, tool: name },
      text:
        command.install === undefined
          ? { key: "error-tool-missing-path", args: { tool: name } }
          : { key: "error-tool-missing", args: { tool: name, remedy: command.install } },
    });
  }
  const [file = program, ...args] = [...deathSignalPrefix(), program, ...rest];
  const { onLine } = command;
  const listened = onLine && openPipe({ own: true });
  let child: ChildProcess;
  try {
    child = spawn(file, args, {
      stdio: [stdio[0], stdio[1], listened?.write ?? stdio[2]],
      env: { ...baseEnvironment(command.via), ...command.env },
      cwd: command.cwd,
      // A process group of its own, so that a signal reaches the children of the child too.
      detached: true,
    });
    // Without a descriptor that is left there is not even that.
    if ((child.stdio as unknown) === undefined) throw notStarted(child, step);
  } catch (error) {
    listened?.close("read");
    throw error;
  } finally {
    // Without this process's copy of it, the pipe ends with the program.
    listened?.close("write");
  }
  alive.add(child);
  let tail = "";
  const keep = (text: string): void => {
    tail = (tail + text).slice(-stderrBytes);
  };
  child.stderr?.setEncoding("utf8");
  child.stderr?.on("data", keep);
  let hasEnded = false;
  // What the program itself has said is in the pipe when it has ended, whoever holds that open.
  const lines = listened && readPaced(listened, () => hasEnded);
  let unheard: Error | undefined;
  lines?.once("error", (error) => {
    unheard = error;
  });
  if (onLine && lines) eachLine(lines, stderrBytes, (line) => onLine(line) && keep(`${line}\n`));
  const stderrEnd = new Promise<void>((resolve) => {
    const said = lines ?? child.stderr;
    if (said) said.once("close", resolve);
    else resolve();
  });
  const exited = new Promise<Exit>((resolve) => {
    child.once("error", (error) => {
      if (child.pid === undefined) resolve({ code: null, signal: null, error });
    });
    child.once("exit", (code, signal) => {
      hasEnded = true;
      alive.delete(child);
      resolve({ code, signal });
    });
  });
  const settled = exited.then(async (exit) => {
    if (lines) {
      // Whoever listens is told everything.
      await stderrEnd;
      return unheard === undefined ? exit : { code: null, signal: null, error: unheard };
    }
    // Grandchildren may hold standard error open: the status is known, so wait for its last lines only briefly.
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, 1000);
    await Promise.race([stderrEnd, promise]);
    clearTimeout(timer);
    child.stderr?.destroy();
    return exit;
  });
  return {
    step,
    process: child,
    exited: settled,
    stderr: () => redact(lastLines(tail)),
    accepts: command.accepts ?? (() => false),
  };
}

function notStarted(child: ChildProcess, step: string): AppError {
  // Its event comes all the same.
  child.once("error", () => undefined);
  const reason = "too many open files";
  return new AppError("tool-failed", `${step} could not be started: ${reason}`, {
    permanent: false,
    context: { step },
    text: { key: "error-tool-start", args: { step, reason } },
  });
}

function lastLines(text: string): string {
  return text
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== "")
    .slice(-stderrLines)
    .join("\n");
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It is gone.
  }
}

async function supervise(children: readonly Child[], signal: AbortSignal | undefined): Promise<readonly string[]> {
  let killTimer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    for (const child of children) signalGroup(child.process, "SIGTERM");
    killTimer = setTimeout(() => {
      for (const child of children) signalGroup(child.process, "SIGKILL");
    }, killAfterMs);
  };
  if (signal?.aborted) stop();
  else signal?.addEventListener("abort", stop, { once: true });
  const failures: { index: number; child: Child; exit: Exit }[] = [];
  try {
    await Promise.all(
      children.map(async (child, index) => {
        const exit = await child.exited;
        if (exit.code !== 0 && !(exit.code !== null && child.accepts(exit.code))) failures.push({ index, child, exit });
      }),
    );
  } finally {
    clearTimeout(killTimer);
    signal?.removeEventListener("abort", stop);
    // What a child started may have outlived it.
    if (signal?.aborted) for (const child of children) signalGroup(child.process, "SIGKILL");
  }
  if (signal?.aborted) throw toAppError(signal.reason, "cancelled");
  // In the pipeline's order, whichever end was seen first: a reader's complaint of what was cut off is no cause.
  failures.sort((a, b) => a.index - b.index);
  const cause = failures.find(({ index, child, exit }) => !isConsequence(index, child, exit)) ?? failures.at(-1);
  if (cause !== undefined) throw toolFailed(cause.child, cause.exit);
  return children.map((child) => child.stderr());

  /** A program whose reader died fails too, and often first: the reader is the cause. */
  function isConsequence(index: number, child: Child, exit: Exit): boolean {
    const readerFailed = failures.some((failure) => failure.index > index);
    // 141: a shell whose program died of SIGPIPE.
    const isPipe = exit.signal === "SIGPIPE" || exit.code === 141;
    return readerFailed && (isPipe || /broken pipe|connection reset by peer/i.test(child.stderr()));
  }
}

function toolFailed(child: Child, exit: Exit): AppError {
  const how = exit.error?.message ?? (exit.signal === null ? `exit status ${exit.code}` : `killed by ${exit.signal}`);
  const stderr = child.stderr();
  const last = stderr.split("\n").at(-1) ?? "";
  return new AppError("tool-failed", `${child.step} failed (${how})${last === "" ? "" : `: ${last}`}`, {
    permanent: false,
    context: { step: child.step, exit: how, stderr },
    text: failureText(child.step, exit),
    ...(exit.error === undefined ? {} : { cause: exit.error }),
  });
}

function failureText(step: string, { code, signal, error }: Exit): Text {
  if (error) return { key: "error-tool-start", args: { step, reason: error.message } };
  if (signal !== null) return { key: "error-tool-killed", args: { step, signal } };
  return { key: "error-tool-failed", args: { step, status: String(code) } };
}
