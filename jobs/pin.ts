import type { WorkerDeps } from "../src/app/worker-deps.ts";
import type { JobHandler } from "../src/queue/contracts.ts";

export const pinJob =
  (deps: WorkerDeps): JobHandler<"pin"> =>
  async (payload, context) =>
    await deps.pinWriter.execute(payload, context);
