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
