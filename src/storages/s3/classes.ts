import type { S3Config } from "./schema.ts";

/** Classes whose objects have to be restored, which takes minutes to days, before they can be read or copied. */
export const archiveClasses: ReadonlySet<string> = new Set(["GLACIER", "DEEP_ARCHIVE"]);

const fromShortest = ["last", "daily", "weekly", "monthly", "yearly"] as const;

/**
 * The class of an object that is only kept for these tiers, or undefined when one of them has none: it stays as it is.
 * Of several the shortest tier's, which is read soonest; but what goes into an archive goes into the longest tier's at
 * once, since nothing can be moved on from there without being restored.
 */
export function classForTiers(classes: S3Config["storageClasses"], tiers: readonly string[]): string | undefined {
  const found = fromShortest.filter((tier) => tiers.includes(tier)).map((tier) => classes?.[tier]);
  if (found.length < new Set(tiers).size || found.includes(undefined)) return undefined;
  const [shortest] = found;
  return shortest !== undefined && archiveClasses.has(shortest) ? found.at(-1) : shortest;
}

/** True when an object can not be read until somebody restores it; `restore` is what the server says of that. */
export function isArchived(storageClass: string | undefined, restore: string | undefined): boolean {
  return archiveClasses.has(storageClass ?? "") && !/ongoing-request="false"/.test(restore ?? "");
}
