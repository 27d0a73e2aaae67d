import type { Deps } from "../src/app/deps.ts";
import type { JobHandler } from "../src/queue/contracts.ts";
import { tick } from "../src/services/tick.ts";
import { workersWatch } from "../src/services/watch/index.ts";

export const tickJob = (deps: Deps): JobHandler<"tick"> => {
  const watch = workersWatch(deps);
  return async () => ({ done: await tick({ ...deps, watch }) });
};
