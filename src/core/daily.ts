import type { Text } from "./text.ts";

/** What the card of the day says. Times are ISO 8601. */
export interface DailyReport {
  /** When it was true. */
  readonly at: string;
  /** What is open now. */
  readonly incidents: {
    readonly critical: number;
    readonly warning: number;
    readonly info: number;
    /** The one that has been open for longest. */
    readonly oldest?: { readonly title: string | Text; readonly since: string };
    /** Closed by hand, while their sources go on. */
    readonly stillReported?: number;
  };
  readonly backups: readonly DailyBackup[];
  /** Processes that are alive. */
  readonly processes: { readonly bots: number; readonly workers: number };
  /** What happened in the last 24 hours. `opened`: alerts that began, `noted`: events; `backups`: all runs that ended, `failedBackups` among them. */
  readonly day: {
    readonly opened: number;
    readonly resolved: number;
    /** By hand. */
    readonly closed?: number;
    readonly noted?: number;
    readonly storms: number;
    readonly backups: number;
    readonly failedBackups: number;
  };
}

/**
 * How a configured backup stands, by the worst that is said against it: `damaged`, a look at it did not hold; `overdue`, a
 * schedule or `maxAge` was not met; `never`, there is none yet; `unseen`, its storages cannot be looked at; `degraded`, a copy of the newest one is missing; `small`,
 * it is far smaller than usual; `unproven`, none of its backups was looked at, or not as lately as its schedule
 * wants.
 */
export interface DailyBackup {
  readonly name: string;
  readonly state: "good" | "damaged" | "failed" | "never" | "overdue" | "unseen" | "degraded" | "small" | "unproven";
  /** Of one that is `unseen`: storages that cannot be looked at. */
  readonly storages?: readonly string[];
  /** End of the last good one. */
  readonly finishedAt?: string;
}
