import type { PowerExecutionDeps } from "../power/execution.ts";
import { powerHandlers } from "../power/handlers.ts";
import type { RestoreDeps } from "../restorations/deps.ts";
import { restoreHandlers } from "../restorations/handlers.ts";
import { type ManagedHandlerDeps, managedHandlers } from "../servers/managed-handlers.ts";
import type { ActionHandlers, actions } from "./actions.ts";

/** What carries out each dangerous action; for the worker alone, the bot never loads it. */
export function createActionHandlers(
  deps: RestoreDeps & ManagedHandlerDeps & PowerExecutionDeps,
): ActionHandlers<typeof actions> {
  return { ...restoreHandlers(deps), ...managedHandlers(deps), ...powerHandlers(deps) };
}
