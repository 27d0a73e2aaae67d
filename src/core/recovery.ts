import type { Text } from "./text.ts";

/**
 * A reason to think that a server does not answer. Of one class there is one: they are independent of each other.
 * `isSilence`: nothing was heard where something should have been; the others only say that something is wrong.
 */
export interface Sign {
  /** "silence", "exporter", "heartbeat", or whoever has reported it. */
  readonly class: string;
  readonly isSilence: boolean;
  readonly since: Date;
  readonly text: Text;
}

/** What is remembered of a server that does not answer, from one look to the next. Times in milliseconds since 1970. */
export interface Unresponsive {
  /** When it was found so first. */
  readonly since: number;
  readonly lookedAt: number;
  /** How many looks in a row have found it so. */
  readonly looks: number;
}

/** Longer between two looks, and nobody knows what was in between: the machine slept, or its clock was set. Milliseconds. */
const longestGapMs = 90_000;
/** So many looks at least, whatever the clock says. */
const fewestLooks = 3;

/** Of each class the one that is there for longest, the oldest first. */
export function independent(signs: readonly Sign[]): Sign[] {
  const oldest = new Map<string, Sign>();
  for (const sign of signs) {
    const known = oldest.get(sign.class);
    if (!known || sign.since < known.since) oldest.set(sign.class, sign);
  }
  return [...oldest.values()].toSorted((a, b) => a.since.getTime() - b.since.getTime());
}

/** Whether these signs together say that a server does not answer: enough of them, and silence among them. */
export function isUnresponsive(signs: readonly Sign[], needed: number): boolean {
  return signs.length >= needed && signs.some(({ isSilence }) => isSilence);
}

/** What a look that has found it so makes of what was known. */
export function seenUnresponsive(known: Unresponsive | undefined, now: Date): Unresponsive {
  const at = now.getTime();
  const gap = known ? at - known.lookedAt : Number.POSITIVE_INFINITY;
  if (!known || gap < 0 || gap > longestGapMs) return { since: at, lookedAt: at, looks: 1 };
  return { ...known, lookedAt: at, looks: known.looks + 1 };
}

/** Whether it has been so for long enough. `after`: milliseconds. */
export function isLongEnough({ since, lookedAt, looks }: Unresponsive, after: number): boolean {
  return lookedAt - since >= after && looks >= fewestLooks;
}

/** Whether recovery may act on a server again. `last`: when it did; `every`: how often at most; milliseconds. */
export function mayActAgain(last: number | undefined, every: number, now: Date): boolean {
  // A clock that was ahead must not allow it sooner, nor forbid it for ever.
  return last === undefined || Math.abs(now.getTime() - last) >= every;
}
