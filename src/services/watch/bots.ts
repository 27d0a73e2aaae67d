import type { Config } from "../../app/config.ts";
import type { Presences } from "../../state/presence.ts";
import type { WatchState } from "../../state/watch.ts";
import { presenceWithinMs } from "../status.ts";
import { missing, stamp, type WatchCheck } from "./types.ts";

/** Whether a bot is alive. The worker's part of the watch: with every bot dead nobody can tell, so it is told afterwards. */
export function botsCheck({
  config,
  presences,
  watchState,
}: {
  readonly config: Pick<Config, "timezone">;
  readonly presences: Presences;
  readonly watchState: WatchState;
}): WatchCheck {
  return {
    name: "bots",
    look: async (look) => {
      const alive = await presences.alive(look.now, presenceWithinMs);
      if (alive.some(({ role }) => role === "bot")) await watchState.see("bot", look.now);
      const found = missing("bot", await watchState.seen("bot"), look, (since) => ({
        severity: "critical",
        title: { key: "watch-no-bot" },
        text: { key: "watch-no-bot-text", args: { at: stamp(since, config.timezone) } },
      }));
      return found ? [found] : [];
    },
  };
}
