import { isAhead } from "./ahead.ts";
import type { Manifest } from "./manifest.ts";
import { storedBytes } from "./run.ts";

/** A backup as the look at sizes sees it. */
export interface Sized {
  /** What tells it from the others: its folder. */
  readonly id: string;
  readonly startedAt: Date;
  readonly bytes: number;
}

/** A backup that is far smaller than those before it. */
export interface Anomaly {
  readonly id: string;
  readonly startedAt: Date;
  readonly bytes: number;
  /** Of those before it. */
  readonly medianBytes: number;
}

export interface AnomalyPolicy {
  /** Smaller than this part of the median is suspicious. */
  readonly below: number;
  /** How many before it count. */
  readonly of: number;
}

/** What backups are measured by, whatever was made before. */
export interface Measure {
  readonly bytes: number;
  /** For those that began then or later. */
  readonly since: Date;
}

export interface SizeVerdict {
  /** Absent: the newest backup is of the usual size. */
  readonly anomaly?: Anomaly;
  /** To be remembered, and given back at the next look; absent: nothing is. */
  readonly measure?: Measure;
}

/** Backups that are judged beside those that count for the first of them. */
const judged = 10;

/** How many of the newest backups are looked at. */
export function sizesWindow({ of }: AnomalyPolicy): number {
  return of + judged;
}

/**
 * Whether the newest backup is far smaller than those before it. Small ones do not count for those after them, so that
 * they never become usual by being many: that takes a person, who sets the measure (`since` the one whose size is
 * right). A measure holds until all that is looked at is newer, and enough of it of the usual size.
 */
export function judgeSizes(
  backups: readonly Sized[],
  policy: AnomalyPolicy,
  options: { readonly now: Date; readonly measure?: Measure | undefined },
): SizeVerdict {
  const { now, measure } = options;
  const all = backups
    .filter(({ startedAt }) => !isAhead(startedAt, now))
    .toSorted((a, b) => a.startedAt.getTime() - b.startedAt.getTime() || (a.id < b.id ? -1 : 1))
    .slice(-sizesWindow(policy));
  const measured = measure ? all.filter(({ startedAt }) => startedAt >= measure.since) : [];
  const isMeasured = measure !== undefined && measured.length > 0;
  const first = isMeasured ? 0 : Math.min(policy.of, all.length - 1);
  const usual = isMeasured ? [measure.bytes] : all.slice(0, first).map(({ bytes }) => bytes);
  let small: Anomaly | undefined;
  let since = now;
  for (const backup of isMeasured ? measured : all.slice(first)) {
    const medianBytes = median(usual.slice(-policy.of));
    if (usual.length > 0 && backup.bytes < policy.below * medianBytes) {
      if (!small) since = backup.startedAt;
      small = { ...backup, medianBytes };
    } else {
      usual.push(backup.bytes);
      small = undefined;
    }
  }
  if (small) return { anomaly: small, measure: { bytes: small.medianBytes, since } };
  const isPast = measured.length === all.length && usual.length > policy.of;
  return isMeasured && !isPast ? { measure } : {};
}

/** Bytes of all that a backup consists of, the parts of earlier ones that it needs included. */
export function wholeBytes(manifest: Manifest): number {
  return manifest.references.reduce((sum, { bytes }) => sum + bytes, storedBytes(manifest));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? 0)) / 2;
}
