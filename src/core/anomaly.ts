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

/**
 * Whether the newest backup is far smaller than those before it. `accepted`: the size of one of which a person has said
 * that it is right; what is not far smaller than that is right as well.
 */
export function sizeAnomaly(
  backups: readonly Sized[],
  policy: AnomalyPolicy,
  options: { readonly now: Date; readonly accepted?: number | undefined },
): Anomaly | undefined {
  const { now, accepted } = options;
  const [newest, ...before] = backups
    .filter(({ startedAt }) => !isAhead(startedAt, now))
    .toSorted((a, b) => b.startedAt.getTime() - a.startedAt.getTime() || (a.id < b.id ? 1 : -1));
  if (!newest || before.length === 0) return undefined;
  const medianBytes = median(before.slice(0, policy.of).map(({ bytes }) => bytes));
  if (newest.bytes >= policy.below * medianBytes) return undefined;
  if (accepted !== undefined && newest.bytes >= policy.below * accepted) return undefined;
  return { ...newest, medianBytes };
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
