import type { Clock } from "../core/ports.ts";
import type { Presences } from "../state/presence.ts";
import { presenceWithinMs } from "./status.ts";

/** Hosts on which a worker is alive. */
export async function workerHosts(deps: {
  readonly presences: Presences;
  readonly clock: Clock;
}): Promise<ReadonlySet<string>> {
  const alive = await deps.presences.alive(deps.clock.now(), presenceWithinMs);
  return new Set(alive.filter((presence) => presence.role === "worker").map((presence) => presence.host));
}
