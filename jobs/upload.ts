import type { WorkerDeps } from "../src/app/worker-deps.ts";
import type { JobHandler } from "../src/queue/contracts.ts";

export const uploadJob =
  (deps: WorkerDeps): JobHandler<"upload"> =>
  async ({ runId, storage }, context) =>
    await deps.uploads.execute(runId, storage, context);
