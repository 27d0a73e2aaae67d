import type { Config } from "../../app/config.ts";
import { AppError } from "../../core/errors.ts";
import type { Producer } from "../../queue/producer.ts";
import type { Presences } from "../../state/presence.ts";
import type { Runs } from "../../state/runs.ts";
import type { ScheduleState } from "../../state/schedule.ts";
import type { BackupOrders } from "../backup/orders.ts";
import { botsCheck } from "./bots.ts";
import { clocksCheck } from "./clocks.ts";
import { disksCheck } from "./disks.ts";
import { ownHeartbeatCheck } from "./own-heartbeat.ts";
import { queuesCheck } from "./queues.ts";
import { schedulesCheck } from "./schedules.ts";
import { type TelegramCheckDeps, telegramCheck } from "./telegram.ts";
import { ticksCheck, workerWatch } from "./ticks.ts";
import type { WatchCheck } from "./types.ts";
import { Watch, type WatchDeps } from "./watch.ts";
import { workersCheck } from "./workers.ts";

interface Seen extends WatchDeps {
  readonly config: Config;
  readonly presences: Presences;
}

export interface BotWatchDeps extends Seen, Omit<TelegramCheckDeps, keyof Seen> {
  readonly alerts: TelegramCheckDeps["alerts"];
  readonly producer: Producer;
  readonly runs: Runs;
  readonly schedule: ScheduleState;
  readonly orders: BackupOrders;
}

/** What the bots look after: one of them at a time. */
export function botWatch(deps: BotWatchDeps): Watch {
  return new Watch(
    "bot",
    deps,
    unique([
      telegramCheck(deps),
      workersCheck(deps),
      ticksCheck(deps),
      queuesCheck(deps),
      schedulesCheck(deps),
      disksCheck(deps),
      clocksCheck(deps),
      ownHeartbeatCheck(deps),
    ]),
  );
}

/** What the workers look after, at every tick. */
export function workersWatch(deps: Seen): Watch {
  return new Watch(workerWatch, deps, unique([botsCheck(deps)]));
}

function unique(checks: readonly WatchCheck[]): readonly WatchCheck[] {
  if (new Set(checks.map(({ name }) => name)).size < checks.length)
    throw new AppError("internal", "two checks of the watch have the same name");
  return checks;
}
