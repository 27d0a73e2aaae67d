import type { Config } from "../../app/config.ts";
import type { BackupRun } from "../../core/run.ts";
import { due, type ScheduleEntry } from "../../core/schedule.ts";
import type { Runs } from "../../state/runs.ts";
import type { ScheduleState } from "../../state/schedule.ts";
import type { WatchState } from "../../state/watch.ts";
import { backupOf, scheduleEntries } from "../tick.ts";
import { type Finding, type Look, stamp, type WatchCheck } from "./types.ts";

/** A run that has not begun so long after its time is missed; milliseconds. */
const missedAfterMs = 15 * 60_000;

/** What has been asleep itself gives the others this long to make up for what they have missed; milliseconds. */
const graceMs = 2 * 60_000;

/** How many of the newest runs of a name are looked through. */
const lookBack = 20;

/** What is known of a schedule. */
export interface ScheduleView {
  readonly entry: ScheduleEntry;
  /** Up to when the clock's job has handled it; undefined: it has not seen it yet. */
  readonly handled: Date | undefined;
  /** Since when the schedule has been what it is: it owes nothing from before. */
  readonly since: Date;
  /** Newest runs of that backup. */
  readonly runs: readonly BackupRun[];
}

/** When a schedule wanted a run that has not begun, or undefined when it owes none. */
export function missedRun({ entry, handled, since, runs }: ScheduleView, now: Date): Date | undefined {
  if (!handled) return undefined;
  const before = new Date(now.getTime() - missedAfterMs);
  const from = new Date(Math.max(handled.getTime(), since.getTime()));
  const plan = due([entry], new Map([[entry.key, from]]), before);
  const [unseen] = [...plan.due, ...plan.dropped];
  if (unseen) return unseen.at;
  // Ordered in time, but nobody has begun; it stands for all later times as well. One that waits for its turn after
  // another run of the same name waits on purpose.
  const waiting = runs.find((run) => run.dueAt !== undefined && run.status === "queued" && run.attempt === 0);
  if (waiting?.notBefore !== undefined && new Date(waiting.notBefore) > before) return undefined;
  if (!waiting || new Date(waiting.createdAt) > before) return undefined;
  const isBusy = runs.some(({ id, status }) => id !== waiting.id && status === "running");
  return isBusy || waiting.waitsFor !== undefined ? undefined : new Date(waiting.createdAt);
}

/** Whether every schedule starts what it should. */
export function schedulesCheck({
  config,
  runs,
  schedule,
  watchState,
}: {
  readonly config: Config;
  readonly runs: Runs;
  readonly schedule: ScheduleState;
  readonly watchState: WatchState;
}): WatchCheck {
  const view = async (entry: ScheduleEntry, handled: Date | undefined, { now }: Look): Promise<ScheduleView> => ({
    entry,
    handled,
    since: await watchState.unchangedSince(entry.key, `${entry.pattern} ${entry.timezone}`, now),
    runs: await runs.list(backupOf(entry.key), lookBack),
  });
  return {
    name: "schedules",
    everyMs: 30_000,
    look: async (look) => {
      const handled = await schedule.read();
      const found: Finding[] = [];
      const isAwake = look.now.getTime() - look.awakeSince.getTime() >= graceMs;
      for (const entry of scheduleEntries(config)) {
        const at = missedRun(await view(entry, handled.get(entry.key), look), look.now);
        const name = backupOf(entry.key);
        const fingerprint = `schedule:${name}`;
        const known = look.open.get(fingerprint);
        if (at && (known || isAwake)) found.push(known ?? missed(name, fingerprint, stamp(at, config.timezone), at));
      }
      return found;
    },
  };
}

function missed(name: string, fingerprint: string, at: string, since: Date): Finding {
  return {
    fingerprint,
    severity: "warning",
    title: { key: "watch-schedule", args: { name, at } },
    text: { key: "watch-schedule-text", args: { name } },
    labels: { backup: name },
    since,
  };
}
