import type { WorkerDeps } from "../src/app/worker-deps.ts";
import type { JobHandler } from "../src/queue/contracts.ts";

export const auditHeadJob =
  (deps: WorkerDeps): JobHandler<"audit-head"> =>
  async (payload, context) =>
    await deps.auditHeadWriter.execute(payload, context);
