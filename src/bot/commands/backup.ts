import { type BotContext, type BotDeps, staleAfterMs } from "../context.ts";
import type { BackupDialogArgs } from "../conversations/backup.ts";
import type { Command } from "./types.ts";

/** /backup [name]: begins the dialog; nothing is started before Confirm. */
export const backup: Command = {
  name: "backup",
  role: "operator",
  late: "asks",
  run: async (ctx: BotContext, argument: string, deps: BotDeps) => {
    const { texts, caller, place, waitedMs } = ctx;
    const { backups } = deps.config;
    if (backups.length === 0) {
      await ctx.reply(texts.t("backup-none-configured"), { parse_mode: "HTML" });
      return;
    }
    if (argument !== "" && !backups.some((candidate) => candidate.name === argument)) {
      const names = backups.map((candidate) => candidate.name).join(", ");
      await ctx.reply(texts.t("backup-no-such", { name: argument.slice(0, 64), names }), { parse_mode: "HTML" });
      return;
    }
    const only = backups.length === 1 ? backups[0]?.name : undefined;
    const name = argument === "" ? only : argument;
    const args: BackupDialogArgs = {
      caller,
      place,
      ...(name === undefined ? {} : { name }),
      ...(waitedMs > staleAfterMs ? { again: "command" as const, waitedMs } : {}),
    };
    await ctx.conversation.exitAll();
    await ctx.conversation.enter("backup", args);
  },
};
