import { createHash } from "node:crypto";
import type { ReplacementContext } from "../../replacement.ts";
import type { Bucket } from "../bucket.ts";
import { Pool } from "../pool.ts";
import { remove } from "./apply.ts";
import { copyVersion } from "./copy.ts";
import type { Target } from "./target.ts";
import { type Entry, formerOf, type History, historiesOf } from "./versions.ts";

/** A key that was written or removed since a moment, and what it had then. */
export interface Altered {
  readonly key: string;
  readonly now: Entry;
  readonly former: Entry | undefined;
}

/** All keys of the target that were written or removed later than `since`. */
export async function* alteredSince(target: Target, since: Date, signal: AbortSignal): AsyncGenerator<Altered> {
  for await (const history of meantHistories(target, signal)) {
    const [now] = history.entries;
    if (now.modified > since)
      yield { key: history.key, now, former: await formerOf(target.bucket, history, since, signal) };
  }
}

/** Everything that the bucket has kept of what is the target's matter. */
export async function* meantHistories(target: Target, signal: AbortSignal): AsyncGenerator<History> {
  for await (const history of historiesOf(target.bucket, target.prefix, signal))
    if (target.isMeant(history.key)) yield history;
}

/** How many objects there were at a moment that were written over or removed later. */
export async function countFormer(target: Target, since: Date, signal: AbortSignal): Promise<number> {
  let count = 0;
  for await (const { former } of alteredSince(target, since, signal)) if (former) count += 1;
  return count;
}

/**
 * Gives every key what it had at `since`. What was brought back already since `from`, by one that was killed, is left as it
 * is. Resolves with how many were not yet as they had been.
 */
export async function bringBack(
  target: Target,
  { since, from, total }: { readonly since: Date; readonly from: Date; readonly total: number },
  { signal, step }: Pick<ReplacementContext, "signal" | "step">,
): Promise<number> {
  const pool = new Pool({ running: target.concurrency });
  let wrong = 0;
  let done = 0;
  try {
    for await (const altered of alteredSince(target, since, signal)) {
      done += 1;
      step?.(done, Math.max(total, done), "objects");
      await pool.add(async () => {
        if (await isBack(target.bucket, altered, from, signal)) return;
        wrong += 1;
        if (altered.former === undefined) await remove(target, altered.key, signal);
        else await copyVersion(target.bucket, altered.former, signal);
      });
    }
    await pool.finish();
  } finally {
    await pool.end();
  }
  return wrong;
}

/**
 * A copy has the tag of its original, unless that was uploaded in parts: then its size must do. Where the server encrypts,
 * tags say nothing, and the contents are compared.
 */
async function isBack(bucket: Bucket, { now, former }: Altered, from: Date, signal: AbortSignal): Promise<boolean> {
  if (former === undefined) return now.kind === "marker";
  if (now.kind === "marker" || now.modified <= from || now.size !== former.size) return false;
  const tags = [now.etag, former.etag];
  if (tags.some((tag) => tag === undefined || tag.includes("-"))) return true;
  return now.etag === former.etag || (await digestOf(bucket, now, signal)) === (await digestOf(bucket, former, signal));
}

async function digestOf(bucket: Bucket, { key, id }: Entry, signal: AbortSignal): Promise<string> {
  const input = { Bucket: bucket.name, Key: key, VersionId: id };
  const { Body } = await bucket.call((s3, options) => s3.getObject(input, options), signal, key);
  const hash = createHash("sha256");
  for await (const chunk of Body as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest("hex");
}
