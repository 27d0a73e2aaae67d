import type { Readable } from "node:stream";
import { AppError } from "../../core/errors.ts";
import type { ManifestPart } from "../../core/manifest.ts";
import { feed } from "../feed.ts";
import { unzstdCommand } from "../zstd.ts";
import { isClosing } from "./names.ts";
import { listCommand } from "./tar.ts";

/** Reads the archive to its end and counts what is in it. */
export async function checkReadable(part: ManifestPart, stream: Readable, signal: AbortSignal): Promise<void> {
  const counter = new LineCounter();
  const onOutput = (chunk: Uint8Array): void => counter.add(chunk);
  const totals = new Totals();
  const list = { ...listCommand, onLine: (line: string) => totals.take(line) };
  await feed([unzstdCommand, list], stream, { signal, onOutput });
  const found = { entries: counter.lines, rawBytes: totals.bytes };
  for (const what of ["entries", "rawBytes"] as const) {
    const expected = part[what];
    if (expected === undefined || found[what] === undefined || expected === found[what]) continue;
    const args = { what, expected: String(expected), found: String(found[what]) };
    throw new AppError("source-failed", `the archive has ${args.found} ${what}, the manifest says ${expected}`, {
      context: { step: "tar" },
      text: { key: "error-files-count", args },
    });
  }
}

/** Counts lines without keeping any of them. */
export class LineCounter {
  lines = 0;

  add(chunk: Uint8Array): void {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) this.lines++;
  }
}

/** Listens to a tar that reads an archive. */
export class Totals {
  /** Bytes of the archive, once tar has ended. */
  bytes: number | undefined;

  /** Takes a line of standard error. False: it is no cause of a failure. */
  take(line: string): boolean {
    const match = /^Total bytes read: (\d+)/.exec(line);
    if (match) this.bytes = Number(match[1]);
    return match === null && !isClosing(line);
  }
}
