import type { DeleteMarkerEntry, ListObjectVersionsCommandOutput, ObjectVersion } from "@aws-sdk/client-s3";
import { type Bucket, unquoted } from "../bucket.ts";
import { compareKeys } from "../keys.ts";

/** What a key had, or that it had nothing. */
export interface Entry {
  readonly key: string;
  readonly kind: "version" | "marker";
  readonly id: string;
  readonly modified: Date;
  readonly isLatest: boolean;
  /** Bytes; 0 of a marker. */
  readonly size: number;
  readonly etag: string | undefined;
  readonly storageClass: string | undefined;
}

/** Everything that a bucket has kept of a key, the newest first. */
export interface History {
  readonly key: string;
  readonly entries: readonly [Entry, ...Entry[]];
}

/** All keys below a prefix that have or had anything, in their order; about one page is in memory at a time. */
export async function* historiesOf(
  bucket: Bucket,
  prefix: string,
  signal: AbortSignal,
  pageSize?: number,
): AsyncGenerator<History> {
  let held = new Map<string, Entry[]>();
  let last: string | undefined;
  for await (const page of pagesOf(bucket, prefix, signal, pageSize)) {
    for (const entry of page) {
      const known = held.get(entry.key);
      if (known) known.push(entry);
      else held.set(entry.key, [entry]);
    }
    const keys = [...held.keys()].sort(compareKeys);
    // A page may end in the middle of a key.
    const open = keys.pop();
    for (const key of keys) {
      if (last !== undefined && compareKeys(key, last) <= 0)
        throw bucket.odd("a list that is not in the order of keys");
      last = key;
      yield historyOf(key, held.get(key) ?? []);
    }
    held = new Map(open === undefined ? [] : [[open, held.get(open) ?? []]]);
  }
  for (const [key, entries] of held) yield historyOf(key, entries);
}

/**
 * What a key had at a moment: a version, or undefined for nothing. Where a list tells the same second of a version and of its
 * removal, they are asked for one by one, in the server's own order.
 */
export async function formerOf(
  bucket: Bucket,
  { key, entries }: History,
  at: Date,
  signal: AbortSignal,
): Promise<Entry | undefined> {
  const older = entries.filter(({ modified }) => modified <= at);
  const [first, second] = older;
  if (first === undefined) return undefined;
  let former = first;
  const isTied = second !== undefined && second.modified.getTime() === first.modified.getTime() && !first.isLatest;
  if (
    isTied &&
    older.some(({ kind, modified }) => kind !== first.kind && modified.getTime() === first.modified.getTime())
  ) {
    const tied = new Map(older.map((entry) => [entry.id, entry]));
    for await (const page of pagesOf(bucket, key, signal, 1)) {
      const [entry] = page;
      if (entry?.key !== key) break;
      const found = tied.get(entry.id);
      if (found === undefined) continue;
      former = found;
      break;
    }
  }
  return former.kind === "version" ? former : undefined;
}

async function* pagesOf(
  bucket: Bucket,
  prefix: string,
  signal: AbortSignal,
  pageSize: number | undefined,
): AsyncGenerator<Entry[]> {
  let next: { readonly KeyMarker: string; readonly VersionIdMarker?: string } | undefined;
  do {
    const input = {
      Bucket: bucket.name,
      Prefix: prefix,
      EncodingType: "url" as const,
      ...next,
      ...(pageSize === undefined ? {} : { MaxKeys: pageSize }),
    };
    const page = await bucket.call((s3, options) => s3.listObjectVersions(input, options), signal);
    yield entriesOf(bucket, page);
    next = markerOf(bucket, page);
  } while (next !== undefined);
}

function markerOf(bucket: Bucket, page: ListObjectVersionsCommandOutput) {
  if (page.IsTruncated !== true) return undefined;
  const { NextKeyMarker: key, NextVersionIdMarker: version } = page;
  if (key === undefined) throw bucket.odd("a list that is cut, without saying how it goes on");
  return {
    KeyMarker: page.EncodingType === "url" ? bucket.decoded(key) : key,
    ...(version && { VersionIdMarker: version }),
  };
}

function entriesOf(bucket: Bucket, page: ListObjectVersionsCommandOutput): Entry[] {
  const entry = (kind: Entry["kind"], found: ObjectVersion | DeleteMarkerEntry): Entry => {
    const { Key, VersionId, LastModified } = found;
    if (Key === undefined || VersionId === undefined || LastModified === undefined)
      throw bucket.odd("a list of versions with one that has no key, id or date");
    const version: ObjectVersion = kind === "version" ? found : {};
    return {
      key: page.EncodingType === "url" ? bucket.decoded(Key) : Key,
      kind,
      id: VersionId,
      modified: LastModified,
      isLatest: found.IsLatest === true,
      size: version.Size ?? 0,
      etag: unquoted(version.ETag),
      storageClass: version.StorageClass,
    };
  };
  return [
    ...(page.Versions ?? []).map((version) => entry("version", version)),
    ...(page.DeleteMarkers ?? []).map((marker) => entry("marker", marker)),
  ];
}

/** Of each kind they come with the newest first, so that an order that keeps what is equal is right within each. */
function historyOf(key: string, entries: readonly Entry[]): History {
  const sorted = entries.toSorted(
    (a, b) => Number(b.isLatest) - Number(a.isLatest) || b.modified.getTime() - a.modified.getTime(),
  );
  return { key, entries: sorted as [Entry, ...Entry[]] };
}
