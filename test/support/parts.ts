import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { Manifest } from "../../src/core/manifest.ts";
import type { BackupReader, PartFacts, Source } from "../../src/sources/types.ts";

/** What a source gave in one run. */
export interface TakenPart {
  readonly role: string;
  readonly file: string;
  readonly bytes: Buffer;
  readonly facts: PartFacts;
}

/** Runs a source as the pipeline does, and keeps what it gives. */
export async function takeParts(source: Source, signal = new AbortController().signal): Promise<TakenPart[]> {
  await using session = await source.open(signal);
  const result: TakenPart[] = [];
  for await (const { role, file, stream, done } of session.parts()) {
    const bytes = await buffer(stream);
    result.push({ role, file, bytes, facts: await done });
  }
  return result;
}

/** The backup that these parts are, to be read as from a storage. */
export function readerOf(
  kind: string,
  parts: readonly TakenPart[],
  facts: Readonly<Record<string, string>> = {},
): BackupReader {
  const manifest: Manifest = {
    version: 1,
    id: "run1",
    name: "app",
    kind,
    startedAt: "2026-03-01T03:00:00.000Z",
    finishedAt: "2026-03-01T03:05:00.000Z",
    vakhta: "0.0.0-test",
    host: "here",
    source: { ...facts },
    parts: parts.map(({ role, file, bytes, facts: known }) => {
      return { role, file, bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex"), ...known };
    }),
    references: [],
    compression: parts.every(({ file }) => file.endsWith(".zst")) ? "zstd" : "none",
    counts: "off",
  };
  const none = () => Promise.reject(new Error("there are no references"));
  return {
    manifest,
    open: async (part) => Readable.from([parts.find(({ file }) => file === part.file)?.bytes ?? Buffer.alloc(0)]),
    openReference: none,
  };
}
