import { hasRole } from "../../core/roles.ts";
import type { Command } from "./types.ts";

/** /help: the commands that this person may use. */
export const help = (commands: () => readonly Command[]): Command => ({
  name: "help",
  role: "viewer",
  late: "run",
  run: async (ctx) => {
    const { texts, caller } = ctx;
    const mine = commands().filter((command) => command.name !== "start" && hasRole(caller.role, command.role));
    const lines = mine.map((command) =>
      texts.t("help-line", { command: command.name, text: texts.plain(`command-${command.name}`) }),
    );
    await ctx.reply([texts.t("help-title"), lines.join("\n"), texts.t("help-end")].join("\n\n"), {
      parse_mode: "HTML",
    });
  },
});
