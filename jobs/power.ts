import type { WorkerDeps } from "../src/app/worker-deps.ts";
import type { JobHandler } from "../src/queue/contracts.ts";

export const powerJob =
  (deps: WorkerDeps): JobHandler<"power"> =>
  async ({ orderId }, context) =>
    await deps.powerFollower.execute(orderId, context);
