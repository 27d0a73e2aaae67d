import type { WorkerDeps } from "../src/app/worker-deps.ts";
import type { JobHandler } from "../src/queue/contracts.ts";

export const drillJob =
  (deps: WorkerDeps): JobHandler<"drill"> =>
  async ({ drillId }, context) =>
    await deps.drillRunner.execute(drillId, context);
