import type { WorkerDeps } from "../src/app/worker-deps.ts";
import type { JobHandler } from "../src/queue/contracts.ts";

export const pollJob =
  (deps: WorkerDeps): JobHandler<"poll"> =>
  async (batch, context) =>
    await deps.poller.run(batch, context);
