import type { Version } from "./bucket.ts";
import { compareKeys } from "./keys.ts";
import type { IndexObject } from "./lines.ts";

/** What has become of an object since the backup before. */
export type Change =
  | { readonly kind: "same"; readonly version: Version; readonly before: IndexObject }
  | { readonly kind: "read"; readonly version: Version; readonly before: IndexObject | undefined }
  | { readonly kind: "deleted"; readonly before: IndexObject };

/**
 * Holds a listing against the index of the backup before. Both are in the order of keys, so that one object of each is
 * in memory. An object is the same when ETag and size are; without an ETag nobody knows.
 */
export async function* changesOf(
  listing: AsyncIterable<Version>,
  before: AsyncIterable<IndexObject>,
): AsyncGenerator<Change> {
  const known = before[Symbol.asyncIterator]();
  try {
    let next = await known.next();
    for await (const version of listing) {
      while (next.done !== true && compareKeys(next.value.key, version.key) < 0) {
        yield { kind: "deleted", before: next.value };
        next = await known.next();
      }
      const same = next.done !== true && next.value.key === version.key ? next.value : undefined;
      if (same) next = await known.next();
      if (same && version.etag !== undefined && same.etag === version.etag && same.size === version.size)
        yield { kind: "same", version, before: same };
      else yield { kind: "read", version, before: same };
    }
    for (; next.done !== true; next = await known.next()) yield { kind: "deleted", before: next.value };
  } finally {
    await known.return?.();
  }
}
