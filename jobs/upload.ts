import type { Deps } from "../src/app/deps.ts";
import type { JobHandler } from "../src/queue/contracts.ts";

export const uploadJob =
  (deps: Deps): JobHandler<"upload"> =>
  async ({ runId, storage }, context) =>
    await deps.uploads.execute(runId, storage, context);
