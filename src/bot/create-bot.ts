import { conversations, createConversation } from "@grammyjs/conversations";
import { sequentialize } from "@grammyjs/runner";
import { Api, Bot, type NextFunction, type Transformer } from "grammy";
import { hasRole } from "../core/roles.ts";
import { formatDuration } from "../messages/format.ts";
import { commands } from "./commands/index.ts";
import { type BotContext, type BotDeps, type DialogContext, staleAfterMs } from "./context.ts";
import { backupDialog } from "./conversations/backup.ts";
import { restoreDialog } from "./conversations/restore.ts";
import { conversationKey, conversationStorage } from "./conversations/storage.ts";
import { publishOwnMenu } from "./menu.ts";
import { access } from "./middlewares/access.ts";
import { approvalReplies } from "./middlewares/approval-replies.ts";
import { spendBudget } from "./middlewares/budget.ts";
import { askAgain, beginDialogs, dialogPresses, presses } from "./middlewares/press.ts";
import { recordLimits, retryLimits, retryOutages } from "./middlewares/retry.ts";
import { sayFailure } from "./say-failure.ts";
import { readFailure } from "./telegram-error.ts";

/** The kinds of updates that we ask Telegram for. */
export const allowedUpdates = ["message", "callback_query", "my_chat_member"] as const;

/** The longest wait for an answer: that of a long poll and a little more. */
const pollTimeoutSeconds = 30;
/** For everything that a person waits for. */
const callTimeoutSeconds = 10;

/** Options of every client of the Bot API: the configured server, a bounded wait. */
function apiOptions(
  deps: Pick<BotDeps, "config">,
  timeoutSeconds: number,
): { apiRoot: string; timeoutSeconds: number } {
  return { apiRoot: deps.config.telegram.apiRoot, timeoutSeconds };
}

/** A client without transformers: for polling and for the delivery, which spends its budget as it claims. */
export function bareApi(deps: Pick<BotDeps, "config">): Api {
  return new Api(deps.config.telegram.token, apiOptions(deps, pollTimeoutSeconds));
}

/** The bot with all its handlers; it fetches nothing by itself. */
export function createBot(deps: BotDeps): Bot<BotContext> {
  const bot = new Bot<BotContext>(deps.config.telegram.token, { client: apiOptions(deps, callTimeoutSeconds) });
  // The first is nearest to Telegram: whatever is repeated spends and waits anew.
  const transformers: Transformer[] = [recordLimits(deps), spendBudget(deps), retryOutages(), retryLimits()];
  bot.api.config.use(...transformers);

  bot.use(access(deps));
  bot.use(reportErrors(deps));
  bot.use(presses(deps));
  // One update of a person and place after the other: in this process in their order, among several bots by a lock.
  bot.use(sequentialize<BotContext>(conversationKey), oneBotPerDialog(deps), onlyOnce(deps));
  bot.use(approvalReplies(deps));
  bot.use(
    conversations<BotContext, DialogContext>({
      storage: conversationStorage(deps.dialogs),
      plugins: [
        async (ctx, next) => {
          ctx.api.config.use(...transformers);
          await next();
        },
      ],
    }),
  );
  bot.use(dialogPresses(deps));
  bot.use(
    createConversation(backupDialog(deps), { id: "backup" }),
    createConversation(restoreDialog(deps), { id: "restore" }),
    askAgain(),
    beginDialogs(),
  );
  bot.use(commandsInAnyCase());
  for (const command of commands) {
    bot.command(command.name, async (ctx) => {
      const { caller, texts } = ctx;
      if (!hasRole(caller.role, command.role)) {
        deps.logger.info({ command: command.name, by: caller.id }, "refused: role");
        await ctx.reply(texts.t("refused-role", { role: texts.plain(`role-${command.role}`) }), { parse_mode: "HTML" });
        return;
      }
      if (command.late === undefined && ctx.waitedMs > staleAfterMs) {
        const waited = formatDuration(ctx.waitedMs, texts.locale);
        await ctx.reply(texts.t("command-late", { command: command.name, waited }), { parse_mode: "HTML" });
        return;
      }
      await command.run(ctx, ctx.match.trim(), deps);
      if (command.renewsMenu) await renewMenu(ctx, deps);
    });
  }
  bot.catch(({ error, ctx }) =>
    deps.logger.error({ err: error, update: ctx.update.update_id }, "an update could not be handled"),
  );
  return bot;
}

/** Telegram tells commands from each other by case, people do not. */
function commandsInAnyCase() {
  return async (ctx: BotContext, next: NextFunction): Promise<void> => {
    const { message } = ctx;
    if (message?.text !== undefined) message.text = message.text.replace(/^\/\w+/, (command) => command.toLowerCase());
    await next();
  };
}

/** A menu that could not be set is set at the next start: the command itself has done its work. */
async function renewMenu(ctx: BotContext, deps: BotDeps): Promise<void> {
  const { id, role, locale } = ctx.caller;
  try {
    await publishOwnMenu(ctx.api, deps, { id, role, locale: (await deps.languages.read(id)) ?? locale });
  } catch (error) {
    deps.logger.info({ user: id, failure: readFailure(error) }, "the menu could not be set now");
  }
}

/** What goes wrong in a handler is logged and said in one line where it was asked. */
function reportErrors(deps: BotDeps) {
  return async (ctx: BotContext, next: NextFunction): Promise<void> => {
    try {
      await next();
    } catch (error) {
      deps.logger.error({ err: error, update: ctx.update.update_id }, "a handler failed");
      await sayFailure(deps, ctx, error);
    }
  };
}

/**
 * Behind the lock, as who held it may have handled the same update: a bot that has lost the right to poll, while it was busy
 * or its network was, finishes what it works on, and whoever polls then is given that again.
 */
function onlyOnce({ updates }: Pick<BotDeps, "updates">) {
  return async (ctx: BotContext, next: NextFunction): Promise<void> => {
    if (await updates.isDone(ctx.update.update_id)) return;
    await next();
    await updates.done(ctx.update.update_id);
  };
}

function oneBotPerDialog(deps: BotDeps) {
  return async (ctx: BotContext, next: NextFunction): Promise<void> => {
    const key = conversationKey(ctx);
    if (key === undefined) return await next();
    const lease = await deps.leases.acquire(`dialog:${key}`, {
      // Short: after a kill whoever takes over waits for it.
      ttlMs: 6000,
      holder: String(process.pid),
      signal: AbortSignal.timeout(20_000),
      pollMs: 20,
    });
    await using _held = lease;
    await next();
  };
}
