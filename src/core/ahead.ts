/** No two clocks that are looked after differ by more; milliseconds. */
const aheadMs = 24 * 3_600_000;

/** True for a time so far ahead that only a wrong clock can have told it. A date that is none is not ahead. */
export function isAhead(at: Date, now: Date): boolean {
  return at.getTime() - now.getTime() > aheadMs;
}

/** What sorts by time, ISO 8601, with those that are ahead before all others: none of them is the newest. */
export function orderOf(at: string, now: Date): string {
  return `${isAhead(new Date(at), now) ? 0 : 1} ${at}`;
}
