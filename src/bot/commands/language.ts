import { type Locale, locales, messagesOf } from "../../messages/index.ts";
import type { Command } from "./types.ts";

/** /language [en|ru]: the language of replies to this person; without one, which is in force and which there are. */
export const language: Command = {
  name: "language",
  role: "viewer",
  renewsMenu: true,
  run: async (ctx, argument, deps) => {
    const chosen = locales.find((locale) => locale === argument.toLowerCase());
    if (!chosen) {
      const { texts, caller } = ctx;
      const choices = locales.map((locale) => texts.t("language-choice", { locale, name: languageName(locale) }));
      const usage = texts.t("language-usage", { current: languageName(caller.locale) });
      await ctx.reply([usage, ...choices].join("\n"), { parse_mode: "HTML" });
      return;
    }
    await deps.languages.write(ctx.caller.id, chosen);
    await ctx.reply(deps.messages(chosen).t("language-set"), { parse_mode: "HTML" });
  },
};

/** A language by its own name. */
function languageName(locale: Locale): string {
  return messagesOf(locale).plain("language-name");
}
