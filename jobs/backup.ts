import type { Deps } from "../src/app/deps.ts";
import type { JobHandler } from "../src/queue/contracts.ts";

export const backupJob =
  (deps: Deps): JobHandler<"backup"> =>
  async ({ runId }, context) =>
    await deps.runner.execute(runId, context);
