import type { Message } from "@grammyjs/types";
import type { BotRecord, ChatRecord, Store, StoredMessage } from "./store.ts";

/**
 * The bots that get a message as an update: those in the chat, except its sender; nothing that another bot wrote.
 * In groups privacy mode hides what is no command, no reply to the bot and no service message, unless the bot is an administrator.
 */
export function botsThatSee(store: Store, record: ChatRecord, stored: StoredMessage): BotRecord[] {
  return [...store.bots.values()].filter(
    (bot) => store.isMember(record, bot.user.id) && sees(store, record, stored, bot),
  );
}

function sees(store: Store, record: ChatRecord, stored: StoredMessage, bot: BotRecord): boolean {
  if (stored.botId === bot.user.id) return false;
  if (stored.service || record.chat.type === "private") return stored.service || stored.botId === undefined;
  if (stored.botId !== undefined) return false;
  if (!bot.privacyMode || store.isAdministrator(record, bot.user.id)) return true;
  return isCommandFor(stored.message, bot) || isReplyTo(stored.message, bot);
}

function isCommandFor(message: Message, bot: BotRecord): boolean {
  const text = message.text ?? message.caption ?? "";
  const addressee = /^\/[A-Za-z0-9_]+(?:@([A-Za-z0-9_]+))?/.exec(text);
  if (!addressee) return false;
  return addressee[1] === undefined || addressee[1].toLowerCase() === bot.user.username.toLowerCase();
}

function isReplyTo(message: Message, bot: BotRecord): boolean {
  const replied = message.reply_to_message;
  // the reply that every message of a topic carries to the message that opened it is none of the person's
  return (
    replied?.from?.id === bot.user.id &&
    !(replied.forum_topic_created && replied.message_id === message.message_thread_id)
  );
}
