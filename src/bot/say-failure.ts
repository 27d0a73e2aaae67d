import { AppError } from "../core/errors.ts";
import { reasonOf } from "../messages/index.ts";
import { type Notice, notify } from "../services/notices.ts";
import type { BotContext, BotDeps } from "./context.ts";
import { readFailure } from "./telegram-error.ts";

/**
 * Says in one line where something was asked that it did not work. Only our own errors are written for people; of
 * others the log has the details. Where Telegram takes nothing for now, the line is delivered when it does again.
 */
export async function sayFailure(deps: BotDeps, ctx: BotContext, error: unknown): Promise<void> {
  const { texts, place } = ctx;
  const notice: Notice =
    error instanceof AppError
      ? { message: "action-failed", args: { reason: reasonOf(error) } }
      : { message: "action-failed-inside", args: {} };
  const later = async (): Promise<void> =>
    await notify(deps, `failure:${ctx.update.update_id}`, notice, [place], "reply");
  if (readFailure(error).kind === "retry-after") return await later();
  try {
    await ctx.reply(texts.t(notice.message, notice.args), { parse_mode: "HTML" });
  } catch (failure) {
    deps.logger.warn({ failure: readFailure(failure), update: ctx.update.update_id }, "a failure is told later");
    await later();
  }
}
