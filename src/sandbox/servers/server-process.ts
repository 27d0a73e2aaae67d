import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";

/** How a private server is run. */
export interface ServerProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The user to run as, where this process is root and the server refuses to be. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  /** What the server writes to its output when it accepts connections. */
  readonly ready: RegExp;
  /** Milliseconds until then; 30,000 unless told. */
  readonly readyWithin?: number;
  /** What makes it end at once and clean up after itself. */
  readonly stopSignal: NodeJS.Signals;
  /** Removed by the watchdog when this process vanishes without stopping the server. */
  readonly folder: string;
}

/** A server that runs until it is stopped, or until the process that started it is gone, however that ended. */
export interface ServerProcess {
  readonly pid: number;
  /** The match of `ready` in the server's output. */
  readonly greeting: RegExpExecArray;
  /** Sends a signal (the stop signal unless told) and waits for the end; harmless when it has ended already. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

const keptOutput = 16_384;

/**
 * Starts a server in a process group of its own, so that Ctrl-C in the terminal reaches this process alone and the order
 * of the shutdown is ours. Throws with the end of the server's output when it ends or stays silent instead of being ready.
 */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  const { command, args, cwd, owner, stopSignal, folder } = options;
  const child = spawn(command, args, { cwd, ...owner, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  // From the first moment on: this process may vanish while the server is still starting.
  const watchdog = child.pid === undefined ? undefined : startWatchdog(child.pid, stopSignal, folder);
  // The pid may be given to another process later: the watchdog must not outlive the server.
  child.once("exit", () => watchdog?.kill("SIGKILL"));
  const greeting = await waitUntilReady(child, options);
  for (const handle of [child, child.stdout, child.stderr, watchdog, watchdog?.stdin]) unref(handle);
  return {
    pid: child.pid as number,
    greeting,
    async stop(signal = stopSignal) {
      child.ref();
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await closed;
    },
  };
}

function waitUntilReady(child: ChildProcess, options: ServerProcessOptions): Promise<RegExpExecArray> {
  const { command, ready, readyWithin = 30_000 } = options;
  return new Promise((resolve, reject) => {
    let output = "";
    const fail = (what: string, cause?: Error) => {
      clearTimeout(timer);
      reject(new Error(`${command} ${what}${output && `:\n${output.trimEnd()}`}`, { cause }));
    };
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      fail(`was not ready within ${readyWithin} ms`);
    }, readyWithin);
    const collect = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-keptOutput);
      const match = ready.exec(output);
      if (!match) return;
      clearTimeout(timer);
      resolve(match);
    };
    // They go on reading after the greeting: a server whose pipe is full would stand still.
    child.stdout?.on("data", collect);
    child.stderr?.on("data", collect);
    child.once("error", (error) => fail(`could not be started: ${error.message}`, error));
    child.once("close", (code, signal) => fail(`ended with ${signal ?? code}`));
  });
}

/**
 * A shell that waits for the end of its input, which comes when this process is gone, even by SIGKILL; then it ends the
 * server and removes its folder. Out of reach of the terminal's Ctrl-C for the same reason as the server.
 */
function startWatchdog(pid: number, signal: NodeJS.Signals, folder: string): ChildProcess {
  const script = 'read -r _; kill -s "$1" "$2"; while kill -0 "$2" 2>/dev/null; do sleep 0.1; done; rm -rf -- "$3"';
  return spawn("/bin/sh", ["-c", script, "watchdog", signal.replace(/^SIG/, ""), String(pid), folder], {
    cwd: "/",
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
}

/** The standard streams of a child are sockets underneath: they, too, would keep this process alive. */
function unref(handle: ChildProcess | Readable | Writable | null | undefined): void {
  if (handle && "unref" in handle && typeof handle.unref === "function") handle.unref();
}
