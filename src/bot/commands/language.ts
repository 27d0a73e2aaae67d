import { locales } from "../../messages/index.ts";
import type { Command } from "./types.ts";

/** /language [en|ru]: the language of replies to this person; without an argument, the one in force. */
export const language: Command = {
  name: "language",
  role: "viewer",
  renewsMenu: true,
  run: async (ctx, argument, deps) => {
    const chosen = locales.find((locale) => locale === argument.toLowerCase());
    if (!chosen) {
      await ctx.reply(ctx.texts.t("language-usage", { current: ctx.caller.locale, choices: locales.join(", ") }), {
        parse_mode: "HTML",
      });
      return;
    }
    await deps.languages.write(ctx.caller.id, chosen);
    await ctx.reply(deps.messages(chosen).t("language-set"), { parse_mode: "HTML" });
  },
};
