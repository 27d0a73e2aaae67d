import type { Config } from "../../app/config.ts";
import type { Clock } from "../../core/ports.ts";
import { due, type ScheduleEntry } from "../../core/schedule.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Drills } from "../../state/drills.ts";
import type { ScheduleState } from "../../state/schedule.ts";
import type { DrillOrders } from "./orders.ts";

export interface DrillScheduleDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of the drill alone. */
  readonly drillSchedule: ScheduleState;
  readonly drillOrders: DrillOrders;
  readonly drills: Drills;
}

const key = "drill";

/** The drill's schedule, where one is configured. */
export function drillEntries({ drill, timezone }: Pick<Config, "drill" | "timezone">): ScheduleEntry[] {
  return drill ? [{ key, pattern: drill.schedule, timezone, catchUp: true }] : [];
}

/**
 * What drills need by the clock: that of the schedule is ordered, one whose job is gone is put back into the queue, old
 * ones are forgotten. A time that was missed is made up for once.
 */
export async function drillByClock(deps: DrillScheduleDeps): Promise<{ ordered: string[]; requeued: string[] }> {
  const { config, clock, logger, drillSchedule, drillOrders, drills } = deps;
  const now = clock.now();
  const entries = drillEntries(config);
  const plan = due(entries, await drillSchedule.read(), now);
  const ordered: string[] = [];
  for (const { at, late, missed } of plan.due) {
    ordered.push((await drillOrders.schedule(at)).id);
    if (late) logger.warn({ dueAt: at, missed }, "a missed drill is made up");
  }
  // Recorded after the order: a kill in between repeats it, which its id makes harmless.
  for (const [handled, at] of plan.handled) await drillSchedule.write(handled, at);
  await drillSchedule.retain(new Set(entries.map((entry) => entry.key)), now);
  const requeued = await drillOrders.requeueLost();
  await drills.prune();
  return { ordered, requeued };
}
