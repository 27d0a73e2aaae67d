import type { NextFunction } from "grammy";
import { configuredChat, moveChat } from "../../services/chats.ts";
import type { BotContext, BotDeps, Caller } from "../context.ts";
import { oneLine } from "../foreign-text.ts";

/** Telegram's account that anonymous admins write through. */
const anonymousAdmin = 1087968824;

/**
 * Lets through what a listed person says in a configured chat or privately. Everybody else gets silence and is
 * counted, for the audit log too where it was a press or a command; a stranger's press is told that it does nothing, since the chat would show it as pending for ever.
 */
export function access(deps: BotDeps) {
  return async (ctx: BotContext, next: NextFunction): Promise<void> => {
    const { chat, from } = ctx;
    if (!chat || !from) return;
    deps.metrics.update(Object.keys(ctx.update).find((key) => key !== "update_id") ?? "unknown");
    // Never an order: what was edited or forwarded.
    if (ctx.editedMessage || ctx.message?.forward_origin) return;
    const known = await isAllowedChat(deps, chat.id, chat.type);
    if (known && (await chatChanged(deps, ctx, chat.id))) return;
    const caller = isPerson(ctx) ? await findCaller(deps, from.id) : undefined;
    if (!known || !caller) {
      deps.metrics.stranger();
      deps.logger.debug({ chat: chat.id, from: from.id }, "not a listed person in a configured chat");
      if (ctx.callbackQuery && known) await refusePress(deps, ctx);
      await recordStranger(deps, ctx, chat.id);
      return;
    }
    await deps.cards.enableChat(chat.id);
    introduce(deps, ctx, caller);
    await next();
  };
}

/** What an anonymous admin, a channel or a bot says was said by no person. */
function isPerson({ from, message }: BotContext): boolean {
  return from !== undefined && from.id !== anonymousAdmin && !from.is_bot && message?.sender_chat === undefined;
}

/** Puts into the context who speaks, where, and how late it reached us. */
function introduce(deps: BotDeps, ctx: BotContext, caller: Caller): void {
  const threadId = ctx.msg?.is_topic_message ? ctx.msg.message_thread_id : undefined;
  ctx.caller = caller;
  ctx.texts = deps.messages(caller.locale);
  ctx.place = { chatId: ctx.chat?.id ?? 0, ...(threadId === undefined ? {} : { threadId }) };
  ctx.waitedMs = ctx.message ? deps.clock.now().getTime() - ctx.message.date * 1000 : 0;
}

async function isAllowedChat(deps: BotDeps, chatId: number, type: string): Promise<boolean> {
  // A private chat is allowed for whom the list knows; that is looked up by the person.
  if (type === "private") return true;
  return (await configuredChat(deps, chatId)) !== undefined;
}

/** What Telegram tells of a chat itself, whoever did it, listed or not: its new id, and whether the bot is in it. */
async function chatChanged(deps: BotDeps, { message, myChatMember }: BotContext, chatId: number): Promise<boolean> {
  if (message?.migrate_to_chat_id !== undefined) await moveChat(deps, chatId, message.migrate_to_chat_id);
  else if (myChatMember) {
    const { status } = myChatMember.new_chat_member;
    deps.logger.info({ chat: chatId, status }, "my membership changed");
    if (status !== "left" && status !== "kicked") await deps.cards.enableChat(chatId);
  } else return false;
  return true;
}

async function findCaller(deps: BotDeps, id: number): Promise<Caller | undefined> {
  const user = deps.config.telegram.users.find((candidate) => candidate.id === id);
  if (!user) return undefined;
  const locale = (await deps.languages.read(id)) ?? user.locale ?? deps.config.locale;
  return { id, name: user.name, role: user.role, locale };
}

async function refusePress(deps: BotDeps, ctx: BotContext): Promise<void> {
  const locale = (await configuredChat(deps, ctx.chat?.id ?? 0))?.chat.locale ?? deps.config.locale;
  const text = deps.messages(locale).plain(ctx.from?.id === anonymousAdmin ? "toast-anonymous" : "toast-stranger");
  await ctx
    .answerCallbackQuery({ text })
    .catch((error: unknown) => deps.logger.debug({ error: String(error) }, "a stranger's press could not be answered"));
}

/** What somebody who may not has pressed or ordered; what people say to each other is nobody's business. */
async function recordStranger(deps: BotDeps, ctx: BotContext, chatId: number): Promise<void> {
  const { from, callbackQuery, message } = ctx;
  const command = commandIn(message?.text ?? message?.caption, ctx.me.username);
  if (!from || (!callbackQuery && command === undefined)) return;
  const handle = from.username === undefined ? "" : ` @${from.username}`;
  const by = { id: from.id, name: oneLine(`${from.first_name} ${from.last_name ?? ""}`, longestName) + handle };
  const act = callbackQuery ? { what: "press" as const } : { what: "command" as const, tried: command ?? "" };
  try {
    await deps.strangers.count({ by, chatId, ...act }, deps.clock.now());
  } catch (error) {
    deps.logger.warn({ from: from.id, error: String(error) }, "a stranger could not be counted");
  }
}

/** Longer than any of ours. */
const longestName = 64;

/** "/restore" of "/restore@this_bot shop": without what follows, and not when another bot is meant. */
function commandIn(text: string | undefined, bot: string): string | undefined {
  const [, command, to] = /^(\/\w{1,32})(?:@(\w+))?(?!\w)/.exec(text ?? "") ?? [];
  return to === undefined || to.toLowerCase() === bot.toLowerCase() ? command : undefined;
}
