import type { Changes } from "../../../core/replacement.ts";
import { meantHistories } from "./bring-back.ts";
import { Folders } from "./folders.ts";
import type { Target } from "./target.ts";
import { formerOf } from "./versions.ts";

/** What was written or removed since the swap ended: exactly, by the bucket's own versions. */
export async function changesSince(target: Target, swapTo: Date, signal: AbortSignal): Promise<Changes> {
  const folders = new Folders(target.prefix);
  const swapped = new Date(swapTo.getTime() - 1);
  for await (const history of meantHistories(target, signal)) {
    const [now] = history.entries;
    if (now.modified < swapTo) continue;
    const former = await formerOf(target.bucket, history, swapped, signal);
    const isThere = now.kind === "version";
    // Put and removed again: nothing of it is lost, and nothing is left of it.
    if (isThere || former) folders.add(history.key, { gone: former !== undefined }, isThere);
  }
  const { named, total } = folders.result();
  return {
    changed: named.map(({ what, count, gone }) => ({ what, written: count, gone })),
    changedTotal: total,
    unit: "objects",
    written: folders.count,
    gone: folders.gone,
  };
}
