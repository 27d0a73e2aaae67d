import type { Message } from "@grammyjs/types";
import { badRequest, forbidden } from "./errors.ts";
import type { Params } from "./params.ts";
import type { BotRecord, ChatRecord, StoredMessage } from "./store.ts";
import type { World } from "./world.ts";

/** What a method wants to do in the chat: `write` needs a living chat that takes the bot's messages. */
export type Access = "read" | "write";

/** The chat that a call names, checked for what the bot may do there. Throws 400 or 403 with Telegram's words. */
export function findChat(world: World, bot: BotRecord, params: Params, access: Access, field = "chat_id"): ChatRecord {
  const text = params.text(field).trim();
  if (text === "") throw badRequest(`${field} is empty`);
  const record = text.startsWith("@") ? byUsername(world, text.slice(1)) : byId(world, bot, text);
  if (!record) throw badRequest("chat not found");
  if (record.chat.type === "private") checkPrivate(record, bot, access);
  else checkGroup(record, bot, access);
  return record;
}

function byUsername(world: World, username: string): ChatRecord | undefined {
  const wanted = username.toLowerCase();
  return [...world.store.chats.values()].find(
    ({ chat }) => chat.type === "supergroup" && chat.username?.toLowerCase() === wanted,
  );
}

function byId(world: World, bot: BotRecord, text: string): ChatRecord | undefined {
  if (!/^-?\d{1,16}$/.test(text)) return undefined;
  const id = Number(text);
  if (id < 0) return world.store.chats.get(`${id}`);
  if (world.store.bots.has(id))
    throw forbidden(id === bot.user.id ? "bot can't send messages to the bot" : "bot can't send messages to bots");
  const user = world.store.users.get(id);
  return user && world.store.privateChat(bot.user.id, user);
}

function checkPrivate(record: ChatRecord, bot: BotRecord, access: Access): void {
  if (access === "read") return;
  if (record.members.get(bot.user.id) === "kicked") throw forbidden("bot was blocked by the user");
  if (!record.started) throw forbidden("bot can't initiate conversation with a user");
}

function checkGroup(record: ChatRecord, bot: BotRecord, access: Access): void {
  const status = record.members.get(bot.user.id);
  const kind = record.chat.type === "supergroup" ? "supergroup" : "group";
  if (status === undefined) throw badRequest("chat not found");
  if (status === "kicked") throw forbidden(`bot was kicked from the ${kind} chat`);
  if (record.migratedTo !== undefined && access === "write") {
    throw badRequest("group chat was upgraded to a supergroup chat", { migrate_to_chat_id: record.migratedTo });
  }
  if (status === "left") throw forbidden(`bot is not a member of the ${kind} chat`);
}

/** The topic that a new message goes to; undefined for the chat itself. Throws 400 for a topic that is not there or closed. */
export function findThread(world: World, record: ChatRecord, bot: BotRecord, params: Params): number | undefined {
  const id = params.integer("message_thread_id");
  if (id === 0) return undefined;
  const topic = record.topics.get(id);
  // as on Telegram the General topic has no id that could be given: 1 is not found
  if (!topic) throw badRequest("message thread not found");
  if (topic.closed && !world.store.isAdministrator(record, bot.user.id)) throw badRequest("TOPIC_CLOSED");
  return id;
}

/** The message that a new one replies to; undefined when it replies to none. */
export function findReply(record: ChatRecord, params: Params, threadId: number | undefined): StoredMessage | undefined {
  const raw = params.json("reply_parameters", "reply parameters");
  const options: { message_id?: unknown; allow_sending_without_reply?: unknown } | undefined =
    typeof raw === "object" && raw !== null ? raw : undefined;
  if (options && options.message_id === undefined) throw badRequest(`can't find field "message_id"`);
  // the old parameters still work on the real server
  const id = options ? Number(options.message_id) : params.integer("reply_to_message_id");
  if (id === 0) return undefined;
  const optional = options ? options.allow_sending_without_reply === true : params.flag("allow_sending_without_reply");
  const found = record.messages.get(id);
  const sameThread = threadId === undefined || found?.message.message_thread_id === threadId;
  if (found && sameThread) return found;
  if (optional) return undefined;
  throw badRequest("message to be replied not found");
}

/** A message of the chat that the bot may edit. */
export function findEditable(record: ChatRecord, bot: BotRecord, params: Params): StoredMessage {
  const id = params.integer("message_id");
  if (id === 0) throw badRequest("message identifier is not specified");
  const stored = record.messages.get(id);
  if (!stored) throw badRequest("message to edit not found");
  // a message with a reply keyboard or a reply prompt can never be edited
  if (stored.botId !== bot.user.id || stored.service || stored.client !== undefined)
    throw badRequest("message can't be edited");
  return stored;
}

/** The message as it is given to the bot: a copy. */
export function answerWith(stored: StoredMessage): Message {
  return structuredClone(stored.message);
}
