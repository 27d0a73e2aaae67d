import type { Config } from "../../app/config.ts";
import { AppError } from "../../core/errors.ts";
import type { Producer } from "../../queue/producer.ts";
import type { Drills } from "../../state/drills.ts";
import type { Incidents } from "../../state/incidents.ts";
import type { Presences } from "../../state/presence.ts";
import type { Prunes } from "../../state/prunes.ts";
import type { Runs } from "../../state/runs.ts";
import type { ScheduleState } from "../../state/schedule.ts";
import type { ServerStates } from "../../state/servers.ts";
import type { Verifications } from "../../state/verifications.ts";
import type { BackupOrders } from "../backup/orders.ts";
import type { CachedCatalogue } from "../cached-catalogue.ts";
import { type SilenceDeps, silenceCheck } from "../servers/silence.ts";
import { agesCheck } from "./ages.ts";
import { botsCheck } from "./bots.ts";
import { clocksCheck } from "./clocks.ts";
import { disksCheck } from "./disks.ts";
import { type DrillsCheckDeps, drillsCheck } from "./drills.ts";
import { type InventoryCheckDeps, inventoryCheck } from "./inventory.ts";
import { ownHeartbeatCheck } from "./own-heartbeat.ts";
import { pollsCheck } from "./polls.ts";
import { type ProofsCheckDeps, proofsCheck } from "./proofs.ts";
import { queuesCheck } from "./queues.ts";
import { retentionCheck, sizesCheck } from "./retention.ts";
import { schedulesCheck } from "./schedules.ts";
import { storagesCheck } from "./storages.ts";
import { type TelegramCheckDeps, telegramCheck } from "./telegram.ts";
import { ticksCheck, workerWatch } from "./ticks.ts";
import type { WatchCheck } from "./types.ts";
import { Watch, type WatchDeps } from "./watch.ts";
import { workersCheck } from "./workers.ts";

interface Seen extends WatchDeps {
  readonly config: Config;
  readonly presences: Presences;
  readonly runs: Runs;
  readonly catalogue: CachedCatalogue;
}

export interface BotWatchDeps
  extends Seen,
    Omit<TelegramCheckDeps, keyof Seen>,
    Omit<ProofsCheckDeps, keyof Seen | "verifications">,
    Omit<DrillsCheckDeps, keyof Seen | "drills">,
    Omit<InventoryCheckDeps, keyof Seen> {
  readonly alerts: TelegramCheckDeps["alerts"];
  readonly producer: Producer;
  readonly schedule: ScheduleState;
  readonly verifySchedule: ScheduleState;
  readonly drillSchedule: ScheduleState;
  readonly drills: Drills;
  readonly verifications: Verifications;
  readonly orders: BackupOrders;
  readonly prunes: Prunes;
  readonly incidents: Incidents;
  readonly serverStates: ServerStates;
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
      agesCheck(deps),
      sizesCheck(deps),
      retentionCheck(deps),
      storagesCheck(deps),
      disksCheck(deps),
      proofsCheck(deps),
      drillsCheck(deps),
      inventoryCheck(deps),
      pollsCheck(deps),
      clocksCheck(deps),
      ownHeartbeatCheck(deps),
    ]),
  );
}

/** What the workers look after, at every tick. */
export function workersWatch(deps: Seen): Watch {
  return new Watch(workerWatch, deps, unique([botsCheck(deps), agesCheck(deps)]));
}

/** What is known of servers: whether they, and their accounts, give any data. At every tick, by a worker. */
export function serversWatch(deps: WatchDeps & SilenceDeps): Watch {
  return new Watch("servers", deps, [silenceCheck(deps)], "servers");
}

function unique(checks: readonly WatchCheck[]): readonly WatchCheck[] {
  if (new Set(checks.map(({ name }) => name)).size < checks.length)
    throw new AppError("internal", "two checks of the watch have the same name");
  return checks;
}
