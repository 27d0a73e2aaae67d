import type { WorkerDeps } from "../src/app/worker-deps.ts";
import type { JobHandler } from "../src/queue/contracts.ts";

export const approvalJob =
  (deps: WorkerDeps): JobHandler<"approval"> =>
  async ({ approvalId }, context) =>
    await deps.approvalRunner.execute(approvalId, context);
