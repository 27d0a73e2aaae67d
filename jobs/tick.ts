import type { Deps } from "../src/app/deps.ts";
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
  const step = async (): Promise<void> => {
    await verifyByClock(deps);
    await drillByClock(deps);
    await upkeep(deps);
    await keepServers(deps);
    await servers.step();
    await deps.inventoryOrders.step();
    await deps.pinOrders.requeue();
    await deps.approvals.requeue();
    await deps.restorations.step();
    await deps.powerOrders.step();
    await deps.recovery.step();
    await recordStrangers(deps);
    await deps.auditHeads.step();
  };
  return async () => {
    // Before everything that may fail: whoever looks at servers must not wait for what the storages need.
    const { batches } = await beginPolls(deps);
    try {
      return { done: { ...(await tick({ ...deps, watch, upkeep: { step } })), batches } };
    } finally {
      // What the storages need may fail: the rules are looked at all the same.
      await rules.step();
    }
  };
};
