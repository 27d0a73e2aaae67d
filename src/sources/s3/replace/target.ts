import { z } from "zod";
import { matcherOf } from "../../../core/globs.ts";
import type { Manifest } from "../../../core/manifest.ts";
import type { ReplacementIdentity } from "../../../core/replacement.ts";
import { placeFacts } from "../base.ts";
import { Bucket, type BucketConfig } from "../bucket.ts";
import { isMark } from "../keys.ts";
import type { S3SourceConfig } from "../schema.ts";

/** What of a bucket is written: where the objects of a backup belong, and which ones. */
export interface Target {
  readonly bucket: Bucket;
  /** Folder in the bucket. */
  readonly prefix: string;
  readonly concurrency: number;
  /** What an object of the backup is called here. */
  keyOf(key: string): string;
  /** Whether an object here, by its whole key, is any matter of this restore: all others are left alone. */
  isMeant(key: string): boolean;
}

/** With the keys for restoring, where there are any. */
export function restoreConfig(config: S3SourceConfig): BucketConfig {
  const { restore } = config;
  return restore === undefined ? config : { ...config, ...restore, sessionToken: restore.sessionToken };
}

/** In the place of what is live. `pick`: counted from the prefix, as `exclude`. */
export function liveTarget(config: S3SourceConfig, pick: string, exclude: readonly string[]): Target {
  const { prefix, concurrency } = config;
  const isExcluded = matcherOf(exclude);
  return {
    bucket: new Bucket(restoreConfig(config)),
    prefix: `${prefix}${pick}`,
    concurrency,
    keyOf: (key) => key,
    isMeant: (key) => {
      const name = key.slice(prefix.length);
      return key.startsWith(prefix) && name.startsWith(pick) && !isExcluded(name) && !isMark(key, prefix);
    },
  };
}

/** Next to it, in the same bucket. `from`: the prefix that the backup was made of, and from which `pick` is counted. */
export function besideTarget(
  config: S3SourceConfig,
  { from, to, pick }: { readonly from: string; readonly to: string; readonly pick: string },
): Target {
  const wanted = `${to}${pick}`;
  return {
    bucket: new Bucket(restoreConfig(config)),
    prefix: to,
    concurrency: config.concurrency,
    keyOf: (key) => `${to}${key.slice(from.length)}`,
    isMeant: (key) => key.startsWith(wanted) && !isMark(key, to),
  };
}

/** `bucket/prefix`, for a person. */
export function placeOf({ bucket }: Pick<S3SourceConfig, "bucket">, prefix: string): string {
  return `${bucket}/${prefix}`;
}

/** Which bucket it is. */
export function identityOf(config: S3SourceConfig, prefix = config.prefix): ReplacementIdentity {
  return { system: placeFacts(config)["endpoint"] ?? "", database: placeOf(config, prefix) };
}

const patterns = z.array(z.string());

/**
 * What is left alone: what is excluded now, and what was when the backup was made. That it does not have it does not mean
 * that it was not there.
 */
export function excludedOf(config: S3SourceConfig, { source }: Manifest): string[] {
  return [...new Set([...config.exclude, ...parsePatterns(source["exclude"])])];
}

/** Patterns as they are kept; none where there are none. */
export function parsePatterns(text: string | undefined): string[] {
  return text === undefined ? [] : patterns.parse(JSON.parse(text));
}

/** Where the objects of a backup were, as it says. */
export function originOf({ source }: Manifest): { readonly bucket: string; readonly prefix: string } {
  return { bucket: source["bucket"] ?? "", prefix: source["prefix"] ?? "" };
}
