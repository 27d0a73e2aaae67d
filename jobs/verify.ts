import type { WorkerDeps } from "../src/app/worker-deps.ts";
import type { JobHandler } from "../src/queue/contracts.ts";

export const verifyJob =
  (deps: WorkerDeps): JobHandler<"verify"> =>
  async ({ verificationId }, context) =>
    await deps.verifier.execute(verificationId, context);
