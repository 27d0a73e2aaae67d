import type { ActionHandler, ActionHandlers, actions } from "../approvals/actions.ts";
import type { PowerExecutionDeps } from "./execution.ts";

type PowerContract = (typeof actions)["reboot"];

/** What carries out orders about a server's power. */
export function powerHandlers(
  deps: PowerExecutionDeps,
): Pick<ActionHandlers<typeof actions>, "reboot" | "hard-reboot" | "shutdown" | "hard-shutdown" | "start"> {
  // Hardly any worker ever does it: loaded when it is asked for.
  const handler: ActionHandler<PowerContract> = {
    identify: async (args, signal) => await (await import("./execution.ts")).identifyPower(deps, args, signal),
    execute: async (args, context) => await (await import("./execution.ts")).executePower(deps, args, context),
  };
  return { reboot: handler, "hard-reboot": handler, shutdown: handler, "hard-shutdown": handler, start: handler };
}
