import type { Readable } from "node:stream";
import { startPipeline } from "../../lib/process.ts";
import { unzstdCommand } from "../zstd.ts";

/**
 * A part's content, unpacked, for a reader in this process. Fails with the part's own error where it has one (damaged,
 * for another key), else with that of the decompressor; whoever stops reading ends it.
 */
export async function* unpacked(
  input: Readable,
  signal: AbortSignal,
  onBytes?: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  input.on("error", () => undefined);
  const stop = new AbortController();
  const programs = startPipeline([unzstdCommand], { input, signal: AbortSignal.any([signal, stop.signal]) });
  if (onBytes) input.on("data", (chunk: Uint8Array) => onBytes(chunk.length));
  try {
    yield* programs.stdout as AsyncIterable<Buffer>;
    await programs.done;
    await programs.fed;
  } catch (error) {
    throw input.errored ?? error;
  } finally {
    stop.abort();
    programs.stdout.destroy();
    input.destroy();
    await programs.done.catch(() => undefined);
  }
}
