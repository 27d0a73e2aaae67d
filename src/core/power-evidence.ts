import { isPowerEvent, type PowerAction, type PowerIntent } from "./power.ts";
import type { ServerAction, ServerStatus } from "./server.ts";

/**
 * Whether the provider has done what it was asked for. `unknown`: something has happened to the server, or cannot be
 * looked at, and it may have been this.
 */
export type Evidence = "done" | "not-yet" | "unknown";

/** What a server shows of being on its way to what was asked for. */
const movements: Readonly<Record<PowerAction, readonly ServerStatus[]>> = {
  start: ["on", "starting", "rebooting"],
  shutdown: ["off", "stopping"],
  "hard-shutdown": ["off", "stopping"],
  reboot: ["rebooting", "stopping", "starting", "off"],
  "hard-reboot": ["rebooting", "stopping", "starting", "off"],
};

/** What is known of a server after its provider was asked. */
export interface Aftermath {
  readonly status: ServerStatus | undefined;
  /** Newest first; undefined: it cannot be read. */
  readonly log: readonly ServerAction[] | undefined;
}

/** What speaks for it that an order was carried out, by what was so before it. */
export function evidenceOf(action: PowerAction, intent: PowerIntent, { status, log }: Aftermath): Evidence {
  // What it was doing anyway says nothing.
  const moves = status !== undefined && status !== intent.status && movements[action].includes(status);
  const fresh = log === undefined || intent.logId === undefined ? undefined : since(log, intent.logId);
  if (fresh?.some(isPowerEvent) || moves) return "done";
  if (fresh === undefined || status === undefined || fresh.length > 0) return "unknown";
  return status === intent.status ? "not-yet" : "unknown";
}

/** The lines after the one with this id; "": all of them. Undefined when that one is not among them any more. */
function since(log: readonly ServerAction[], id: string): readonly ServerAction[] | undefined {
  if (id === "") return log;
  const index = log.findIndex((line) => line.id === id);
  // A log that has grown by more than we have read speaks of something, and of what nobody knows.
  return index === -1 ? undefined : log.slice(0, index);
}
