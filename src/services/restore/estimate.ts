import type { Manifest } from "../../core/manifest.ts";
import { rawBytes, storedBytes } from "../../core/run.ts";
import type { RestoreTime } from "../../core/verification.ts";

/** How many of the newest measured runs count: one that was disturbed does not matter, and old ones tell of old times. */
const newest = 5;
/** The same where they are of several sizes, which takes more of them. */
const newestOfSizes = 10;
/** From so many times the size of another one on, two runs tell what a byte takes. */
const apart = 2;

/**
 * Milliseconds that starting programs, connecting and making an empty place take, however small a backup is, where the
 * measured runs are of one size and do not tell: that part of a time does not grow with the size.
 */
const fixedMs = 1000;

/** How long a restore will take, as far as anybody can tell. */
export interface RestoreEstimate {
  /** Milliseconds from the first byte read until everything is compared. */
  readonly totalMs: number;
  /** From how many measured runs of this backup; 0: from those of others of its kind. */
  readonly measured: number;
}

/** From where and where to: measured runs of the same kind are preferred. */
export interface RestoreRoute {
  /** The storage that is read from, and the host that does it. */
  readonly storage?: string;
  readonly host?: string;
  /** Of a backup of several databases this one. */
  readonly only?: string;
}

/**
 * Estimates how long a restore will take: from the newest measured runs of the same backup, by size, as the median of
 * what each of them foretells; where they are of several sizes, with what a byte takes and what is there without any. Where
 * there are none, from `others`, those of other backups of its kind. Runs from the same storage on the same host are
 * preferred, then those from the same storage. Undefined: nothing was ever measured.
 */
export function estimateRestore(
  times: readonly RestoreTime[],
  manifest: Pick<Manifest, "parts" | "references">,
  others: readonly RestoreTime[] = [],
  route: RestoreRoute = {},
): RestoreEstimate | undefined {
  const own = foretell(times, manifest, route);
  if (own !== undefined) return { totalMs: own.ms, measured: own.runs };
  const foreign = foretell(others, manifest, route);
  return foreign && { totalMs: foreign.ms, measured: 0 };
}

/** What is remembered of a restore that was measured. */
export function restoreTime(
  manifest: Pick<Manifest, "parts" | "references">,
  run: Pick<RestoreTime, "at" | "restoreMs" | "totalMs" | "storage" | "host">,
  only?: string,
): RestoreTime {
  const { stored, raw } = sizesOf(manifest, only);
  return { ...run, bytes: stored, ...(raw === undefined ? {} : { rawBytes: raw }) };
}

function foretell(
  times: readonly RestoreTime[],
  manifest: Pick<Manifest, "parts" | "references">,
  route: RestoreRoute,
): { readonly ms: number; readonly runs: number } | undefined {
  const { stored, raw } = sizesOf(manifest, route.only);
  const byRaw = raw !== undefined && times.some(({ rawBytes = 0 }) => rawBytes > 0);
  const sizeOf = (time: RestoreTime): number => (byRaw ? (time.rawBytes ?? 0) : time.bytes);
  const size = byRaw ? raw : stored;
  // Without a size there is nothing to go by, and what an attempt before had restored already was not measured.
  const usable = times
    .filter((time) => sizeOf(time) > 0 && time.restoreMs > 0)
    .toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at));
  const runs = alike(usable, route).map((time) => ({ size: sizeOf(time), ms: time.totalMs ?? time.restoreMs }));
  const several = runs.slice(0, newestOfSizes);
  const perByte = msPerByte(several);
  if (perByte !== undefined) {
    const rest = Math.max(0, median(several.map((run) => run.ms - perByte * run.size)));
    return { ms: Math.round(rest + perByte * size), runs: several.length };
  }
  const chosen = runs.slice(0, newest);
  if (chosen.length === 0) return undefined;
  const foretold = chosen.map((run) => {
    const fixed = Math.min(fixedMs, run.ms / 2);
    return fixed + (run.ms - fixed) * (size / run.size);
  });
  return { ms: Math.round(median(foretold)), runs: chosen.length };
}

/** What a byte takes, as the median of what any two runs of different sizes say of it; undefined where they say nothing. */
function msPerByte(runs: readonly { readonly size: number; readonly ms: number }[]): number | undefined {
  const slopes = runs.flatMap((large) =>
    runs
      .filter(({ size }) => large.size >= apart * size)
      .map((small) => (large.ms - small.ms) / (large.size - small.size)),
  );
  const slope = slopes.length === 0 ? 0 : median(slopes);
  return slope > 0 ? slope : undefined;
}

/** Those most like what is to be done, of which there are any. */
function alike(times: readonly RestoreTime[], { storage, host }: RestoreRoute): readonly RestoreTime[] {
  const sameStorage = times.filter((time) => time.storage === storage);
  const sameHost = sameStorage.filter((time) => time.host === host);
  return [sameHost, sameStorage].find(({ length }) => length > 0) ?? times;
}

/** Bytes as stored, parts of earlier runs included, and before compression where that is known of all of them. */
function sizesOf(
  { parts, references }: Pick<Manifest, "parts" | "references">,
  only: string | undefined,
): { readonly stored: number; readonly raw: number | undefined } {
  const own = { parts: parts.filter(({ database }) => only === undefined || database === only) };
  const earlier = references.reduce((sum, { bytes }) => sum + bytes, 0);
  return { stored: storedBytes(own) + earlier, raw: references.length > 0 ? undefined : rawBytes(own) };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[(sorted.length >> 1) - 1] ?? Number.NaN) + upper) / 2;
}
