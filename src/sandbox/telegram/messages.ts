import type { InlineKeyboardMarkup, Message, User } from "@grammyjs/types";
import type { TranscriptEntry } from "./api.ts";
import { badRequest } from "./errors.ts";
import type { ClientMarkup } from "./markup.ts";
import { botUser, type ChatRecord, type StoredMessage, type Topic } from "./store.ts";
import { botsThatSee } from "./visibility.ts";
import type { World } from "./world.ts";

/** What a new message consists of beside its id, chat and date. */
export interface NewMessage {
  readonly from: User;
  readonly content: Partial<Message>;
  readonly botId?: number;
  readonly client?: ClientMarkup;
  readonly threadId?: number;
  readonly replyTo?: number;
  /** Unix seconds; default: the sandbox's clock. */
  readonly date?: number;
  readonly service?: boolean;
  /** Message id, for topics set up with a given one. */
  readonly id?: number;
}

/** Puts a message into the chat, tells viewers, and gives it to the bots that may see it. */
export function postMessage(world: World, record: ChatRecord, input: NewMessage): StoredMessage {
  const id = input.id ?? world.store.nextMessageId(record);
  if (record.messages.has(id)) throw new Error(`chat ${record.key}: message ${id} exists`);
  record.lastMessageId = Math.max(record.lastMessageId, id);
  const date = input.date ?? world.clock.unix();
  const message: Message = {
    message_id: id,
    from: input.from,
    chat: record.chat,
    date,
    ...threadOf(record, input.threadId),
    ...input.content,
  };
  // in a topic, what replies to nothing replies to the message that opened the topic
  const target = input.replyTo ?? message.message_thread_id;
  const replied = target === undefined ? undefined : record.messages.get(target)?.message;
  if (replied && replied !== message)
    message.reply_to_message = withoutReply(replied) as NonNullable<Message["reply_to_message"]>;
  const stored: StoredMessage = {
    message,
    botId: input.botId,
    client: input.client,
    service: input.service ?? false,
    sentAt: input.date === undefined ? world.clock.now() : input.date * 1000,
  };
  record.messages.set(id, stored);
  world.journal.emit({ type: "message", message: forViewers(stored) });
  world.journal.write({ ...entryOf(stored), kind: "message" });
  for (const bot of botsThatSee(world.store, record, stored)) {
    world.updates.get(bot.user.id)?.push("message", message as never, stored.sentAt);
  }
  return stored;
}

/** Replaces the content of a message: `content` is merged, keys with undefined vanish. */
export function editMessage(
  world: World,
  record: ChatRecord,
  stored: StoredMessage,
  content: { [K in keyof Message]?: Message[K] | undefined },
): Message {
  const merged = { ...stored.message, ...content, edit_date: world.clock.unix() };
  stored.message = Object.fromEntries(
    Object.entries(merged).filter(([, value]) => value !== undefined),
  ) as unknown as Message;
  world.journal.emit({ type: "edited", message: forViewers(stored) });
  world.journal.write({ ...entryOf(stored), kind: "edit" });
  if (stored.botId === undefined) {
    for (const bot of botsThatSee(world.store, record, stored)) {
      world.updates.get(bot.user.id)?.push("edited_message", stored.message as never, world.clock.now());
    }
  }
  return stored.message;
}

export function removeMessage(world: World, record: ChatRecord, messageId: number, by: string): void {
  const stored = record.messages.get(messageId);
  if (!stored) return;
  record.messages.delete(messageId);
  world.journal.emit({ type: "deleted", chat_id: record.chat.id, message_id: messageId });
  const { message_thread_id: thread } = stored.message;
  world.journal.write({
    kind: "delete",
    chat_id: record.chat.id,
    message_id: messageId,
    by,
    ...(thread === undefined ? {} : { message_thread_id: thread }),
  });
}

