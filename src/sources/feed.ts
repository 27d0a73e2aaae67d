import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { AppError } from "../core/errors.ts";
import { type Command, stepOf } from "../lib/child.ts";
import { startPipeline, Unread } from "../lib/process.ts";

/**
 * Gives a backup's part to programs connected by pipes, and reads it to its end. Rejects with the part's own error
 * where it has one (damaged, for another key): the programs only see their input end early. Else as `Pipeline.done`, and
 * with `source-failed` when they end well without having read everything; of a part that is small, that is not seen of the
 * first program.
 */
export async function feed(
  commands: readonly Command[],
  input: Readable,
  options: {
    readonly signal: AbortSignal;
    readonly onBytes?: (bytes: number) => void;
    /** Is given what the last program puts out. */
    readonly onOutput?: (chunk: Uint8Array) => void;
  },
): Promise<readonly string[]> {
  // Programs may not even start, and the input fail then.
  input.on("error", () => undefined);
  try {
    const programs = startPipeline(commands, { input, signal: options.signal, whole: true });
    const { onBytes } = options;
    if (onBytes) input.on("data", (chunk: Uint8Array) => onBytes(chunk.length));
    const { onOutput } = options;
    let read: Promise<void> | undefined;
    if (onOutput) {
      programs.stdout.on("data", onOutput);
      read = finished(programs.stdout, { writable: false });
    } else programs.stdout.resume();
    const [said] = await Promise.all([programs.done, read]);
    await programs.fed.catch((error: unknown) => {
      const [first] = commands;
      const step = error instanceof Unread ? error.step : first && stepOf(first);
      throw input.errored ?? unread(step ?? "", error);
    });
    return said;
  } catch (error) {
    options.signal.throwIfAborted();
    throw input.errored ?? stoppedReader(commands, error) ?? error;
  } finally {
    input.destroy();
  }
}

/** A program that could not write any more is no cause where the one behind it ended well: that has not read on. */
function stoppedReader(commands: readonly Command[], error: unknown): AppError | undefined {
  if (!(error instanceof AppError)) return undefined;
  const { step, exit, stderr } = error.context;
  const isCut = exit === "killed by SIGPIPE" || /broken pipe|connection reset by peer/i.test(String(stderr));
  const writer = commands.findIndex((command) => stepOf(command) === step);
  const reader = writer < 0 ? undefined : commands[writer + 1];
  return isCut && reader ? unread(stepOf(reader), error) : undefined;
}

function unread(step: string, cause: unknown): AppError {
  return new AppError("source-failed", `${step} ended before it had read the whole backup`, {
    context: { step, exit: "exit status 0" },
    text: { key: "error-part-unread", args: { step } },
    cause,
  });
}
