import type { WorkerDeps } from "../src/app/worker-deps.ts";
import type { JobHandler } from "../src/queue/contracts.ts";

export const backupJob =
  (deps: WorkerDeps): JobHandler<"backup"> =>
  async ({ runId }, context) =>
    await deps.runner.execute(runId, context);
