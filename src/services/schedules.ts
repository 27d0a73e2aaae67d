import type { Config } from "../app/config.ts";
import { nextBegin, type ScheduleEntry } from "../core/schedule.ts";

const backupKey = "backup:";

/** The backup that a schedule key stands for. */
export function backupOf(key: string): string {
  return key.slice(backupKey.length);
}

/** Everything that happens by the clock. */
export function scheduleEntries(config: Pick<Config, "backups" | "timezone">): ScheduleEntry[] {
  return config.backups.flatMap((backup) =>
    backup.schedule === undefined
      ? []
      : [
          {
            key: backupKey + backup.name,
            pattern: backup.schedule,
            timezone: backup.timezone ?? config.timezone,
            catchUp: backup.catchUp,
            jitter: backup.jitter,
            window: backup.window,
          },
        ],
  );
}

/** When a backup begins the next time by its schedule, its jitter and its hours included. */
export function nextRun(config: Pick<Config, "backups" | "timezone">, name: string, now: Date): Date | undefined {
  const entry = scheduleEntries(config).find(({ key }) => backupOf(key) === name);
  return entry && nextBegin(entry, now);
}