/** Opens a topic in a forum. Throws 400 in other chats. */
export function createTopic(
  world: World,
  record: ChatRecord,
  name: string,
  options: { id?: number; by?: User; iconColor?: number; botId?: number } = {},
): Topic {
  if (record.chat.type !== "supergroup" || !record.chat.is_forum) throw badRequest("the chat is not a forum");
  const iconColor = options.iconColor ?? 0x6fb9f0;
  const owner = [...record.members.keys()].map((id) => world.store.user(id)).find((user) => user && !user.is_bot);
  const from = options.by ?? owner ?? [...world.store.bots.values()].map(botUser)[0];
  if (!from) throw new Error("a topic needs somebody who opens it");
  const id = options.id ?? world.store.nextMessageId(record);
  const topic: Topic = { message_thread_id: id, name, iconColor, closed: false };
  record.topics.set(id, topic);
  postMessage(world, record, {
    id,
    from,
    threadId: id,
    service: true,
    ...(options.botId === undefined ? {} : { botId: options.botId }),
    content: { forum_topic_created: { name, icon_color: iconColor } },
  });
  world.journal.emit({ type: "chats" });
  return topic;
}

function threadOf(record: ChatRecord, threadId: number | undefined): Partial<Message> {
  return threadId !== undefined && record.topics.has(threadId)
    ? { message_thread_id: threadId, is_topic_message: true }
    : {};
}

/** A copy for `reply_to_message` or `pinned_message`, which carry no further reply. */
export function withoutReply(message: Message): Message {
  const { reply_to_message: _reply, ...rest } = message;
  return structuredClone(rest);
}

/** The message as viewers get it: a copy, with the reply prompt that only the person's client sees. */
export function forViewers(stored: StoredMessage): Message {
  const copy = structuredClone(stored.message);
  if (stored.client && "force_reply" in stored.client)
    copy.reply_markup = stored.client as unknown as InlineKeyboardMarkup;
  return copy;
}

type EntryBase = Pick<TranscriptEntry, "chat_id" | "message_id" | "message_thread_id" | "by"> & {
  text: string;
  buttons?: NonNullable<InlineKeyboardMarkup["inline_keyboard"]>;
  file?: { kind: "photo" | "document"; file_id: string; file_name?: string; bytes: number };
};

function entryOf(stored: StoredMessage): EntryBase {
  const { message } = stored;
  const photo = message.photo?.at(-1);
  const document = message.document;
  const buttons = message.reply_markup?.inline_keyboard;
  return {
    chat_id: message.chat.id,
    message_id: message.message_id,
    by: nameOf(message.from),
    text: message.text ?? message.caption ?? serviceText(message),
    ...(message.message_thread_id === undefined ? {} : { message_thread_id: message.message_thread_id }),
    ...(buttons ? { buttons: structuredClone(buttons) } : {}),
    ...(photo ? { file: { kind: "photo" as const, file_id: photo.file_id, bytes: photo.file_size ?? 0 } } : {}),
    ...(document
      ? {
          file: {
            kind: "document" as const,
            file_id: document.file_id,
            bytes: document.file_size ?? 0,
            ...(document.file_name === undefined ? {} : { file_name: document.file_name }),
          },
        }
      : {}),
  };
}

export function nameOf(user: User | undefined): string {
  if (!user) return "?";
  return user.last_name === undefined ? user.first_name : `${user.first_name} ${user.last_name}`;
}

function serviceText(message: Message): string {
  if (message.forum_topic_created) return `(topic "${message.forum_topic_created.name}" opened)`;
  if (message.forum_topic_edited) return `(topic renamed to "${message.forum_topic_edited.name ?? ""}")`;
  if (message.forum_topic_closed) return "(topic closed)";
  if (message.forum_topic_reopened) return "(topic reopened)";
  if (message.new_chat_members) return `(${message.new_chat_members.map(nameOf).join(", ")} joined)`;
  if (message.left_chat_member) return `(${nameOf(message.left_chat_member)} left)`;
  if (message.migrate_to_chat_id !== undefined) return `(upgraded to supergroup ${message.migrate_to_chat_id})`;
  if (message.migrate_from_chat_id !== undefined) return `(upgraded from group ${message.migrate_from_chat_id})`;
  if (message.pinned_message) return `(pinned message ${message.pinned_message.message_id})`;
  return "";
}
