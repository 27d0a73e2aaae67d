import type { Config } from "../app/config.ts";
import type { Clock } from "../core/ports.ts";
import type { BackupRun } from "../core/run.ts";
import type { Presence, Presences } from "../state/presence.ts";
import type { Runs } from "../state/runs.ts";
import { nextRun } from "./schedules.ts";

/** A process that has not been seen for so long counts as gone; milliseconds. */
export const presenceWithinMs = 20_000;

export interface StatusReport {
  readonly processes: readonly Presence[];
  readonly backups: readonly {
    readonly name: string;
    readonly lastGood?: BackupRun;
    /** The newest run, whatever became of it. */
    readonly latest?: BackupRun;
    readonly next?: Date;
  }[];
}

/** What is alive and how the backups stand. */
export async function readStatus(deps: {
  readonly config: Config;
  readonly clock: Clock;
  readonly runs: Runs;
  readonly presences: Presences;
}): Promise<StatusReport> {
  const now = deps.clock.now();
  const processes = await deps.presences.alive(now, presenceWithinMs);
  const backups = await Promise.all(
    deps.config.backups.map(async ({ name }) => {
      const [latest] = await deps.runs.list(name, 1);
      const lastGood = await deps.runs.lastGood(name);
      const next = nextRun(deps.config, name, now);
      return { name, ...(latest ? { latest } : {}), ...(lastGood ? { lastGood } : {}), ...(next ? { next } : {}) };
    }),
  );
  return { processes, backups };
}
