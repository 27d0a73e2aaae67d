import type { WorkerDeps } from "../src/app/worker-deps.ts";
import type { JobHandler } from "../src/queue/contracts.ts";

export const linkJob =
  (deps: WorkerDeps): JobHandler<"link"> =>
  async ({ id }, context) =>
    await deps.linkMaker.execute(id, context);
