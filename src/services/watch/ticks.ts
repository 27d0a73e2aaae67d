import type { Config } from "../../app/config.ts";
import type { Presences } from "../../state/presence.ts";
import type { WatchState } from "../../state/watch.ts";
import { presenceWithinMs } from "../status.ts";
import { type Finding, needsWorker, stamp, type WatchCheck } from "./types.ts";

/** The clock's job comes every 15 s; missed after this long, milliseconds. */
const missedTickMs = 120_000;

/** The name under which the workers' own watch looks, once in every tick. */
export const workerWatch = "worker";

/** Whether the clock's job is missed: a worker has been alive for as long, and the watch awake. */
export function missedTick(
  tickAt: Date | undefined,
  workerSince: Date | undefined,
  look: { readonly now: Date; readonly awakeSince: Date },
  timezone: string,
): Finding | undefined {
  if (!workerSince) return undefined;
  const since = Math.max(tickAt?.getTime() ?? 0, workerSince.getTime(), look.awakeSince.getTime());
  if (look.now.getTime() - since < missedTickMs) return undefined;
  return {
    fingerprint: "tick",
    severity: "critical",
    title: { key: "watch-no-tick" },
    text: { key: "watch-no-tick-text", args: { at: stamp(tickAt ?? new Date(since), timezone) } },
    since: new Date(since),
  };
}

/** Whether the clock's job is done, without which no schedule starts anything. */
export function ticksCheck({
  config,
  presences,
  watchState,
}: {
  readonly config: Pick<Config, "backups" | "servers" | "timezone">;
  readonly presences: Presences;
  readonly watchState: WatchState;
}): WatchCheck {
  return {
    name: "ticks",
    look: async (look) => {
      if (!needsWorker(config)) return [];
      const alive = (await presences.alive(look.now, presenceWithinMs)).filter(({ role }) => role === "worker");
      const tickAt = await watchState.lookedAt(workerWatch);
      const known = look.open.get("tick");
      if (known && !(tickAt && look.now.getTime() - tickAt.getTime() < missedTickMs)) return [known];
      const [oldest] = alive.map(({ startedAt }) => startedAt).toSorted((a, b) => (a < b ? -1 : 1));
      const found = missedTick(tickAt, oldest === undefined ? undefined : new Date(oldest), look, config.timezone);
      return found ? [found] : [];
    },
  };
}
