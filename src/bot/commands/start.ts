import type { Command } from "./types.ts";

/** /start: a greeting for listed people. Setup's own `/start <code>` is answered by `vakhta init`. */
export const start: Command = {
  name: "start",
  role: "viewer",
  late: "run",
  renewsMenu: true,
  run: async (ctx) => {
    const { texts, caller } = ctx;
    await ctx.reply(texts.t("start-hello", { name: caller.name, role: texts.plain(`role-${caller.role}`) }), {
      parse_mode: "HTML",
    });
  },
};
