import type { Person } from "./run.ts";

/**
 * A question whether so many backups may be removed. `asked`: nobody has answered. `confirmed`: to be carried out.
 * `void`: what it named is no longer what would go, so that no answer counts.
 */
export type PruneStatus = "asked" | "confirmed" | "done" | "cancelled" | "void";

/** The question, and what became of it: the entity behind the card. Times are ISO 8601. */
export interface PruneQuestion {
  readonly id: string;
  /** Of the backup. */
  readonly name: string;
  readonly storage: string;
  readonly location: string;
  readonly status: PruneStatus;
  readonly askedAt: string;
  /** Folders that would go, oldest first: exactly these are agreed to. */
  readonly folders: readonly string[];
  /** When the first and the last of them began. */
  readonly oldest: string;
  readonly newest: string;
  /** Of those that would go. */
  readonly bytes: number;
  /** How many there are. */
  readonly total: number;
  readonly totalBytes: number;
  /** What the retention says, as in the configuration: "daily: 7, monthly: 4". */
  readonly policy: string;
  readonly answered?: { readonly by: Person; readonly at: string };
  readonly endedAt?: string;
  /** How many of them were removed. */
  readonly removed?: number;
}

/** True when nothing more happens to it. */
export function isAnswered({ status }: PruneQuestion): boolean {
  return status !== "asked";
}

/**
 * Whether what was agreed to is still what would go: nothing of it has been pinned, is needed or is the last good one
 * by now. That more would go meanwhile does no harm: only what was named is removed.
 */
export function stillHolds(question: Pick<PruneQuestion, "folders">, remove: readonly string[]): boolean {
  const going = new Set(remove);
  return question.folders.every((folder) => going.has(folder));
}
