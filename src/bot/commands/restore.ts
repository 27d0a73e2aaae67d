import { type BotContext, staleAfterMs } from "../context.ts";
import type { RestoreDialogArgs } from "../conversations/restore.ts";
import { type Chosen, choiceOf } from "../conversations/restore-choice.ts";
import type { Command } from "./types.ts";

/** /restore [name] [time or run id]: begins the dialog; nothing is changed before its card was confirmed and approved. */
export const restore: Command = {
  name: "restore",
  role: "operator",
  late: "asks",
  run: async (ctx, argument, deps) => {
    if (deps.config.backups.length === 0) {
      await ctx.reply(ctx.texts.t("restore-ask-none-configured"), { parse_mode: "HTML" });
      return;
    }
    await beginRestore(ctx, await choiceOf(deps, argument, ctx.texts));
  },
};

/** Begins the dialog with what is known already. */
async function beginRestore(ctx: BotContext, { choice, notice }: Chosen): Promise<void> {
  const { caller, place, waitedMs } = ctx;
  const args: RestoreDialogArgs = {
    caller,
    place,
    choice,
    ...(notice ? { notice } : {}),
    ...(waitedMs > staleAfterMs ? { again: "command" as const, waitedMs } : {}),
  };
  await ctx.conversation.exitAll();
  await ctx.conversation.enter("restore", args);
}
