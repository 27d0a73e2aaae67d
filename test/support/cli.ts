import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { inherited } from "./environment.ts";

const cliFile = join(import.meta.dirname, "../../src/cli.ts");

export interface CliOptions {
  /** Where the configuration is looked for. */
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeArguments?: readonly string[];
}

export interface CliResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command line that is running, spoken to through pipes. */
export interface RunningCli extends AsyncDisposable {
  /** Everything on standard output so far. */
  output(): string;
  errors(): string;
  /** Waits until new output (after what an earlier call matched) matches, and gives the match. */
  see(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>;
  /** Types lines. */
  type(...lines: readonly string[]): void;
  /** Ends the input. */
  endInput(): void;
  kill(signal: NodeJS.Signals): void;
  readonly done: Promise<CliResult>;
}

/** Starts `vakhta` with nothing of this process's environment but `inherited()`. */
export function startCli(args: readonly string[], options: CliOptions): RunningCli {
  const env = { ...inherited(), HOME: options.cwd, LANG: "C", ...options.env };
  const child = spawn(process.execPath, [...(options.nodeArguments ?? []), cliFile, ...args], {
    cwd: options.cwd,
    env,
  });
  let stdout = "";
  let stderr = "";
  let seen = 0;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  // A command that has ended reads no more; its status tells why.
  child.stdin.on("error", () => undefined);
  const done = once(child, "close").then(([status]: (number | null)[]): CliResult => {
    return { status: status ?? null, stdout, stderr };
  });
  return {
    output: () => stdout,
    errors: () => stderr,
    async see(pattern, timeoutMs = 60_000) {
      const timeout = AbortSignal.timeout(timeoutMs);
      for (;;) {
        const match = pattern.exec(stdout.slice(seen));
        if (match) {
          seen += match.index + match[0].length;
          return match;
        }
        const fail = (why: string) => new Error(`${why} before ${pattern}:\n${stdout.slice(seen)}\n${stderr}`);
        if (timeout.aborted) throw fail("time is over");
        if (child.stdout.readableEnded) throw fail("the command ended");
        await Promise.race([once(child.stdout, "data", { signal: timeout }).catch(() => undefined), done]);
      }
    },
    type: (...lines) => void child.stdin.write(`${lines.join("\n")}\n`),
    endInput: () => void child.stdin.end(),
    kill: (signal) => void child.kill(signal),
    done,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await done;
    },
  };
}

/** Runs a command to its end. */
export async function runCli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  const running = startCli(args, options);
  running.endInput();
  return await running.done;
}
