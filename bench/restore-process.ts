import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { processorMs } from "./cpu.ts";
import { MemoryProbe, type PeakMemory } from "./memory.ts";
import type { ChildAnswer, ChildOrder } from "./restore-child.ts";

/** The process that restores, started as the worker is. */
export interface RestoreProcess extends AsyncDisposable {
  /** Has it do something. Throws what has gone wrong there. */
  order(what: ChildOrder): Promise<ChildAnswer>;
  /** Milliseconds of processor time so far, of the programs that have ended as well. */
  processorMs(): number;
  /** Highest memory use so far. */
  peakMemory(): PeakMemory;
}

export function startRestoreProcess(): RestoreProcess {
  const root = join(import.meta.dirname, "..");
  const child = fork(join(root, "bench/restore-child.ts"), {
    execArgv: ["--max-semi-space-size=1"],
    env: { ...process.env, NODE_COMPILE_CACHE: join(root, "node_modules/.cache/compile") },
    serialization: "advanced",
  });
  const memory = new MemoryProbe(child.pid ?? 0);
  return {
    async order(what) {
      const ended = new AbortController();
      child.once("exit", (code) => ended.abort(new Error(`the process that restores has ended with ${code}`)));
      child.send(what);
      const [answer] = (await once(child, "message", { signal: ended.signal })) as [ChildAnswer];
      child.removeAllListeners("exit");
      if (answer.error !== undefined) throw new Error(answer.error);
      return answer;
    },
    processorMs: () => processorMs(child.pid ?? 0),
    peakMemory: () => memory.read(),
    async [Symbol.asyncDispose]() {
      memory.stop();
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}
