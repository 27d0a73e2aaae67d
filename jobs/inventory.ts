import type { WorkerDeps } from "../src/app/worker-deps.ts";
import type { JobHandler } from "../src/queue/contracts.ts";

export const inventoryJob =
  (deps: WorkerDeps): JobHandler<"inventory"> =>
  async ({ kind, id }, context) => {
    if (kind !== "order") return await deps.inventoryReader.execute({ kind, id }, context);
    const order = await deps.managedBackupRunner.step(id, context.signal);
    return { done: { order: id, status: order?.status ?? "unknown" } };
  };
