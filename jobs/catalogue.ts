import type { WorkerDeps } from "../src/app/worker-deps.ts";
import type { JobHandler } from "../src/queue/contracts.ts";

export const catalogueJob =
  (deps: WorkerDeps): JobHandler<"catalogue"> =>
  async ({ storage, name }, { signal }) => ({ done: await deps.catalogueKeeper.refresh(storage, name, signal) });
