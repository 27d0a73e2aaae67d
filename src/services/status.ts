import type { Config } from "../app/config.ts";
import type { Clock } from "../core/ports.ts";
import type { Presence, Presences } from "../state/presence.ts";
import { type BackupHealth, type HealthDeps, readHealth } from "./backup/health.ts";

/** A process that has not been seen for so long counts as gone; milliseconds. */
export const presenceWithinMs = 20_000;

export interface StatusReport {
  readonly processes: readonly Presence[];
  /** In the order of the configuration. */
  readonly backups: readonly BackupHealth[];
}

/** What is alive and how the backups stand. */
export async function readStatus(
  deps: HealthDeps & { readonly config: Config; readonly clock: Clock; readonly presences: Presences },
): Promise<StatusReport> {
  const [processes, backups] = await Promise.all([
    deps.presences.alive(deps.clock.now(), presenceWithinMs),
    readHealth(deps),
  ]);
  return { processes, backups };
}
