import type { WorkerDeps } from "../src/app/worker-deps.ts";
import type { JobHandlers } from "../src/queue/contracts.ts";
import { approvalJob } from "./approval.ts";
import { auditHeadJob } from "./audit-head.ts";
import { backupJob } from "./backup.ts";
import { catalogueJob } from "./catalogue.ts";
import { drillJob } from "./drill.ts";
import { inventoryJob } from "./inventory.ts";
import { linkJob } from "./link.ts";
import { pinJob } from "./pin.ts";
import { pollJob } from "./poll.ts";
import { powerJob } from "./power.ts";
import { pruneJob } from "./prune.ts";
import { restoreJob } from "./restore.ts";
import { tickJob } from "./tick.ts";
import { uploadJob } from "./upload.ts";
import { verifyJob } from "./verify.ts";

/** One handler per contract: a missing one, or one too many, does not compile. */
export function createJobHandlers(deps: WorkerDeps): JobHandlers {
  return {
    tick: tickJob(deps),
    backup: backupJob(deps),
    upload: uploadJob(deps),
    verify: verifyJob(deps),
    restore: restoreJob(deps),
    drill: drillJob(deps),
    catalogue: catalogueJob(deps),
    prune: pruneJob(deps),
    pin: pinJob(deps),
    poll: pollJob(deps),
    inventory: inventoryJob(deps),
    power: powerJob(deps),
    link: linkJob(deps),
    approval: approvalJob(deps),
    "audit-head": auditHeadJob(deps),
  } satisfies JobHandlers;
}
