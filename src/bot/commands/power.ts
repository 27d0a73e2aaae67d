import { findServer, kindsWithPower, powerActionsOf, serversFor } from "../../services/power/servers.ts";
import { staleAfterMs } from "../context.ts";
import { oneLine } from "../foreign-text.ts";
import { type PowerChoice, type PowerCommand, powerCommands } from "../views/power.ts";
import { openView } from "../views/views.ts";
import type { Command } from "./types.ts";

/** A command about the power of servers: `/reboot [server]`. Nothing is done before its card was confirmed and approved. */
export function powerCommand(name: PowerCommand): Command {
  return {
    name,
    role: "operator",
    late: "asks",
    run: async (ctx, argument, deps) => {
      const { texts, waitedMs } = ctx;
      const { config } = deps;
      const say = async (text: string): Promise<void> => void (await ctx.reply(text, { parse_mode: "HTML" }));
      const actions = powerCommands[name];
      if (argument !== "") {
        const server = findServer(config, argument);
        if (!server) return await say(texts.t("power-choose-unknown", { server: oneLine(argument, 80) }));
        const { provider } = server;
        if (!powerActionsOf(server).some((action) => (actions as readonly string[]).includes(action)))
          return await say(texts.t("power-choose-none", { server: server.name, provider }));
      } else if (serversFor(config, actions).length === 0) {
        return await say(texts.t("power-choose-none-configured", { kinds: kindsWithPower().join(", ") }));
      }
      const state: PowerChoice = {
        command: name,
        ...(argument === "" ? {} : { server: argument }),
        ...(waitedMs > staleAfterMs ? { waitedMs } : {}),
      };
      await openView(deps, ctx, { kind: "power", state });
    },
  };
}
