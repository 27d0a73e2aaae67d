import { AppError } from "../../core/errors.ts";
import type { Restoration } from "../../core/restoration.ts";
import type { RestorationStates } from "../../state/restorations.ts";

/** So many of the newest restores of a name are looked through. */
const newest = 100;

/**
 * What is live may be that of a later restore of the same: going back below it would take that one's place too, and what it
 * has put aside would be no way back any more. @throws AppError conflict, naming it.
 */
export async function requireNewest(
  restorationStates: Pick<RestorationStates, "list">,
  restoration: Restoration,
): Promise<void> {
  const all = await restorationStates.list(restoration.name, newest);
  const later = all.find((other) => replacedSince(other, restoration));
  if (!later) return;
  const text = { key: "restoration-refused-successor", args: { id: later.id } };
  throw new AppError("conflict", `restore ${later.id} has replaced the same since ${restoration.id}`, { text });
}

function replacedSince(other: Restoration, one: Restoration): boolean {
  const isLive = other.status === "running" || other.status === "done" || other.status === "undoing";
  if (other.id === one.id || other.place !== "in-place" || other.only !== one.only || !isLive) return false;
  return (other.startedAt ?? "") > (one.startedAt ?? "") && overlap(other.pick, one.pick);
}

function overlap(a: string | undefined, b: string | undefined): boolean {
  return a === undefined || b === undefined || a.startsWith(b) || b.startsWith(a);
}
