import type { Config } from "../../app/config.ts";
import { AppError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import type { BackupRun } from "../../core/run.ts";
import { isWithin, lateAfterMs, nextOpening } from "../../core/schedule.ts";
import type { JobOutcome } from "../../queue/contracts.ts";
import type { Runs } from "../../state/runs.ts";
import { scheduleEntries } from "../schedules.ts";
import { runError } from "./run-error.ts";

/** A run that waits for its hours is looked at again after this time at the latest; milliseconds. */
const lookAgainMs = 5 * 60_000;

/**
 * For a run of the schedule that was ordered in its hours and is taken up outside of them, since every worker was away
 * or busy: it waits for the next ones, or has failed where nothing is made up. Undefined: it may begin. What has begun
 * once goes on at any time.
 */
export async function waitForHours(
  deps: { readonly config: Config; readonly clock: Clock; readonly runs: Runs },
  run: BackupRun,
): Promise<JobOutcome | undefined> {
  const { config, clock, runs } = deps;
  const isScheduled = run.trigger === "schedule" || run.trigger === "catch-up";
  if (!isScheduled || run.status !== "queued" || run.attempt > 0) return undefined;
  const entry = scheduleEntries(config).find(({ key }) => key === `backup:${run.name}`);
  const now = clock.now();
  if (!entry || isWithin(entry, now)) return undefined;
  // Ordered in the last minute of its hours.
  if (run.notBefore === undefined && now.getTime() - Date.parse(run.createdAt) <= lateAfterMs) return undefined;
  if (entry.catchUp) {
    const opening = nextOpening(entry, now);
    const notBefore = opening.toISOString();
    await runs.update(run.id, "normal", now, (current) =>
      current.notBefore === notBefore ? current : { ...current, notBefore },
    );
    return { later: Math.min(opening.getTime() - now.getTime(), lookAgainMs) };
  }
  const error = new AppError("conflict", "its hours are over before it could begin", { text: { key: "error-window" } });
  const failed = await runs.record(run.id, "reply", now, (current) =>
    current.status === "queued"
      ? { ...current, status: "failed", finishedAt: now.toISOString(), error: runError(error, "waiting") }
      : current,
  );
  return { done: { run: run.id, status: failed.status } };
}
