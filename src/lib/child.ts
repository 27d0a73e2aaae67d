import { type ChildProcess, spawn } from "node:child_process";
import { basename } from "node:path";
import { AppError, toAppError } from "../core/errors.ts";
import type { Text } from "../core/text.ts";
import { baseEnvironment, deathSignalPrefix, findTool } from "./environment.ts";
import { eachLine } from "./lines.ts";
import { openPipe, readPaced } from "./os-pipe.ts";
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

const killAfterMs = 5000;
const stderrLines = 20;
const stderrBytes = 64 * 1024;

interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly error?: Error;
}

/** A program that was started. */
export interface Child {
  readonly step: string;
  readonly process: ChildProcess;
  /** Resolves when it has ended and all that it said is here. */
  readonly exited: Promise<Exit>;
  /** The last lines of its standard error, redacted. */
  stderr(): string;
  /** As `Command.accepts`. */
  accepts(status: number): boolean;
}

/** Children that live: ended when this process exits by itself. */
const alive = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of alive) signalGroup(child, "SIGTERM");
});

/** The name of a program in errors. */
export function stepOf(command: Command): string {
  return command.step ?? basename(command.argv[0] ?? "");
}

type Stdio = "pipe" | "ignore" | number;

/**
 * Starts a program with these as its standard streams, in a process group of its own. It ends with this process.
 *
 * @throws AppError `tool-missing`, `tool-failed`.
 */
export function startChild(command: Command, stdio: readonly [Stdio, Stdio, Stdio]): Child {
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

/** Sends a signal to a program and to what it has started in its group. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It is gone.
  }
}

/**
 * Resolves when programs that are connected have ended well, with the last lines of each; rejects as `Pipeline.done`.
 */
export async function supervise(
  children: readonly Child[],
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
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
