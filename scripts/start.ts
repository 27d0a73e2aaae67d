/**
 * `npm start`: the bot and the worker together, for a small machine without a process manager. When one of them ends,
 * the other is asked to end as well and its exit status is passed on: restarting is the work of whoever started this.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

const names = ["bot", "worker"];
/** Exit status after a configuration that cannot be used (EX_CONFIG). */
const badConfiguration = 78;
const compileCache = fileURLToPath(new URL("../node_modules/.cache/compile", import.meta.url));
const running = new Map<string, ChildProcess>();
let signals = 0;
let status: number | undefined;

/** The first request asks for an orderly end, a second one ends what has not ended yet. */
function end(signal: NodeJS.Signals): void {
  signals += 1;
  for (const child of running.values()) child.kill(signals === 1 ? signal : "SIGKILL");
}

function onExit(name: string, code: number | null, signal: NodeJS.Signals | null): void {
  if (!running.delete(name)) return;
  const own = code ?? 128 + (signal ? constants.signals[signal] : 0);
  if (signals === 0) {
    // What is wrong with the configuration has been said by it already.
    if (own !== badConfiguration)
      console.error(
        `${name} ended with ${signal ?? code}: stopping ${[...running.keys()].join(", ") || "nothing else"}.`,
      );
    // Not even a status of 0 is a success: nobody asked it to end.
    status = own || 1;
    end("SIGTERM");
  } else if (own !== 0) {
    status ??= own;
  }
  if (running.size === 0) process.exitCode = status ?? 0;
}

for (const name of names) {
  // In a process group of its own: the terminal's Ctrl-C would otherwise arrive twice, from it and from here.
  // A small heap for new objects, and compiled code kept from earlier starts: about 35 MB less per process.
  const file = fileURLToPath(new URL(`../src/${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, ["--max-semi-space-size=1", file], {
    stdio: "inherit",
    env: { NODE_COMPILE_CACHE: compileCache, ...process.env },
    detached: true,
  });
  running.set(name, child);
  child.once("error", (error) => {
    console.error(`${name} could not be started: ${error.message}`);
    onExit(name, 1, null);
  });
  child.once("exit", (code, signal) => onExit(name, code, signal));
}

process.on("SIGTERM", () => end("SIGTERM"));
process.on("SIGINT", () => end("SIGTERM"));
process.on("SIGHUP", () => end("SIGTERM"));
// The last resort, should this process break: without it nobody could end them.
process.on("exit", () => {
  for (const child of running.values()) child.kill("SIGKILL");
});
