import { isAhead } from "./ahead.ts";

/** How many backups are kept: the newest ones, and the newest of each period. */
export interface KeepCounts {
  readonly last?: number | undefined;
  readonly daily?: number | undefined;
  readonly weekly?: number | undefined;
  readonly monthly?: number | undefined;
  readonly yearly?: number | undefined;
}

/** `all`: nothing is ever removed. */
export type KeepPolicy = KeepCounts | "all";

/** What a storage keeps where nothing is said: a disk the latest one, any other place a week and four months. */
export function defaultKeep(local: boolean): KeepPolicy {
  return local ? { last: 1 } : { daily: 7, monthly: 4 };
}

/** The tiers of a policy, from the shortest to the longest. */
export const tiers = ["last", "daily", "weekly", "monthly", "yearly"] as const;
export type Tier = (typeof tiers)[number];

/** A complete backup in one storage, as the retention sees it. */
export interface Kept {
  /** Run id. */
  readonly id: string;
  readonly startedAt: Date;
  readonly pinned: boolean;
  /** False when anything speaks against it or what it needs: it does not stand in for a good one. */
  readonly sound: boolean;
  /** Run ids whose parts it needs. */
  readonly needs: readonly string[];
  /** Until then the store refuses to delete it. */
  readonly lockedUntil?: Date;
  /** Another storage's copy is being made from it. */
  readonly copying?: boolean;
}

/** Why a backup stays. `period`: the day, week, month or year that it stands for, "2026-W47". */
export type KeepReason =
  | { readonly kind: "all" | "pinned" | "last-good" | "none-good" | "future" | "copying" }
  | { readonly kind: Tier; readonly period: string }
  | { readonly kind: "needed"; readonly by: string }
  | { readonly kind: "locked"; readonly until: Date };

export interface RetentionPlan {
  /** Newest first. */
  readonly keep: readonly { readonly id: string; readonly reasons: readonly KeepReason[] }[];
  /** Oldest first. They are removed in the order of `removalOrder`. */
  readonly remove: readonly string[];
  /** More than three and more than half of them: nothing is removed before somebody has agreed. */
  readonly needsConsent: boolean;
}

/** A backup in one storage, and what the retention makes of it. */
export interface DecidedBackup {
  readonly folder: string;
  /** Run id. */
  readonly id: string;
  readonly startedAt: Date;
  /** Stored there; what it needs of others not included. */
  readonly bytes: number;
  readonly stays: boolean;
  /** Empty for what goes. */
  readonly reasons: readonly KeepReason[];
  /** Nothing speaks against it, nor against what it needs. */
  readonly sound: boolean;
}

/**
 * What a storage keeps of one backup name. A period is the calendar's in the time zone, and only periods with a backup
 * count: while nothing is made, nothing expires. Kept whatever the policy says: the newest sound one (where there is
 * none, all of them), pinned ones, those that a kept one needs or a copy is made from, those that the store does not let
 * go, and those from the future, which count for nothing, since a clock once wrong must not push out every real one.
 */
export function planRetention(
  backups: readonly Kept[],
  policy: KeepPolicy,
  options: { readonly timezone: string; readonly now: Date },
): RetentionPlan {
  const { timezone, now } = options;
  const newestFirst = backups.toSorted(
    (a, b) => b.startedAt.getTime() - a.startedAt.getTime() || (a.id < b.id ? 1 : -1),
  );
  const reasons = new Map<string, KeepReason[]>(newestFirst.map(({ id }) => [id, []]));
  const keep = (id: string, reason: KeepReason): void => {
    const known = reasons.get(id);
    if (known && !known.some((other) => isSame(other, reason))) known.push(reason);
  };
  const counting = newestFirst.filter((backup) => !isAhead(backup.startedAt, now));
  const sound = counting.filter((backup) => backup.sound);
  for (const backup of newestFirst) for (const reason of unconditional(backup, policy, now)) keep(backup.id, reason);
  for (const { id } of sound.slice(0, 1)) keep(id, { kind: "last-good" });
  // Whichever of them may still be good after all.
  if (newestFirst.every((backup) => !backup.sound)) for (const { id } of newestFirst) keep(id, { kind: "none-good" });
  if (policy !== "all") {
    const days = new Map(counting.map(({ id, startedAt }) => [id, dayOf(startedAt, timezone)]));
    // Of the sound ones, and of all: a damaged one pushes no sound one out, and is there for whoever wants to look at it.
    for (const list of [sound, counting]) applyCounts(list, policy, days, keep);
  }
  keepNeeded(newestFirst, reasons, keep);
  const kept = newestFirst.map(({ id }) => ({ id, reasons: reasons.get(id) ?? [] }));
  const remove = kept.filter((backup) => backup.reasons.length === 0).map(({ id }) => id);
  return {
    keep: kept.filter((backup) => backup.reasons.length > 0),
    remove: remove.reverse(),
    needsConsent: remove.length > 3 && remove.length * 2 > backups.length,
  };
}

