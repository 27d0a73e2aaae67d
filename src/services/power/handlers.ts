import type { ActionHandler, ActionHandlers, actions } from "../approvals/actions.ts";
import { executePower, identifyPower, type PowerExecutionDeps } from "./execution.ts";

type PowerContract = (typeof actions)["reboot"];

/** What carries out orders about a server's power. */
export function powerHandlers(
  deps: PowerExecutionDeps,
): Pick<ActionHandlers<typeof actions>, "reboot" | "hard-reboot" | "shutdown" | "hard-shutdown" | "start"> {
  const handler: ActionHandler<PowerContract> = {
    identify: async (args, signal) => await identifyPower(deps, args, signal),
    execute: async (args, context) => await executePower(deps, args, context),
  };
  return { reboot: handler, "hard-reboot": handler, shutdown: handler, "hard-shutdown": handler, start: handler };
}
