import type { WorkerDeps } from "../src/app/worker-deps.ts";
import type { JobHandler } from "../src/queue/contracts.ts";

export const pruneJob =
  (deps: WorkerDeps): JobHandler<"prune"> =>
  async (payload, context) =>
    await deps.pruner.execute(payload, context);
