import type { Config } from "../app/config.ts";
import type { DailyBackup, DailyReport } from "../core/daily.ts";
import { endHeardAt, isUnseen } from "../core/incident.ts";
import type { Clock } from "../core/ports.ts";
import { isFinal } from "../core/run.ts";
import { due, type ScheduleEntry } from "../core/schedule.ts";
import type { Logger } from "../lib/logger.ts";
import type { Cards } from "../state/cards.ts";
import type { Incidents } from "../state/incidents.ts";
import type { Presences } from "../state/presence.ts";
import type { Runs } from "../state/runs.ts";
import type { ScheduleState } from "../state/schedule.ts";
import type { Storms } from "../state/storms.ts";
import { placeOf } from "./alerts/routing.ts";
import { type BackupHealth, type HealthDeps, type HealthReason, readHealth } from "./backup/health.ts";
import { presenceWithinMs } from "./status.ts";

export interface DailyDeps extends HealthDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cards: Cards;
  readonly incidents: Incidents;
  readonly storms: Storms;
  readonly runs: Runs;
  readonly presences: Presences;
  /** Its own: the ticks forget what they do not know. */
  readonly dailySchedule: ScheduleState;
}

const key = "daily";
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Later than this the card of a day is left out: what it says would be taken for the morning's. */
const latestMs = 6 * hourMs;

/** Cards of days before this are forgotten. */
const keepDays = 30;

/** Ended incidents and runs of a day that are counted at most. */
const mostCounted = 10_000;
const mostRuns = 200;

/** Posts the card of the day when it is time, once among all bots. True when this call did it. */
export async function daily(deps: DailyDeps): Promise<boolean> {
  const { config, clock, cards, dailySchedule, logger } = deps;
  const target = config.daily ? placeOf(config, config.daily) : undefined;
  if (!config.daily || !target) return false;
  const now = clock.now();
  const plan = due([entryOf(config.daily.at, config.timezone)], await dailySchedule.read(), now);
  const [dueNow] = plan.due;
  let isNew = false;
  if (dueNow && now.getTime() - dueNow.at.getTime() <= latestMs) {
    const ref = { kind: key, id: dateOf(dueNow.at, config.timezone) };
    isNew = await cards.create(ref, await dailyReport(deps), "normal", now);
    // Placed by whoever comes: a bot that was killed in between leaves it to the next one.
    await cards.place(ref, target, "normal", now);
    await forgetOld(cards, dueNow.at, config.timezone);
    if (isNew) logger.info({ card: ref.id }, "the card of the day");
  }
  for (const [handled, at] of plan.handled) await dailySchedule.write(handled, at);
  return isNew;
}

function entryOf(at: string, timezone: string): ScheduleEntry {
  const [hours, minutes] = at.split(":").map(Number);
  return { key, pattern: `${minutes ?? 0} ${hours ?? 0} * * *`, timezone, catchUp: true };
}

/** The day in a time zone: "daily-2026-11-20". */
function dateOf(at: Date, timezone: string): string {
  return `${key}-${new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeZone: timezone }).format(at)}`;
}

async function forgetOld(cards: Cards, at: Date, timezone: string): Promise<void> {
  for (let day = keepDays; day < keepDays + 7; day++)
    await cards.remove({ kind: key, id: dateOf(new Date(at.getTime() - day * dayMs), timezone) });
}

/** How everything stands now. */
export async function dailyReport(deps: Omit<DailyDeps, "dailySchedule" | "cards" | "logger">): Promise<DailyReport> {
  const { config, clock, incidents, storms, runs, presences } = deps;
  const now = clock.now();
  const from = new Date(now.getTime() - dayMs);
  const open = await incidents.open();
  const ended = await endedOnes(deps, from, now);
  const [oldest] = open.toSorted((a, b) => (a.openedAt < b.openedAt ? -1 : 1));
  const ofSeverity = (severity: string): number => open.filter((incident) => incident.severity === severity).length;
  const alive = await presences.alive(now, presenceWithinMs);
  const lists = await Promise.all(config.backups.map(async ({ name }) => await runs.list(name, mostRuns)));
  const recent = lists
    .flat()
    .filter(({ status, finishedAt }) => isFinal(status) && status !== "cancelled" && isSince(finishedAt, from));
  return {
    at: now.toISOString(),
    incidents: {
      critical: ofSeverity("critical"),
      warning: ofSeverity("warning"),
      info: ofSeverity("info"),
      ...(oldest ? { oldest: { title: oldest.title, since: oldest.openedAt } } : {}),
      stillReported: ended.stillReported,
    },
    backups: (await readHealth(deps)).map(standOf),
    processes: {
      bots: alive.filter(({ role }) => role === "bot").length,
      workers: alive.filter(({ role }) => role === "worker").length,
    },
    day: {
      opened: open.filter(({ openedAt }) => isSince(openedAt, from)).length + ended.opened,
      resolved: ended.resolved,
      closed: ended.closed,
      noted: ended.noted,
      storms: (await storms.known(now)).length - (await storms.known(from)).length,
      backups: recent.length,
      failedBackups: recent.filter(({ status }) => status === "failed").length,
    },
  };
}

/** What has ended since `from`, counted, and what goes on though somebody has closed it, however long ago that was. */
async function endedOnes({ config, incidents }: Pick<DailyDeps, "config" | "incidents">, from: Date, now: Date) {
  const counts = { opened: 0, resolved: 0, closed: 0, noted: 0, stillReported: 0 };
  const ids = await incidents.endedIdsSince(new Date(now.getTime() - config.alerts.keep), mostCounted);
  for await (const incident of incidents.each(ids)) {
    const { status, openedAt, heardAt, stillReported = 0 } = incident;
    // What its source has not repeated for long is over there as well.
    const isHeard = now.getTime() - Date.parse(heardAt) < config.alerts.staleAfter;
    if (status === "closed" && stillReported > 0 && isHeard) counts.stillReported += 1;
    // An end without a beginning was never anything.
    if (status === "firing" || isUnseen(incident) || !isSince(endHeardAt(incident), from)) continue;
    counts[status] += 1;
    if (status !== "noted" && isSince(openedAt, from)) counts.opened += 1;
  }
  return counts;
}

const states: Readonly<Record<HealthReason, DailyBackup["state"]>> = {
  damaged: "damaged",
  failed: "failed",
  never: "never",
  "too-old": "overdue",
  "out-of-reach": "unseen",
  unseen: "unseen",
  late: "overdue",
  "copy-missing": "degraded",
  anomaly: "small",
  "proof-old": "unproven",
  unproven: "unproven",
};

/** How a backup stands, by the worst that is said against it. */
function standOf({ name, reasons: [worst], lastGood, unseen }: BackupHealth): DailyBackup {
  const finishedAt = lastGood?.manifest.finishedAt;
  const state = worst ? states[worst] : "good";
  return {
    name,
    ...(finishedAt === undefined ? {} : { finishedAt }),
    state,
    ...(state === "unseen" ? { storages: unseen.map(({ storage }) => storage) } : {}),
  };
}

function isSince(at: string | undefined, from: Date): boolean {
  return at !== undefined && Date.parse(at) >= from.getTime();
}
