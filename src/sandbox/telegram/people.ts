import type { Message, User } from "@grammyjs/types";
import type { CallbackAnswer, PressAsUser, PressResult, SandboxTopic, SendAsUser } from "./api.ts";
import { detectEntities } from "./entities.ts";
import { SandboxError } from "./errors.ts";
import { setMember } from "./members.ts";
import { createTopic, editMessage, nameOf, postMessage, removeMessage } from "./messages.ts";
import { deleteTopic } from "./methods/chats.ts";
import { ANONYMOUS_ADMIN, type ChatRecord, type MemberStatus, publicUser, type StoredMessage } from "./store.ts";
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
  const text = input.text.trim();
  if (text === "") throw new SandboxError("the text is empty");
  if (text.length > 4096) throw new SandboxError("the text is longer than 4096 UTF-16 units");
  const entities = detectEntities(text);
  const content = { text, ...(entities.length > 0 ? { entities } : {}) };
  if (input.edit_message_id !== undefined)
    return structuredClone(editOwn(world, record, user, input.edit_message_id, content));
  if (input.message_thread_id !== undefined && !record.topics.has(input.message_thread_id)) {
    throw new SandboxError(`topic ${input.message_thread_id} is unknown`, 404);
  }
  const replied = input.reply_to_message_id === undefined ? undefined : record.messages.get(input.reply_to_message_id);
  if (input.reply_to_message_id !== undefined && !replied)
    throw new SandboxError(`message ${input.reply_to_message_id} is unknown`, 404);
  const threadId = input.message_thread_id ?? replied?.message.message_thread_id;
  if (threadId !== undefined && record.topics.get(threadId)?.closed && !world.store.isAdministrator(record, user.id)) {
    throw new SandboxError("the topic is closed");
  }
  record.started = true;
  const date = input.date ?? world.clock.unix();
  const stored = postMessage(world, record, {
    from: input.anonymous ? ANONYMOUS_ADMIN : user,
    ...(input.date === undefined ? {} : { date: input.date }),
    ...(threadId === undefined ? {} : { threadId }),
    ...(input.reply_to_message_id === undefined ? {} : { replyTo: input.reply_to_message_id }),
    content: {
      ...content,
      ...(input.anonymous ? { sender_chat: record.chat } : {}),
      ...(input.forwarded
        ? { forward_origin: { type: "hidden_user" as const, sender_user_name: "Somebody else", date: date - 60 } }
        : {}),
    },
  });
  return structuredClone(stored.message);
}

function editOwn(world: World, record: ChatRecord, user: User, id: number, content: Partial<Message>): Message {
  const stored = record.messages.get(id);
  if (!stored) throw new SandboxError(`message ${id} is unknown`, 404);
  if (stored.botId !== undefined || stored.service || stored.message.from?.id !== user.id)
    throw new SandboxError(`message ${id} is not theirs`);
  return editMessage(world, record, stored, { entities: undefined, ...content });
}

/** A person presses a button. With `waitMs` (real time) the bot's answer is waited for. */
export async function press(world: World, record: ChatRecord, input: PressAsUser): Promise<PressResult> {
  const user = personIn(world, record, input.from);
  const stored = record.messages.get(input.message_id);
  const button = stored && buttonOf(stored, input.data);
  if (!input.force && !stored) throw new SandboxError(`message ${input.message_id} is unknown`, 404);
  if (!input.force && button === undefined)
    throw new SandboxError(`message ${input.message_id} has no button with the data ${JSON.stringify(input.data)}`);
  const botId =
    stored?.botId ?? record.botId ?? [...world.store.bots.keys()].find((id) => world.store.isMember(record, id));
  if (botId === undefined) throw new SandboxError("no bot is in the chat");
  const id = `${BigInt(user.id) * 4_294_967_296n + BigInt(world.queries.size + 1)}`;
  world.queries.set(id, {
    id,
    botId,
    userId: user.id,
    chatId: record.chat.id,
    messageId: input.message_id,
    threadId: stored?.message.message_thread_id,
    askedAt: world.clock.now() - (input.ageMs ?? 0),
    answered: false,
  });
  const thread = stored?.message.message_thread_id;
  world.journal.write({
    kind: "press",
    chat_id: record.chat.id,
    message_id: input.message_id,
    by: nameOf(user),
    button: button ?? input.data,
    ...(thread === undefined ? {} : { message_thread_id: thread }),
  });
  const answered = input.waitMs ? answerWithin(world, id, input.waitMs) : undefined;
  world.updates.get(botId)?.push(
    "callback_query",
    {
      id,
      from: user,
      chat_instance: record.instance,
      data: input.data,
      message: stored ? stored.message : { chat: record.chat, message_id: input.message_id, date: 0 },
    },
    world.clock.now(),
  );
  const answer = await answered;
  return { callback_query_id: id, ...(answer ? { answer } : {}) };
}

