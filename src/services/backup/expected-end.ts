import type { Config } from "../../app/config.ts";
import { planRetention } from "../../core/retention.ts";
import { nextTime } from "../../core/schedule.ts";
import type { CachedCopy } from "../../state/catalogue.ts";
import { keptOf, type RetentionOptions } from "./retention.ts";

/** How many runs ahead it is looked. */
const runsAhead = 400;
/** Of more backups than this it is not worked out: it would take too long for an answer. */
const mostBackups = 1000;

/**
 * About when the retention lets a backup go, if all goes on by the schedule and every run succeeds; undefined when that
 * lies too far ahead, or can not be told.
 */
export function expectedEnd(
  copies: ReadonlyMap<string, CachedCopy>,
  folder: string,
  backup: Pick<Config["backups"][number], "schedule" | "timezone">,
  options: RetentionOptions,
): Date | undefined {
  const { policy, timezone, now } = options;
  if (policy === "all" || backup.schedule === undefined || copies.size > mostBackups) return undefined;
  const kept = [...copies].map(([each, copy]) => keptOf(each, copy, options));
  const times: Date[] = [];
  for (let at = nextTime(backup.schedule, backup.timezone ?? timezone, now); at && times.length < runsAhead; ) {
    times.push(at);
    at = nextTime(backup.schedule, backup.timezone ?? timezone, at);
  }
  const goesAfter = (count: number): boolean => {
    const coming = times
      .slice(0, count)
      .map((startedAt, index) => ({ id: `next ${index}`, startedAt, pinned: false, sound: true, needs: [] }));
    const then = times[count - 1] ?? now;
    return planRetention([...kept, ...coming], policy, { timezone, now: then }).remove.includes(folder);
  };
  if (times.length === 0 || !goesAfter(times.length)) return undefined;
  // What has gone once does not come back: the first run after which it goes is found by halving.
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (goesAfter(middle)) high = middle;
    else low = middle + 1;
  }
  return times[Math.max(0, low - 1)];
}
