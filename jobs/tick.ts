import type { Deps } from "../src/app/deps.ts";
import { oneByOne } from "../src/lib/one-by-one.ts";
import type { JobHandler } from "../src/queue/contracts.ts";
import { recordStrangers } from "../src/services/audit/strangers.ts";
import { verifyByClock } from "../src/services/backup/verify-schedule.ts";
import { drillByClock } from "../src/services/drills/schedule.ts";
import { beginPolls } from "../src/services/servers/polls.ts";
import { RuleRunner } from "../src/services/servers/rules.ts";
import { keepServers } from "../src/services/servers/upkeep.ts";
import { tick } from "../src/services/tick.ts";
import { upkeep } from "../src/services/upkeep.ts";
import { serversWatch, workersWatch } from "../src/services/watch/index.ts";

export const tickJob = (deps: Deps): JobHandler<"tick"> => {
  const watch = workersWatch(deps);
  const servers = serversWatch(deps);
  const rules = new RuleRunner(deps);
  const also = (error: unknown): void => deps.logger.warn({ err: error }, "another part of the tick failed");
  const step = async (): Promise<void> =>
    await oneByOne(
      [
        () => verifyByClock(deps),
        () => drillByClock(deps),
        () => upkeep(deps),
        () => deps.pinOrders.requeue(),
        () => deps.approvals.requeue(),
        () => deps.restorations.step(),
        () => recordStrangers(deps),
        () => deps.auditHeads.step(),
      ],
      also,
    );
  return async () => {
    const done: { started: string[]; requeued: string[]; batches: number } = { started: [], requeued: [], batches: 0 };
    // What the backups need may fail: the servers are looked at all the same, and the other way round.
    await oneByOne(
      [
        async () => Object.assign(done, await beginPolls(deps)),
        async () => Object.assign(done, await tick({ ...deps, watch, upkeep: { step } })),
        () => keepServers(deps),
        () => servers.step(),
        () => deps.inventoryOrders.step(),
        () => deps.powerOrders.step(),
        () => deps.recovery.step(),
        () => rules.step(),
      ],
      also,
    );
    return { done };
  };
};
