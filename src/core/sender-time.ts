/** Clocks of senders may be ahead by so much, milliseconds. */
const clockTolerance = 300_000;

/** Milliseconds since 1970 of what a sender has written; `otherwise` where that is no time. */
export function timeOf(text: string | undefined, otherwise: Date): number {
  const at = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? otherwise.getTime() : at;
}

/** What lies far in the future comes of a wrong clock: once it is set, the times of now must count again. */
function newness(at: number, now: Date): number {
  return at > now.getTime() + clockTolerance ? at - 1e15 : at;
}

/** Whether `at` comes after `than`, by the sender's clock. */
export function isLater(at: number, than: string, now: Date): boolean {
  return newness(at, now) > newness(Date.parse(than), now);
}

/** The newest of some times, by the sender's clock. */
export function newest(times: readonly number[], now: Date): string {
  const sorted = times.toSorted((a, b) => newness(b, now) - newness(a, now));
  return new Date(sorted[0] ?? now.getTime()).toISOString();
}
