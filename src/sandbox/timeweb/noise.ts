/** A number from 0 to 1 that follows from others alone: the same for the same, and unlike its neighbours. */
export function noise(...parts: readonly number[]): number {
  let hash = 0x811c9dc5;
  for (const part of parts) {
    hash = Math.imul(hash ^ (part | 0), 0x01000193);
    hash = Math.imul(hash ^ Math.floor(part / 2 ** 32), 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** The same, but it moves slowly with `at`: from one value to the next in `periodMs`. */
export function drift(at: number, periodMs: number, ...parts: readonly number[]): number {
  const step = Math.floor(at / periodMs);
  const part = at / periodMs - step;
  const smooth = part * part * (3 - 2 * part);
  return noise(...parts, step) * (1 - smooth) + noise(...parts, step + 1) * smooth;
}
