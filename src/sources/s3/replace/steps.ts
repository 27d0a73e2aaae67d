import { createHash } from "node:crypto";
import { ahead, type Job } from "../ahead.ts";
import type { Attributes, Missing, Version } from "../bucket.ts";
import { type Change, changesOf } from "../changes.ts";
import { hasHeaders, headerDifferences } from "../headers.ts";
import type { IndexObject } from "../lines.ts";
import type { Target } from "./target.ts";

/** What has to be done with one key so that the bucket is as the backup. */
export type Step =
  | { readonly kind: "same"; readonly object: IndexObject }
  /** `headers`: its content is right, what it has besides is not. */
  | { readonly kind: "write" | "headers"; readonly object: IndexObject; readonly version?: Version }
  | { readonly kind: "remove"; readonly version: Version };

export interface StepsOptions {
  readonly signal: AbortSignal;
  /** Headers and metadata are compared too, one request for each object that was written since the backup. */
  readonly headers?: boolean;
  /**
   * Objects written since then whose ETag is another one are read and compared: what is uploaded in parts, or encrypted by
   * the server, has another ETag for the same content.
   */
  readonly readSince?: Date;
}

type Found =
  | { readonly attributes: Attributes | Missing }
  | { readonly sha256: string; readonly attributes: Attributes }
  | undefined;

const waiting = 100;

/** Holds the bucket against a backup's objects, in the order of keys. */
export async function* stepsOf(
  target: Target,
  objects: AsyncIterable<IndexObject>,
  options: StepsOptions,
): AsyncGenerator<Step> {
  const { bucket, prefix, concurrency } = target;
  const changes = changesOf(meant(bucket.list(prefix, options.signal), target), named(objects, target));
  const limits = { items: waiting, running: concurrency, bytes: 0 };
  for await (const { item, result } of ahead(changes, (change) => jobOf(change, target, options), limits))
    yield stepOf(item as NamedChange, await result);
}

/** An object of the backup under the key that it has here. */
type Named = IndexObject & { readonly original: IndexObject };
type NamedChange =
  | { readonly kind: "same"; readonly version: Version; readonly before: Named }
  | { readonly kind: "read"; readonly version: Version; readonly before: Named | undefined }
  | { readonly kind: "deleted"; readonly before: Named };

/** A common beginning cut off or put before does not change their order. */
async function* named(objects: AsyncIterable<IndexObject>, target: Target): AsyncGenerator<Named> {
  for await (const original of objects) {
    const key = target.keyOf(original.key);
    if (target.isMeant(key)) yield { ...original, key, original };
  }
}

async function* meant(listing: AsyncIterable<Version>, target: Target): AsyncGenerator<Version> {
  for await (const version of listing) if (target.isMeant(version.key)) yield version;
}

function jobOf(change: Change, { bucket }: Target, options: StepsOptions): Job<Found> | undefined {
  const { signal, headers = false, readSince } = options;
  if (change.kind === "deleted" || change.before === undefined) return undefined;
  const { version, before } = change;
  const { key, etag } = version;
  if (change.kind === "same") {
    if (!headers || before.modified === version.modified.toISOString() || !hasHeaders(before)) return undefined;
    return { bytes: 0, run: async () => ({ attributes: await bucket.attributes(key, etag, signal) }) };
  }
  if (before.size !== version.size || readSince === undefined || version.modified < readSince) return undefined;
  return {
    bytes: 0,
    run: async () => {
      const answer = await bucket.get(key, { signal, match: etag });
      if (typeof answer === "string") return undefined;
      const hash = createHash("sha256");
      for await (const chunk of answer.body) hash.update(chunk as Buffer);
      return { sha256: hash.digest("hex"), attributes: answer.attributes };
    },
  };
}

function stepOf(change: NamedChange, found: Found): Step {
  if (change.kind === "deleted") return { kind: "write", object: change.before.original };
  const { version, before } = change;
  if (before === undefined) return { kind: "remove", version };
  const { original: object } = before;
  const isSame = change.kind === "same" || (found !== undefined && "sha256" in found && found.sha256 === object.sha256);
  // It was replaced or removed while it was looked at.
  if (!isSame || (found !== undefined && typeof found.attributes === "string"))
    return { kind: "write", object, version };
  const attributes = found?.attributes as Attributes | undefined;
  const differs = attributes !== undefined && !headerDifferences(before, attributes).next().done;
  return differs ? { kind: "headers", object, version } : { kind: "same", object };
}
