import type { AutoBackups, Finances, ManagedBucket } from "./managed.ts";
import type { Severity } from "./signal.ts";

/** When an account's owner is warned. */
export interface InventoryLimits {
  /** How long the balance has to last; milliseconds. */
  readonly hoursLeft: number;
  /** How full a bucket may be; percent. */
  readonly bucket: number;
}

export const defaultInventoryLimits: InventoryLimits = { hoursLeft: 72 * 3_600_000, bucket: 90 };

/** Urgent below this, whatever is configured. */
const urgentHours = 24;
const urgentBucket = 97;
const domainDays = { warning: 30, critical: 7 } as const;

/** What has been warned of stays a warning until it is better by this much: prices and fill levels waver. */
const better = { hours: 1.1, bucket: 2 } as const;

/**
 * How long the balance lasts, in hours: as the provider says, else by balance and cost. Undefined: it cannot be told, or
 * nothing is spent. Never below 0.
 */
export function hoursLeftOf({ balance, hourlyCost, hoursLeft }: Finances): number | undefined {
  const isSpent = hourlyCost === undefined || hourlyCost > 0;
  if (!isSpent) return undefined;
  if (hoursLeft !== undefined && Number.isFinite(hoursLeft)) return Math.max(0, hoursLeft);
  if (hourlyCost === undefined || !Number.isFinite(balance / hourlyCost)) return undefined;
  return Math.max(0, balance / hourlyCost);
}

/** How serious it is that a balance lasts so long; undefined: it lasts, or nobody knows. `was`: what it is said to be now. */
export function balanceSeverity(finances: Finances, limits: InventoryLimits, was?: Severity): Severity | undefined {
  const hours = hoursLeftOf(finances);
  if (hours === undefined) return undefined;
  const limit = limits.hoursLeft / 3_600_000;
  if (hours < urgentHours * (was === "critical" ? better.hours : 1)) return "critical";
  return hours < limit * (was === undefined ? 1 : better.hours) ? "warning" : undefined;
}

/** Whole days until a domain ends, at a time; negative: it has ended. */
export function daysUntil(expiresAt: Date, at: Date): number {
  return Math.floor((expiresAt.getTime() - at.getTime()) / 86_400_000);
}

/** How serious it is that a domain ends then. */
export function domainSeverity(expiresAt: Date | undefined, at: Date): Severity | undefined {
  if (!expiresAt || Number.isNaN(expiresAt.getTime())) return undefined;
  const days = (expiresAt.getTime() - at.getTime()) / 86_400_000;
  if (days < domainDays.critical) return "critical";
  return days < domainDays.warning ? "warning" : undefined;
}

/** How full a bucket is, in percent; undefined: it has no limit, or nobody knows. */
export function bucketPercent({
  usedBytes,
  limitBytes,
}: Pick<ManagedBucket, "usedBytes" | "limitBytes">): number | undefined {
  if (usedBytes === undefined || limitBytes === undefined || limitBytes <= 0) return undefined;
  return (usedBytes / limitBytes) * 100;
}

/** How serious it is that a bucket is so full. `was`: what it is said to be now. */
export function bucketSeverity(
  bucket: Pick<ManagedBucket, "usedBytes" | "limitBytes">,
  limits: InventoryLimits,
  was?: Severity,
): Severity | undefined {
  const percent = bucketPercent(bucket);
  if (percent === undefined) return undefined;
  if (percent >= Math.max(urgentBucket, limits.bucket) - (was === "critical" ? better.bucket : 0)) return "critical";
  return percent >= limits.bucket - (was === undefined ? 0 : better.bucket) ? "warning" : undefined;
}

/** Settings of backups that the provider makes by itself, in the order in which they are shown. */
export const autoBackupFields = ["enabled", "copies", "interval", "dayOfWeek", "startAt"] as const;
export type AutoBackupField = (typeof autoBackupFields)[number];

/** The settings that differ; of what is to be off nothing else counts, and the day only of what is to be made weekly. */
export function autoBackupChanges(from: AutoBackups, to: AutoBackups): AutoBackupField[] {
  const counts = (field: AutoBackupField): boolean =>
    field === "enabled" || (to.enabled && (field !== "dayOfWeek" || to.interval === "week"));
  // What was off had no settings that anybody went by, nor a day when it was not made weekly.
  const before = (field: AutoBackupField): AutoBackups[AutoBackupField] =>
    field === "enabled" || (from.enabled && (field !== "dayOfWeek" || from.interval === "week"))
      ? from[field]
      : undefined;
  return autoBackupFields.filter((field) => counts(field) && !isSameSetting(field, before(field), to[field]));
}

function isSameSetting(field: AutoBackupField, before: unknown, after: unknown): boolean {
  // One moment may be written in several ways.
  if (field === "startAt" && typeof before === "string" && typeof after === "string")
    return before === after || Date.parse(before) === Date.parse(after);
  return before === after;
}

/** Whether fewer copies are there afterwards, or they are made less often: what a person should think about twice. */
export function losesAutoBackups(from: AutoBackups, to: AutoBackups): boolean {
  if (!from.enabled) return false;
  if (!to.enabled) return true;
  const rank = { day: 0, week: 1, month: 2 };
  const rarer = from.interval && to.interval ? rank[to.interval] > rank[from.interval] : false;
  return rarer || (to.copies ?? 0) < (from.copies ?? 0);
}

/** All of the settings. */
export type CompleteAutoBackups = { readonly [F in AutoBackupField]: NonNullable<AutoBackups[F]> };

/** How many copies a provider keeps at most. */
export const mostCopies = 99;

/** All settings, as a provider wants them for what is on: those that are missing are filled in. `startAt`: ISO 8601. */
export function completeAutoBackups(settings: AutoBackups, startAt: string): CompleteAutoBackups {
  const { enabled, copies = 7, interval = "day", dayOfWeek = 1 } = settings;
  return {
    enabled,
    copies: Math.min(mostCopies, Math.max(1, Math.trunc(copies))),
    interval,
    dayOfWeek: Math.min(7, Math.max(1, Math.trunc(dayOfWeek))),
    startAt: settings.startAt === undefined || Number.isNaN(Date.parse(settings.startAt)) ? startAt : settings.startAt,
  };
}

/** One press of the form in which settings are changed. */
export type AutoBackupStep =
  | { readonly field: "enabled" }
  | { readonly field: "copies" | "startAt"; readonly by: number }
  | { readonly field: "interval"; readonly value: "day" | "week" | "month" }
  | { readonly field: "dayOfWeek" };

/** The settings after a press; times move by hours, and stay ahead of `now`. */
export function stepAutoBackups(settings: CompleteAutoBackups, step: AutoBackupStep, now: Date): CompleteAutoBackups {
  switch (step.field) {
    case "enabled":
      return { ...settings, enabled: !settings.enabled };
    case "copies":
      return { ...settings, copies: Math.min(mostCopies, Math.max(1, settings.copies + step.by)) };
    case "interval":
      return { ...settings, interval: step.value };
    case "dayOfWeek":
      return { ...settings, dayOfWeek: (settings.dayOfWeek % 7) + 1 };
    case "startAt": {
      const moved = Date.parse(settings.startAt) + step.by * 3_600_000;
      return { ...settings, startAt: new Date(aheadOf(moved, now)).toISOString() };
    }
  }
}

/** The same time of day, on the next day on which it has not passed. */
function aheadOf(at: number, now: Date): number {
  const dayMs = 86_400_000;
  if (at > now.getTime()) return at;
  return at + Math.ceil((now.getTime() - at + 1) / dayMs) * dayMs;
}
