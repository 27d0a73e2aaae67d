import type { Message, User } from "@grammyjs/types";
import type { SendAsUser } from "./api.ts";
import { detectEntities } from "./entities.ts";
import { SandboxError } from "./errors.ts";
import { setMember } from "./members.ts";
import { editMessage, nameOf, postMessage, removeMessage } from "./messages.ts";
import { ANONYMOUS_ADMIN, type ChatRecord, publicUser } from "./store.ts";
import type { World } from "./world.ts";

/** The chat of the sandbox's own surface; a person's id opens the private chat with the first bot. Throws 404. */
export function chatByKey(world: World, key: string | number): ChatRecord {
  const known = world.store.chats.get(`${key}`);
  if (known) return known;
  const [userId, botId] = `${key}`.split("@").map(Number);
  const user = userId === undefined ? undefined : world.store.users.get(userId);
  const bot = botId ?? [...world.store.bots.keys()][0];
  if (!user || bot === undefined || !world.store.bots.has(bot)) throw new SandboxError(`chat ${key} is unknown`, 404);
  return world.store.privateChat(bot, user);
}

/** A person writes, or edits what they wrote. Throws `SandboxError` on what a real client would not let them do. */
export function sendAsUser(world: World, record: ChatRecord, input: SendAsUser): Message {
  const user = personIn(world, record, input.from);
  if (record.migratedTo !== undefined) throw new SandboxError(`the group became the supergroup ${record.migratedTo}`);
  const content = textContent(input.text);
  if (input.edit_message_id !== undefined) {
    return structuredClone(editOwn(world, record, user, input.edit_message_id, content));
  }
  const threadId = threadFor(world, record, user, input);
  // who writes to a bot that they blocked has to unblock it first
  if (record.botId !== undefined) setMember(world, record, record.botId, "member", user);
  record.started = true;
  const date = input.date ?? world.clock.unix();
  const origin = { type: "hidden_user" as const, sender_user_name: "Somebody else", date: date - 60 };
  const stored = postMessage(world, record, {
    from: input.anonymous ? ANONYMOUS_ADMIN : user,
    ...(input.date === undefined ? {} : { date: input.date }),
    ...(threadId === undefined ? {} : { threadId }),
    ...(input.reply_to_message_id === undefined ? {} : { replyTo: input.reply_to_message_id }),
    content: {
      ...content,
      ...(input.anonymous ? { sender_chat: record.chat } : {}),
      ...(input.forwarded ? { forward_origin: origin } : {}),
    },
  });
  return structuredClone(stored.message);
}

function textContent(written: string): Partial<Message> {
  const text = written.trim();
  if (text === "") throw new SandboxError("the text is empty");
  if (text.length > 4096) throw new SandboxError("the text is longer than 4096 UTF-16 units");
  const entities = detectEntities(text);
  return { text, ...(entities.length > 0 ? { entities } : {}) };
}

/** The topic a person's message goes to: the one named, or that of the message replied to. */
function threadFor(world: World, record: ChatRecord, user: User, input: SendAsUser): number | undefined {
  const { message_thread_id: named, reply_to_message_id: replyTo } = input;
  if (named !== undefined && !record.topics.has(named)) throw new SandboxError(`topic ${named} is unknown`, 404);
  const replied = replyTo === undefined ? undefined : record.messages.get(replyTo);
  if (replyTo !== undefined && !replied) throw new SandboxError(`message ${replyTo} is unknown`, 404);
  const threadId = named ?? replied?.message.message_thread_id;
  const closed = threadId !== undefined && record.topics.get(threadId)?.closed === true;
  if (closed && !world.store.isAdministrator(record, user.id)) throw new SandboxError("the topic is closed");
  return threadId;
}

function editOwn(world: World, record: ChatRecord, user: User, id: number, content: Partial<Message>): Message {
  const stored = record.messages.get(id);
  if (!stored) throw new SandboxError(`message ${id} is unknown`, 404);
  if (stored.botId !== undefined || stored.service || stored.message.from?.id !== user.id)
    throw new SandboxError(`message ${id} is not theirs`);
  return editMessage(world, record, stored, { entities: undefined, ...content });
}

/** A person deletes a message by hand, whoever wrote it: rights of people are not looked at. */
export function deleteAsUser(world: World, record: ChatRecord, messageId: number, from: number): void {
  const user = personIn(world, record, from);
  const stored = record.messages.get(messageId);
  if (!stored) throw new SandboxError(`message ${messageId} is unknown`, 404);
  removeMessage(world, record, messageId, nameOf(user));
}

/** The person, who must be in the chat. Throws `SandboxError`. */
export function personIn(world: World, record: ChatRecord, userId: number): User {
  const user = world.store.users.get(userId);
  if (!user) throw new SandboxError(`user ${userId} is unknown`, 404);
  if (!world.store.isMember(record, userId)) throw new SandboxError(`${nameOf(user)} is not in chat ${record.key}`);
  return publicUser(user);
}
