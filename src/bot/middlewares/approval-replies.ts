import type { NextFunction } from "grammy";
import type { ApprovalStep } from "../../core/approval.ts";
import { refusalToast } from "../cards/approval.ts";
import { type BotContext, type BotDeps, staleAfterMs } from "../context.ts";
import { oneLine } from "../foreign-text.ts";

/** Longest reason on a card; UTF-16 units. */
const longestReason = 300;

/**
 * Takes what is typed in reply to a question of an approval's card: the name that confirms an order, or why somebody
 * has said no. Which question it answers is on record, so any bot understands it, also after a restart.
 */
export function approvalReplies(deps: BotDeps) {
  return async (ctx: BotContext, next: NextFunction): Promise<void> => {
    const { message, caller, texts, waitedMs } = ctx;
    const { text, reply_to_message: asked } = message ?? {};
    if (message === undefined || text === undefined || text.startsWith("/") || asked?.from?.id !== ctx.me.id)
      return await next();
    const by = { id: caller.id, name: caller.name };
    const prompt =
      (await deps.approvalStates.prompt(message.chat.id, asked.message_id)) ??
      // A copy of the question whose bot was killed before it could record it, or the card itself.
      (await deps.approvals.awaiting(by, text));
    if (!prompt) return await next();
    if ((await deps.approvals.read(prompt.id)) === undefined) return await next();
    const step =
      prompt.about === "reason"
        ? await deps.approvals.giveReason(prompt.id, by, oneLine(text, longestReason))
        : await deps.approvals.confirm(prompt.id, by, text, waitedMs > staleAfterMs);
    if (step.refused === undefined || isRepeated(step, by.id)) return;
    const said = refusalToast(step.refused, step.approval, texts);
    await ctx.reply(texts.t("approval-not-taken", { why: said }), {
      parse_mode: "HTML",
      reply_parameters: { message_id: message.message_id, allow_sending_without_reply: true },
    });
  };
}

/** A message comes again when a bot was killed while it worked on it: it has counted already. */
function isRepeated({ approval, refused }: ApprovalStep, user: number): boolean {
  const hasConfirmed = approval.confirmedAt !== undefined && approval.requestedBy?.id === user;
  return refused === "already" || (refused === "over" && hasConfirmed);
}
