import { buffer } from "node:stream/consumers";
import type { Storage } from "../../storages/types.ts";
import { headDates, headKey, isTooLarge, readHead } from "./head-files.ts";

/** Days of the heads in a storage that are of another log than the one whose first entry has this hash, in their order. */
export async function foreignHeads(storage: Storage, chain: string, signal: AbortSignal): Promise<string[]> {
  const foreign: string[] = [];
  for (const [date, bytes] of await headDates(storage, signal)) {
    const head = isTooLarge(bytes) ? undefined : await readHead(storage, date, signal);
    // What is no head at all speaks of something else than a log that was begun anew.
    if (head && head.chain !== chain) foreign.push(date);
  }
  return foreign;
}

/**
 * Moves heads into a folder beside their own, `audit/heads-before-<day>/`: nothing is lost, and they are not held against the
 * log any more. What was moved before an interruption is not moved again.
 */
export async function putHeadsAside(
  storage: Storage,
  dates: readonly string[],
  day: string,
  signal: AbortSignal,
): Promise<void> {
  for (const date of dates) {
    const bytes = await buffer(await storage.read(headKey(date), signal));
    await storage.put(`audit/heads-before-${day}/${date}.json`, bytes, signal);
    await storage.delete([headKey(date)], signal);
  }
}
