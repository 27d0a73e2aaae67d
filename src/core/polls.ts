import { digestNumber } from "./signal.ts";

/** Time is cut into these, each with the polls whose turn it is; milliseconds. The clock's job comes as often. */
const sliceMs = 15_000;

/** A clock that was set back by less is waited for; slices. Two workers' clocks differ by less than that. */
const waitedFor = 4;

/** How far the polls have got. */
export interface PollClock {
  /** Number of the last slice whose polls were begun, from 1970 on. */
  readonly slice: number;
  /** How often it had to begin anew, since the clock was set or nobody was there: another number for the same slice. */
  readonly epoch: number;
}

/** How many slices an interval has. */
export function slicesOf(every: number): number {
  return Math.max(1, Math.round(every / sliceMs));
}

/** In which slice of every interval a server has its turn: always the same, and spread over it. */
export function phaseOf(name: string, every: number): number {
  return Math.floor(digestNumber(`poll ${name}`) * slicesOf(every));
}

/**
 * The slices whose turn it is, and how far that is. What was missed within an interval is made up. After longer (nobody
 * was there, or the clock was set forward), and after a clock that was set back, it goes on from `now`: everybody's turn
 * comes within the next interval, as spread as ever, instead of all at once.
 */
export function dueSlices(
  known: PollClock | undefined,
  every: number,
  now: Date,
): { readonly clock: PollClock; readonly slices: readonly number[] } {
  const slice = Math.floor(now.getTime() / sliceMs);
  if (!known) return { clock: { slice, epoch: 1 }, slices: [slice] };
  const passed = slice - known.slice;
  if (passed <= 0 && -passed <= waitedFor) return { clock: known, slices: [] };
  if (passed < 0 || passed > slicesOf(every)) return { clock: { slice, epoch: known.epoch + 1 }, slices: [slice] };
  const slices = Array.from({ length: passed }, (_, index) => known.slice + 1 + index);
  return { clock: { slice, epoch: known.epoch }, slices };
}

/** Whose turn it is in a slice. */
export function inSlice<S extends { readonly name: string }>(servers: readonly S[], slice: number, every: number): S[] {
  const phase = slice % slicesOf(every);
  return servers.filter(({ name }) => phaseOf(name, every) === phase);
}

/** How much later than its turn a poll is overdue: two intervals without one; milliseconds. */
export function overdueAfter(every: number): number {
  return 2 * every + sliceMs;
}

/**
 * Whose poll is overdue. `since`: since when somebody has been looking without a pause, by this clock; before that nothing
 * is owed, nor by a server before it was known.
 */
export function overdue<S extends { readonly name: string }>(
  servers: readonly S[],
  lookedAt: (name: string) => Date | undefined,
  knownSince: (name: string) => Date | undefined,
  every: number,
  { now, since }: { readonly now: Date; readonly since: Date },
): S[] {
  return servers.filter(({ name }) => {
    const last = lookedAt(name) ?? knownSince(name) ?? now;
    // A time ahead of now comes of a clock that was wrong then.
    const from = Math.max(last > now ? 0 : last.getTime(), since.getTime());
    return now.getTime() - from > overdueAfter(every);
  });
}

/** A jump of the clock that is believed at once, and how much of a greater one is believed at a time; milliseconds. */
const believedMs = 2 * 24 * 3_600_000;
const stepMs = 3_600_000;

/**
 * The time by which things may be removed for good. It follows `now`, but believes a jump over days only step by step: a
 * clock that is years ahead for some minutes removes nothing. `known`: what this gave before.
 */
export function reliableTime(known: Date | undefined, now: Date): Date {
  if (!known || now.getTime() - known.getTime() <= believedMs) return now;
  return new Date(known.getTime() + stepMs);
}