/** Down the chain, however long it is: what is needed by something that is needed stays too. */
function keepNeeded(
  newestFirst: readonly Kept[],
  reasons: ReadonlyMap<string, readonly KeepReason[]>,
  keep: (id: string, reason: KeepReason) => void,
): void {
  const byId = new Map(newestFirst.map((backup) => [backup.id, backup]));
  const pending = newestFirst.filter(({ id }) => (reasons.get(id)?.length ?? 0) > 0);
  for (let backup = pending.pop(); backup; backup = pending.pop()) {
    for (const id of backup.needs) {
      const needed = byId.get(id);
      if (!needed || id === backup.id) continue;
      if (reasons.get(id)?.length === 0) pending.push(needed);
      keep(id, { kind: "needed", by: backup.id });
    }
  }
}

/** The order in which backups are removed: each before those that it `needs`, the newest of `ids` (oldest first) first. */
export function removalOrder(ids: readonly string[], needs: (id: string) => readonly string[]): readonly string[] {
  const going = new Set(ids);
  const ordered = new Set<string>();
  const seen = new Set<string>();
  // Without recursion: a chain may be long.
  for (const id of ids) {
    if (seen.has(id)) continue;
    const path = [id];
    for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
      seen.add(last);
      const before = needs(last).find((need) => going.has(need) && !seen.has(need));
      if (before === undefined) {
        ordered.add(last);
        path.pop();
      } else path.push(before);
    }
  }
  return [...ordered].reverse();
}

/** What keeps a backup without a look at the others. */
function unconditional(backup: Kept, policy: KeepPolicy, now: Date): KeepReason[] {
  const { pinned, lockedUntil, copying } = backup;
  return [
    ...(policy === "all" ? [{ kind: "all" as const }] : []),
    ...(isAhead(backup.startedAt, now) ? [{ kind: "future" as const }] : []),
    ...(pinned ? [{ kind: "pinned" as const }] : []),
    ...(copying ? [{ kind: "copying" as const }] : []),
    ...(lockedUntil && lockedUntil > now ? [{ kind: "locked" as const, until: lockedUntil }] : []),
  ];
}

/** `list`: newest first. `days`: the day of each, by id. */
function applyCounts(
  list: readonly Kept[],
  policy: KeepCounts,
  days: ReadonlyMap<string, string>,
  keep: (id: string, reason: KeepReason) => void,
): void {
  for (const tier of tiers) {
    const periods = new Set<string>();
    for (const { id } of list) {
      if (periods.size >= (policy[tier] ?? 0)) break;
      const period = tier === "last" ? id : periodOfDay(tier, days.get(id) ?? "");
      if (periods.has(period)) continue;
      periods.add(period);
      keep(id, { kind: tier, period });
    }
  }
}

function isSame(a: KeepReason, b: KeepReason): boolean {
  if (a.kind !== b.kind) return false;
  return a.kind === "needed" && b.kind === "needed" ? a.by === b.by : true;
}

/** The day, week (ISO 8601), month or year of a moment in a time zone: "2026-11-21", "2026-W47", "2026-11", "2026". */
export function periodOf(tier: Exclude<Tier, "last">, at: Date, timezone: string): string {
  return periodOfDay(tier, dayOf(at, timezone));
}

function periodOfDay(tier: Exclude<Tier, "last">, day: string): string {
  switch (tier) {
    case "daily":
      return day;
    case "weekly":
      return weekOf(day);
    case "monthly":
      return day.slice(0, -3);
    case "yearly":
      return day.slice(0, -6);
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** "2026-11-21". */
function dayOf(at: Date, timezone: string): string {
  let format = formats.get(timezone);
  if (!format) {
    // ISO's own calendar and order of the parts.
    format = new Intl.DateTimeFormat("sv-SE", {
      timeZone: timezone,
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
    });
    formats.set(timezone, format);
  }
  return format.format(at);
}

/** The ISO week of a day: the one in which its Thursday lies. */
function weekOf(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + 4 - (date.getUTCDay() || 7));
  const year = date.getUTCFullYear();
  const week = Math.ceil(((date.getTime() - Date.UTC(year, 0, 1)) / 86_400_000 + 1) / 7);
  return `${year}-W${String(week).padStart(2, "0")}`;
}
