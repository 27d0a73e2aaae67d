import type { Config } from "../../app/config.ts";
import type { Presences } from "../../state/presence.ts";
import type { WatchState } from "../../state/watch.ts";
import { presenceWithinMs } from "../status.ts";
import { lastSign, missing, stamp, type WatchCheck } from "./types.ts";

/** A bot that has just come back shows what was noted without it within this time; milliseconds. */
const shownAfterMs = 10_000;

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
      const sign = lastSign((await presences.alive(look.now, presenceWithinMs)).filter(({ role }) => role === "bot"));
      if (sign) await watchState.see("bot", sign);
      const since = await watchState.unchangedSince("bots", sign ? "alive" : "gone", look.now);
      const known = look.open.get("bot");
      // What a worker that knows no chats has noted is put on a card by the bot that is back: not over before that.
      if (known && sign && look.now.getTime() - since.getTime() < shownAfterMs) return [known];
      const found = missing("bot", await watchState.seen("bot"), look, (since) => ({
        severity: "critical",
        title: { key: "watch-no-bot" },
        text: { key: "watch-no-bot-text", args: { at: stamp(since, config.timezone) } },
      }));
      return found ? [found] : [];
    },
  };
}
