import type { Readable } from "node:stream";
import type { ManifestPart } from "../../core/manifest.ts";
import type { Command } from "../../lib/child.ts";
import { startPipeline } from "../../lib/process.ts";
import { lasting } from "../lasting.ts";
import { unzstdCommand } from "../zstd.ts";
import { sourceError } from "./errors.ts";
import { restoreCommand } from "./tools.ts";

/**
 * Reads a part to its end: an archive as pg_restore would for a restore, but into nothing. Listing the archive would
 * not do, since its table of contents stands at the beginning and is whole in a file that was cut off. Globals are
 * plain SQL: unpacked, with zstd's own checksum.
 */
export async function checkReadable(part: ManifestPart, stream: Readable, signal: AbortSignal): Promise<void> {
  const reader: Command[] = part.role === "artifact" ? [restoreCommand(["--file=/dev/null"])] : [];
  const reading = startPipeline([unzstdCommand, ...reader], { input: stream, signal });
  reading.stdout.resume();
  await reading.done.catch((error: unknown) => {
    throw lasting(sourceError(error));
  });
}
