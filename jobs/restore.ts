import type { WorkerDeps } from "../src/app/worker-deps.ts";
import type { JobHandler } from "../src/queue/contracts.ts";

export const restoreJob =
  (deps: WorkerDeps): JobHandler<"restore"> =>
  async ({ restorationId }, context) =>
    await deps.restoreWorker.execute(restorationId, context);
