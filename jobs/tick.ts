import type { Deps } from "../src/app/deps.ts";
import type { JobHandler } from "../src/queue/contracts.ts";
import { verifyByClock } from "../src/services/backup/verify-schedule.ts";
import { tick } from "../src/services/tick.ts";
import { upkeep } from "../src/services/upkeep.ts";
import { workersWatch } from "../src/services/watch/index.ts";

export const tickJob = (deps: Deps): JobHandler<"tick"> => {
  const watch = workersWatch(deps);
  const step = async (): Promise<void> => {
    await verifyByClock(deps);
    await upkeep(deps);
    await deps.pinOrders.requeue();
  };
  return async () => ({ done: await tick({ ...deps, watch, upkeep: { step } }) });
};