function buttonOf(stored: StoredMessage, data: string): string | undefined {
  const buttons = stored.message.reply_markup?.inline_keyboard.flat() ?? [];
  return buttons.find((button) => "callback_data" in button && button.callback_data === data)?.text;
}

function answerWithin(world: World, queryId: string, ms: number): Promise<CallbackAnswer | undefined> {
  return new Promise((resolve) => {
    const finish = (answer: CallbackAnswer | undefined): void => {
      clearTimeout(timer);
      stop();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(undefined), ms);
    const stop = world.journal.onEvent(({ event }) => {
      if (event.type === "callback_answer" && event.callback_query_id === queryId) finish(event.answer);
    });
  });
}

/** A person deletes a message by hand, whoever wrote it: rights of people are not looked at. */
export function deleteAsUser(world: World, record: ChatRecord, messageId: number, from: number): void {
  const user = personIn(world, record, from);
  const stored = record.messages.get(messageId);
  if (!stored) throw new SandboxError(`message ${messageId} is unknown`, 404);
  removeMessage(world, record, messageId, nameOf(user));
}

/** Somebody joins, leaves, is made an administrator, or is thrown out; of the bot in a private chat: it is blocked. */
export function changeMember(world: World, record: ChatRecord, userId: number, status: MemberStatus): void {
  if (!world.store.user(userId)) throw new SandboxError(`user ${userId} is unknown`, 404);
  const others = [...record.members.keys()].filter((id) => id !== userId);
  const by = [...others, userId].map((id) => world.store.users.get(id)).find((user) => user !== undefined);
  setMember(world, record, userId, status, by ? publicUser(by) : ANONYMOUS_ADMIN);
}

/** The group becomes a supergroup with a new id; both chats say so. */
export function migrate(world: World, record: ChatRecord): number {
  if (record.chat.type !== "group") throw new SandboxError("only a group can become a supergroup");
  if (record.migratedTo !== undefined)
    throw new SandboxError(`the group became the supergroup ${record.migratedTo} already`);
  const next = world.store.addChat({ type: "supergroup", title: record.chat.title, members: [] });
  for (const [id, status] of record.members) next.members.set(id, status);
  const person = [...record.members.keys()].map((id) => world.store.users.get(id)).find((user) => user !== undefined);
  const from = person ? publicUser(person) : ANONYMOUS_ADMIN;
  postMessage(world, record, { from, service: true, content: { migrate_to_chat_id: next.chat.id } });
  record.migratedTo = next.chat.id;
  postMessage(world, next, {
    from: ANONYMOUS_ADMIN,
    service: true,
    content: { sender_chat: next.chat, migrate_from_chat_id: record.chat.id },
  });
  world.journal.emit({ type: "chats" });
  return next.chat.id;
}

export function openTopic(world: World, record: ChatRecord, name: string): SandboxTopic {
  if (name.trim() === "") throw new SandboxError("the topic needs a name");
  if (record.chat.type !== "supergroup" || !record.chat.is_forum) throw new SandboxError("the chat is not a forum");
  const topic = createTopic(world, record, name.trim());
  return { message_thread_id: topic.message_thread_id, name: topic.name };
}

/** A person closes or reopens a topic (`closed`), or deletes it with its messages ("deleted"). */
export function changeTopic(
  world: World,
  record: ChatRecord,
  threadId: number,
  change: { closed: boolean } | "deleted",
): void {
  const topic = record.topics.get(threadId);
  if (!topic) throw new SandboxError(`topic ${threadId} is unknown`, 404);
  if (change === "deleted") {
    deleteTopic(world, record, topic);
    return;
  }
  if (topic.closed === change.closed) return;
  topic.closed = change.closed;
  const person = [...record.members.keys()].map((id) => world.store.users.get(id)).find((user) => user !== undefined);
  postMessage(world, record, {
    from: person ? publicUser(person) : ANONYMOUS_ADMIN,
    service: true,
    threadId,
    content: change.closed ? { forum_topic_closed: {} } : { forum_topic_reopened: {} },
  });
  world.journal.emit({ type: "chats" });
}

function personIn(world: World, record: ChatRecord, userId: number): User {
  const user = world.store.users.get(userId);
  if (!user) throw new SandboxError(`user ${userId} is unknown`, 404);
  if (!world.store.isMember(record, userId)) throw new SandboxError(`${nameOf(user)} is not in chat ${record.key}`);
  return publicUser(user);
}
