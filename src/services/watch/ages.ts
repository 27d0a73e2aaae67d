import type { Config } from "../../app/config.ts";
import type { WatchState } from "../../state/watch.ts";
import { isTooOld } from "../backup/health.ts";
import { type LastGoodDeps, lastGood } from "../backup/last-good.ts";
import { type Finding, stamp, type WatchCheck } from "./types.ts";

/**
 * Whether every backup has a good one that is young enough, whatever the reason may be that it has none: also when no
 * worker is alive and nothing runs. One that was never made is counted from when it was first known.
 */
export function agesCheck(
  deps: LastGoodDeps & { readonly config: Pick<Config, "backups" | "timezone">; readonly watchState: WatchState },
): WatchCheck {
  const { config, watchState } = deps;
  return {
    name: "ages",
    everyMs: 30_000,
    look: async ({ now }) => {
      const found: Finding[] = [];
      for (const { name, maxAge } of config.backups) {
        if (maxAge === undefined) continue;
        const known = await watchState.unchangedSince(`backup-known:${name}`, "known", now);
        const good = await lastGood(deps, name);
        const from = good?.startedAt ?? known;
        if (!isTooOld(from, maxAge, now)) continue;
        const args = { name, at: stamp(from, config.timezone), limit: durationWords(maxAge) };
        found.push({
          fingerprint: `age:${name}`,
          severity: "critical",
          title: { key: "watch-age", args: { name } },
          text: good ? { key: "watch-age-text", args } : { key: "watch-age-none-text", args },
          labels: { backup: name },
          since: new Date(from.getTime() + maxAge),
        });
      }
      return found;
    },
  };
}

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
] as const;

/** As in the configuration: "26h", "1d2h". */
function durationWords(ms: number): string {
  let rest = ms;
  const words = units.map(([unit, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count > 0 ? `${count}${unit}` : "";
  });
  return words.join("") || `${Math.round(ms / 1000)}s`;
}
