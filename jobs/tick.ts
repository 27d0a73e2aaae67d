import type { Deps } from "../src/app/deps.ts";
import { onDemand } from "../src/lib/on-demand.ts";
import { oneByOne } from "../src/lib/one-by-one.ts";
import type { JobHandler } from "../src/queue/contracts.ts";
import { recordStrangers } from "../src/services/audit/strangers.ts";
import { verifyByClock } from "../src/services/backup/verify-schedule.ts";
import { drillByClock } from "../src/services/drills/schedule.ts";
import { beginPolls } from "../src/services/servers/polls.ts";
import { keepServers } from "../src/services/servers/upkeep.ts";
import { tick } from "../src/services/tick.ts";
import { upkeep } from "../src/services/upkeep.ts";
import { serversWatch, workersWatch } from "../src/services/watch/index.ts";

export const tickJob = (deps: Deps): JobHandler<"tick"> => {
  const watch = workersWatch(deps);
  const servers = serversWatch(deps);
  const rules = onDemand(async () => {
    const { RuleRunner } = await import("../src/services/servers/rules.ts");
    return new RuleRunner(deps);
  });
  // Where there are none, and none that was there has left anything, their code is not loaded.
  const { config, ruleStates, recoveryStates } = deps;
  const hasRules = async (): Promise<boolean> => config.rules.length > 0 || (await ruleStates.all()).size > 0;
  const recovers = async (): Promise<boolean> =>
    config.recovery.auto !== "off" || (await recoveryStates.unresponsive()).size > 0;
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
        async () => void ((await recovers()) && (await deps.recovery.step())),
        async () => void ((await hasRules()) && (await rules.step())),
      ],
      also,
    );
    return { done };
  };
};
