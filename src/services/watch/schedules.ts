import type { Config } from "../../app/config.ts";
import type { BackupRun } from "../../core/run.ts";
import { due, type ScheduleEntry } from "../../core/schedule.ts";
import type { Moment } from "../../core/text.ts";
import type { Drills } from "../../state/drills.ts";
import type { Runs } from "../../state/runs.ts";
import type { ScheduleState } from "../../state/schedule.ts";
import type { Verifications } from "../../state/verifications.ts";
import type { WatchState } from "../../state/watch.ts";
import { verifyEntries } from "../backup/verify-schedule.ts";
import { drillEntries } from "../drills/schedule.ts";
import { backupOf, scheduleEntries } from "../schedules.ts";
import { type Finding, stamp, type WatchCheck } from "./types.ts";

/** A run that has not begun so long after its time is missed; milliseconds. */
const missedAfterMs = 15 * 60_000;

/** The same of a verification, which may wait for a worker that makes a backup; milliseconds. */
const missedLookAfterMs = 2 * 3_600_000;

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
  /** Newest runs of that backup, or verifications. */
  readonly runs: readonly Ordered[];
}

type Ordered = Pick<BackupRun, "id" | "createdAt" | "attempt" | "dueAt"> &
  Partial<Pick<BackupRun, "notBefore" | "waitsFor">> & { readonly status: string };

/** When a schedule wanted a run that has not begun, or undefined when it owes none. */
export function missedRun(view: ScheduleView, now: Date, afterMs = missedAfterMs): Date | undefined {
  const { entry, handled, since, runs } = view;
  if (!handled) return undefined;
  const before = new Date(now.getTime() - afterMs);
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

interface SchedulesCheckDeps {
  readonly config: Config;
  readonly runs: Pick<Runs, "list">;
  readonly verifications: Pick<Verifications, "list">;
  readonly schedule: Pick<ScheduleState, "read">;
  /** Of the verifications alone. */
  readonly verifySchedule: Pick<ScheduleState, "read">;
  readonly drills: Pick<Drills, "list">;
  /** Of the drill alone. */
  readonly drillSchedule: Pick<ScheduleState, "read">;
  readonly watchState: Pick<WatchState, "unchangedSince">;
}

/** Whether every schedule starts what it should: of backups, of verifications and of the drill. */
export function schedulesCheck(deps: SchedulesCheckDeps): WatchCheck {
  const { config, runs, verifications, watchState } = deps;
  return {
    name: "schedules",
    everyMs: 30_000,
    look: async ({ now, awakeSince, open }) => {
      const found: Finding[] = [];
      const isAwake = now.getTime() - awakeSince.getTime() >= graceMs;
      const check = async (what: What, afterMs: number): Promise<void> => {
        const { entry, fingerprint } = what;
        const since = await watchState.unchangedSince(fingerprint, `${entry.pattern} ${entry.timezone}`, now);
        const at = missedRun({ ...what, since }, now, afterMs);
        const known = open.get(fingerprint);
        if (at && (known || isAwake)) found.push(known ?? missed(what, stamp(at, config.timezone), at));
      };
      const handled = await deps.schedule.read();
      for (const entry of scheduleEntries(config)) {
        const name = backupOf(entry.key);
        const own = {
          fingerprint: `schedule:${name}`,
          title: "watch-schedule",
          text: "watch-schedule-text",
          runs: await runs.list(name, lookBack),
        };
        await check({ entry, name, handled: handled.get(entry.key), ...own }, missedAfterMs);
      }
      const looked = await deps.verifySchedule.read();
      for (const entry of verifyEntries(config)) {
        const name = entry.key;
        const list = await verifications.list(name, lookBack);
        const own = {
          fingerprint: `verify-schedule:${name}`,
          title: "watch-verify-schedule",
          text: "watch-verify-schedule-text",
          runs: list,
        };
        await check({ entry, name, handled: looked.get(entry.key), ...own }, missedLookAfterMs);
      }
      const drilled = await deps.drillSchedule.read();
      for (const entry of drillEntries(config)) {
        const own = {
          fingerprint: "drill-schedule",
          title: "watch-drill-schedule",
          text: "watch-drill-schedule-text",
          runs: await deps.drills.list(lookBack),
        };
        await check({ entry, handled: drilled.get(entry.key), ...own }, missedLookAfterMs);
      }
      return found;
    },
  };
}

/** A schedule, and how it is told of. */
interface What extends Omit<ScheduleView, "since"> {
  /** Of the backup; absent: it is for all of them. */
  readonly name?: string;
  readonly fingerprint: string;
  /** Keys of texts. */
  readonly title: string;
  readonly text: string;
}

function missed({ name, fingerprint, title, text }: What, at: Moment, since: Date): Finding {
  return {
    fingerprint,
    severity: "warning",
    title: { key: title, args: { ...(name === undefined ? {} : { name }), at } },
    text: { key: text, ...(name === undefined ? {} : { args: { name } }) },
    labels: name === undefined ? {} : { backup: name },
    since,
  };
}
