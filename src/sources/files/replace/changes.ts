import { readFile, stat } from "node:fs/promises";
import type { Changes, Written } from "../../../core/replacement.ts";
import { topOf, walk } from "./survey.ts";
import { isThere, listFile, type Placed, swappedFile, type Work } from "./work.ts";

const namedFolders = 20;

/** What was made, altered or removed since the swap in what was swapped in, wherever it is now. */
export async function changesIn(
  works: readonly Work[],
  where: (target: Placed) => string,
  signal: AbortSignal,
): Promise<Changes> {
  const changed = new Map<string, { written: number; gone: number }>();
  for (const { folder, targets } of works) {
    const swapped = Number((await stat(swappedFile(folder), { bigint: true })).ctimeNs) / 1e9;
    for (const [index, target] of targets.entries()) {
      const missing = new Set((await readFile(listFile(folder, index), "latin1")).split("\0").slice(0, -1));
      const count = (name: string, what: "written" | "gone"): void => {
        const top = topOf(target.at, name);
        const sum = changed.get(top) ?? { written: 0, gone: 0 };
        sum[what]++;
        changed.set(top, sum);
      };
      const place = where(target);
      const take = (name: string, isNewer: boolean): void => {
        const isOld = missing.delete(name);
        if (!isNewer) return;
        count(name, "written");
        if (isOld) count(name, "gone");
      };
      if (await isThere(place)) {
        await walk(place, signal, ({ type, name, changed: since, modified }) => {
          // A renaming counts as a change of a file that is itself what was swapped.
          if (type !== "d") take(name, (name === "" ? modified : since) > swapped);
        });
      }
      for (const name of missing) count(name, "gone");
    }
  }
  const all: Written[] = [...changed].map(([what, { written, gone }]) => ({ what, written, gone }));
  const size = ({ written, gone = 0 }: Written): number => Math.max(written, gone);
  all.sort((a, b) => size(b) - size(a) || (a.what < b.what ? -1 : 1));
  return {
    changed: all.slice(0, namedFolders),
    changedTotal: all.length,
    unit: "files",
    written: all.reduce((sum, { written }) => sum + written, 0),
    gone: all.reduce((sum, { gone = 0 }) => sum + gone, 0),
  };
}
