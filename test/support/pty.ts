import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { inherited } from "./environment.ts";

const cliFile = join(import.meta.dirname, "../../src/cli.ts");

/** A command line on a terminal of its own. */
export interface TerminalCli extends AsyncDisposable {
  /** Everything that the terminal has shown so far. */
  readonly shown: () => string;
  /** Waits until what is shown matches. */
  readonly see: (pattern: RegExp) => Promise<void>;
  /** Types characters, "\r" for the key Enter. */
  readonly type: (text: string) => void;
  /** Its exit status. */
  readonly done: Promise<number | null>;
}

/** Starts `vakhta` on a pseudo terminal, made by util-linux's `script`. */
export function startOnTerminal(
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): TerminalCli {
  const words = [process.execPath, cliFile, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  const env = { ...inherited(), HOME: options.cwd, LANG: "C", SHELL: "/bin/sh", ...options.env };
  const child = spawn("script", ["--quiet", "--return", "--command", words.join(" "), "/dev/null"], {
    cwd: options.cwd,
    env,
  });
  let shown = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
  });
  child.stdin.on("error", () => undefined);
  const done = once(child, "close").then(([status]: (number | null)[]) => status ?? null);
  return {
    shown: () => shown,
    see: async (pattern) => {
      const timeout = AbortSignal.timeout(30_000);
      while (!pattern.test(shown)) {
        if (timeout.aborted || child.stdout.readableEnded) throw new Error(`never seen: ${pattern}\n${shown}`);
        await Promise.race([once(child.stdout, "data", { signal: timeout }).catch(() => undefined), done]);
      }
    },
    type: (text) => void child.stdin.write(text),
    done,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await done;
    },
  };
}
