import type { Command } from "./types.ts";

/** /drill: begins a recovery drill at once; its card has Cancel. It changes nothing that is live. */
export const drill: Command = {
  name: "drill",
  role: "operator",
  run: async (ctx, _argument, { config, drillOrders }) => {
    const { texts, caller, place } = ctx;
    const say = async (text: string): Promise<void> => void (await ctx.reply(text, { parse_mode: "HTML" }));
    if (config.backups.length === 0) return await say(texts.t("verify-none-configured"));
    const requestedBy = { id: caller.id, name: caller.name };
    const { created } = await drillOrders.request({ trigger: "chat", requestedBy, target: place });
    if (!created) await say(texts.t("drill-already"));
  },
};
