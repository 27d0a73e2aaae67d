import type { Readable } from "node:stream";
import type { ManifestPart } from "../../core/manifest.ts";
import { startPipeline } from "../../lib/process.ts";
import { lasting } from "../lasting.ts";
import { unzstdCommand } from "../zstd.ts";
import { verdict } from "./check.ts";
import type { RedisConfig } from "./schema.ts";
import { checkCommand } from "./tools.ts";

/** Unpacks a snapshot and has redis-check-rdb read every value and the checksum at its end. */
export async function checkReadable(
  _part: ManifestPart,
  stream: Readable,
  signal: AbortSignal,
  config?: RedisConfig,
): Promise<void> {
  const { stdout, done } = startPipeline([unzstdCommand, checkCommand(config?.bin)], { input: stream, signal });
  await verdict(stdout, done, signal).catch((error: unknown) => {
    throw lasting(error);
  });
}
