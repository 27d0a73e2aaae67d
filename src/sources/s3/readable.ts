import type { Readable } from "node:stream";
import type { ManifestPart } from "../../core/manifest.ts";
import { checkCount } from "./indexes.ts";
import { objectsOf, readLines } from "./lines.ts";
import { readTar } from "./tar.ts";
import { unpacked } from "./unpack.ts";

/** Reads an archive to its end, or every line of an index, and counts. */
export async function checkReadable(part: ManifestPart, stream: Readable, signal: AbortSignal): Promise<void> {
  const chunks = unpacked(stream, signal);
  let count = 0;
  for await (const _ of part.role === "index" ? objectsOf(readLines(chunks)) : readTar(chunks)) count += 1;
  checkCount(part, count);
}
