import type { Command } from "./types.ts";

/** /whoami: ids and role, for the configuration. */
export const whoami: Command = {
  name: "whoami",
  role: "viewer",
  late: "run",
  run: async (ctx) => {
    const { texts, caller, place } = ctx;
    const args = {
      id: String(caller.id),
      name: caller.name,
      role: texts.plain(`role-${caller.role}`),
      chat: String(place.chatId),
    };
    const text =
      place.threadId === undefined
        ? texts.t("whoami", args)
        : texts.t("whoami-topic", { ...args, topic: String(place.threadId) });
    await ctx.reply(text, { parse_mode: "HTML" });
  },
};
