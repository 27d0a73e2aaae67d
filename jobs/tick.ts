import type { Deps } from "../src/app/deps.ts";
import type { JobHandler } from "../src/queue/contracts.ts";
import { tick } from "../src/services/tick.ts";

export const tickJob =
  (deps: Deps): JobHandler<"tick"> =>
  async () => ({ done: await tick(deps) });
