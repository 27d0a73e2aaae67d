import type { Command } from "../lib/child.ts";

const install = "apt-get install zstd";

/**
 * The compressor. Two levels of verbosity make it print exact byte counts in its summary; a progress line would fill
 * standard error.
 */
export function zstdCommand(level: number): Command {
  return { argv: ["zstd", `-${level}`, "-T0", "-vv", "--no-progress", "-c"], step: "zstd", install };
}

/** The decompressor. */
export const unzstdCommand: Command = { argv: ["zstd", "-dcq"], step: "zstd", install };

/** Bytes that zstd has read, by its summary; undefined when this version words it differently. */
export function bytesRead(summary: string): number | undefined {
  const match = /\(\s*(\d+) B\s*=>/.exec(summary);
  return match === null ? undefined : Number(match[1]);
}
