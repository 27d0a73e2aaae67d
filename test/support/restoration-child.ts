import { createWorkerDeps } from "../../src/app/worker-deps.ts";
import type { Restoration } from "../../src/core/restoration.ts";
import { findKind } from "../../src/sources/index.ts";
import { quiet } from "./backup.ts";
import { jobContext } from "./catalogue.ts";
import { type RestoreConfig, restoreConfig } from "./restoration.ts";

/**
 * What a worker carries out, and where it dies: when a phase, or a step of the journal, was recorded; `given`: when roles
 * were given, before that is on record.
 */
export interface RestoreChildOrder {
  readonly config: RestoreConfig;
  readonly approval: string;
  readonly dieAt: string;
  /** ISO 8601. */
  readonly now: string;
}

const order = JSON.parse(process.argv[2] ?? "") as RestoreChildOrder;
const clock = { now: () => new Date(order.now) };
const { deps } = createWorkerDeps({ config: restoreConfig(order.config), logger: quiet, clock, role: "child" });
const states = deps.restorationStates;
const record = states.record.bind(states);
states.record = async (...how): Promise<Restoration> => {
  const recorded = await record(...how);
  const { phase, journal, undo, status } = recorded;
  const at =
    undo?.status === "running" ? [`undo-${journal?.step}`, status] : [phase, `${journal?.step}`, `is-${status}`];
  if (at.includes(order.dieAt)) process.kill(process.pid, "SIGKILL");
  return recorded;
};
const globals = findKind("postgres")?.globals;
if (globals !== undefined && order.dieAt === "given") {
  const apply = globals.apply.bind(globals);
  Object.assign(globals, {
    apply: async (...how: Parameters<typeof apply>) => {
      await apply(...how);
      process.kill(process.pid, "SIGKILL");
    },
  });
}
await deps.approvalRunner.execute(order.approval, jobContext());
process.exit(0);
