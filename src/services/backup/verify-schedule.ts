import type { Config } from "../../app/config.ts";
import type { Clock } from "../../core/ports.ts";
import { due, type ScheduleEntry } from "../../core/schedule.ts";
import type { Logger } from "../../lib/logger.ts";
import type { ScheduleState } from "../../state/schedule.ts";
import type { Verifications } from "../../state/verifications.ts";
import type { VerificationOrders } from "./verifications.ts";

export interface VerifyScheduleDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of the verifications alone. */
  readonly verifySchedule: ScheduleState;
  readonly verificationOrders: VerificationOrders;
  readonly verifications: Verifications;
}

/**
 * What verifications need by the clock: those of the schedule are ordered, those whose job is gone are put back into the
 * queue, old ones are forgotten. A time that was missed is made up for once.
 */
export async function verifyByClock(deps: VerifyScheduleDeps): Promise<{ ordered: string[]; requeued: string[] }> {
  const { config, clock, logger, verifySchedule, verificationOrders, verifications } = deps;
  const now = clock.now();
  const entries = verifyEntries(config);
  const plan = due(entries, await verifySchedule.read(), now);
  const ordered: string[] = [];
  for (const { key, at } of plan.due) {
    const verification = await verificationOrders.schedule(key, at);
    if (verification) ordered.push(verification.id);
    else logger.warn({ backup: key, dueAt: at }, "there is no backup to be verified");
  }
  // Recorded after the orders: a kill in between repeats them, which their ids make harmless.
  for (const [key, at] of plan.handled) await verifySchedule.write(key, at);
  await verifySchedule.retain(new Set(entries.map(({ key }) => key)), now);
  const requeued = await verificationOrders.requeueLost();
  for (const { name } of config.backups) await verifications.prune(name);
  return { ordered, requeued };
}

/** By the names of the backups. */
export function verifyEntries({ backups, timezone }: Config): ScheduleEntry[] {
  return backups.flatMap((backup) => {
    const pattern = backup.verify.schedule;
    if (pattern === undefined) return [];
    return [{ key: backup.name, pattern, timezone: backup.timezone ?? timezone, catchUp: true }];
  });
}
