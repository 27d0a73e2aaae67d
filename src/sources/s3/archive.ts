import { createHash } from "node:crypto";
import type { ManifestNote } from "../../core/manifest.ts";
import { ahead, type Job } from "./ahead.ts";
import type { Attributes, Bucket, Missing, Version } from "./bucket.ts";
import type { Change } from "./changes.ts";
import { mostReplacements, type Opened, openObject, Replaced, readObject, restless, type Whole } from "./content.ts";
import type { IndexLine, IndexObject } from "./lines.ts";
import { padding, pathOf, tarEnd, tarHeader } from "./tar.ts";

/** Objects up to this size are read ahead, several at once, into memory; bytes. */
export const smallBytes = 1024 * 1024;
const readAhead = { items: 1000, bytes: 16 * 1024 * 1024 };
const zeros = Buffer.alloc(64 * 1024);

/** What was found in the bucket, so far. */
export interface Tally {
  added: number;
  changed: number;
  unchanged: number;
  deleted: number;
  /** Objects in the backup, and the bytes of their contents. */
  objects: number;
  bytes: number;
  /** Files in this backup's own archive. */
  entries: number;
}

export interface ArchiveOptions {
  readonly bucket: Bucket;
  readonly concurrency: number;
  readonly signal: AbortSignal;
  /** The run that the contents of `before` belong to where they name none. */
  readonly base: string | undefined;
  readonly tally: Tally;
  readonly index: (line: IndexLine) => Promise<void>;
  /** An archive of an earlier run is needed. */
  readonly refer: (run: string) => void;
  readonly note: (kind: ManifestNote["kind"], key: string) => void;
}

type Found = { readonly attributes: Attributes | Missing } | { readonly whole: Whole | undefined };

/**
 * The archive of what has to be read, piece by piece: nothing at all when all is as before. On its way every object of
 * the bucket is told to `index`, in the order of keys.
 */
export async function* archiveOf(changes: AsyncIterable<Change>, options: ArchiveOptions): AsyncGenerator<Buffer> {
  const { tally } = options;
  const jobOf = (change: Change) => jobFor(change, options);
  for await (const { item, result } of ahead(changes, jobOf, { ...readAhead, running: options.concurrency })) {
    if (item.kind === "deleted") await remove(item.before, options);
    else yield* await stepOf(item, await result, options);
  }
  if (tally.entries > 0) yield tarEnd;
}

function jobFor(change: Change, { bucket, signal }: ArchiveOptions): Job<Found> | undefined {
  if (change.kind === "deleted") return undefined;
  const { kind, version, before } = change;
  if (kind === "read") {
    if (version.size > smallBytes) return undefined;
    return { bytes: version.size, run: async () => ({ whole: await readObject(bucket, version, signal) }) };
  }
  // Written once more with the same content: what it has besides may be different.
  if (before.modified === version.modified.toISOString()) return undefined;
  return {
    bytes: 0,
    run: async () => ({ attributes: await bucket.attributes(version.key, version.etag, signal) }),
  };
}

async function stepOf(
  { kind, version, before }: Exclude<Change, { kind: "deleted" }>,
  found: Found | undefined,
  options: ArchiveOptions,
): Promise<AsyncIterable<Buffer> | readonly Buffer[]> {
  if (kind === "read") return contentOf(version, before, found && "whole" in found ? found : undefined, options);
  const attributes = found && "attributes" in found ? found.attributes : attributesOf(before);
  if (typeof attributes === "string") return contentOf(version, before, undefined, options);
  await keep(version, attributes, before, options);
  return [];
}

/** An object that is as it was: its content lies where it did. */
async function keep(
  { key, etag, size, modified }: Version,
  attributes: Attributes,
  before: IndexObject,
  { tally, base, index, refer }: ArchiveOptions,
): Promise<void> {
  const run = before.in ?? base ?? "";
  refer(run);
  const { sha256, entry } = before;
  await index({
    key,
    ...tagOf(etag),
    size,
    modified: modified.toISOString(),
    sha256,
    in: run,
    entry,
    ...attributes,
  });
  tally.unchanged += 1;
  tally.objects += 1;
  tally.bytes += size;
}

async function remove({ key }: IndexObject, { tally, index }: ArchiveOptions): Promise<void> {
  await index({ key, deleted: true });
  tally.deleted += 1;
}

/** An object's header and content. What is replaced halfway is begun anew, behind the part that was read. */
async function* contentOf(
  listed: Version,
  before: IndexObject | undefined,
  early: { readonly whole: Whole | undefined } | undefined,
  options: ArchiveOptions,
): AsyncGenerator<Buffer> {
  const { bucket, signal, tally, note } = options;
  for (let attempt = 1; attempt <= mostReplacements; attempt += 1) {
    const found: Opened | Whole | undefined =
      early && attempt === 1 ? early.whole : await openObject(bucket, listed, signal);
    if (found === undefined) {
      note("vanished", listed.key);
      if (before) await remove(before, options);
      return;
    }
    const { version, attributes } = found;
    if (found.changed || attempt > 1) note("changed", version.key);
    const entry = tally.entries;
    tally.entries += 1;
    yield tarHeader({ path: pathOf(version.key), ...version, records: recordsOf(version, attributes) });
    const sha256 = yield* bodyOf(found);
    yield padding(version.size);
    // Nothing points at what was given up.
    if (sha256 === undefined) continue;
    await add({ version, attributes, sha256, entry }, before, options);
    return;
  }
  throw restless(listed.key);
}

/** A content, and its SHA-256 at its end; undefined when it was replaced: the rest of it is zeros then. */
async function* bodyOf({ version, body }: Opened | Whole): AsyncGenerator<Buffer, string | undefined> {
  const hash = createHash("sha256");
  let left = version.size;
  try {
    for await (const chunk of body) {
      hash.update(chunk);
      left -= chunk.length;
      yield chunk;
    }
    return hash.digest("hex");
  } catch (error) {
    if (!(error instanceof Replaced)) throw error;
  }
  // The header has promised so many bytes.
  for (; left > 0; left -= zeros.length) yield zeros.subarray(0, left);
  return undefined;
}

async function add(
  { version, attributes, sha256, entry }: { version: Version; attributes: Attributes; sha256: string; entry: number },
  before: IndexObject | undefined,
  { tally, index }: ArchiveOptions,
): Promise<void> {
  const { key, etag, size, modified } = version;
  await index({ key, ...tagOf(etag), size, modified: modified.toISOString(), sha256, entry, ...attributes });
  if (before) tally.changed += 1;
  else tally.added += 1;
  tally.objects += 1;
  tally.bytes += size;
}

function tagOf(etag: string | undefined): { etag?: string } {
  return etag === undefined ? {} : { etag };
}

/** What an object has besides its content, of what the index knows. */
export function attributesOf({
  type,
  encoding,
  disposition,
  language,
  cache,
  expires,
  metadata,
}: IndexObject): Attributes {
  const all = { type, encoding, disposition, language, cache, expires, metadata };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** For whoever opens the archive without the index. */
function recordsOf({ etag }: Version, { metadata = {}, ...rest }: Attributes): Record<string, string> {
  const records = { etag, ...rest };
  return Object.fromEntries([
    ...Object.entries(records).flatMap(([name, value]) => (value === undefined ? [] : [[`VAKHTA.${name}`, value]])),
    ...Object.entries(metadata).map(([name, value]) => [`VAKHTA.metadata.${name}`, value]),
  ]);
}
