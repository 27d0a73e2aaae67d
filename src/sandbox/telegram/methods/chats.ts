import { findChat } from "../access.ts";
import { badRequest } from "../errors.ts";
import { memberOf, setMember } from "../members.ts";
import { createTopic, postMessage, withoutReply } from "../messages.ts";
import { characters } from "../params.ts";
import { botUser, type ChatRecord, type Topic } from "../store.ts";
import { type Call, type Methods, TRUE } from "./types.ts";

const ICON_COLORS = new Set([7322096, 16766590, 13338331, 9367192, 16749490, 16478047]);

export const chatMethods: Methods = {
  getChat(call) {
    const record = findChat(call.world, call.bot, call.params, "read");
    const last = record.pinned.at(-1);
    const pinned = last === undefined ? undefined : record.messages.get(last);
    return {
      result: {
        ...record.chat,
        accent_color_id: 0,
        max_reaction_count: 11,
        accepted_gift_types: {
          unlimited_gifts: false,
          limited_gifts: false,
          unique_gifts: false,
          premium_subscription: false,
          gifts_from_channels: false,
        },
        ...(record.chat.type === "private"
          ? {}
          : {
              permissions: {
                can_send_messages: true,
                can_send_documents: true,
                can_send_photos: true,
                can_pin_messages: false,
              },
            }),
        ...(pinned ? { pinned_message: withoutReply(pinned.message) } : {}),
      },
    };
  },
  getChatMember(call) {
    const record = findChat(call.world, call.bot, call.params, "read");
    const id = call.params.integer("user_id");
    const user = call.world.store.user(id);
    if (id <= 0) throw badRequest("invalid user_id specified");
    if (!user) throw badRequest("PARTICIPANT_ID_INVALID");
    return { result: memberOf(user, record.members.get(id) ?? "left") };
  },
  getChatAdministrators(call) {
    const record = groupOf(call, "there are no administrators in the private chat");
    const admins = [...record.members].filter(([id]) => call.world.store.isAdministrator(record, id));
    return {
      result: admins.flatMap(([id, status]) => {
        const user = call.world.store.user(id);
        return user && (!user.is_bot || id === call.bot.user.id) ? [memberOf(user, status)] : [];
      }),
    };
  },
  getChatMemberCount(call) {
    const record = findChat(call.world, call.bot, call.params, "read");
    return { result: [...record.members.keys()].filter((id) => call.world.store.isMember(record, id)).length };
  },
  leaveChat(call) {
    const record = groupOf(call, "chat member status can't be changed in private chats");
    setMember(call.world, record, call.bot.user.id, "left", botUser(call.bot));
    return TRUE;
  },
  pinChatMessage(call) {
    const record = findChat(call.world, call.bot, call.params, "write");
    requireAdmin(call, record, "not enough rights to manage pinned messages in the chat");
    const stored = record.messages.get(call.params.integer("message_id"));
    if (!stored) throw badRequest("message to pin not found");
    const id = stored.message.message_id;
    if (record.pinned.includes(id)) return TRUE;
    record.pinned.push(id);
    postMessage(call.world, record, {
      from: botUser(call.bot),
      botId: call.bot.user.id,
      service: true,
      content: { pinned_message: withoutReply(stored.message) },
      ...(stored.message.message_thread_id === undefined ? {} : { threadId: stored.message.message_thread_id }),
    });
    return TRUE;
  },
  unpinChatMessage(call) {
    const record = findChat(call.world, call.bot, call.params, "write");
    requireAdmin(call, record, "not enough rights to manage pinned messages in the chat");
    const id = call.params.integer("message_id") || (record.pinned.at(-1) ?? 0);
    const index = record.pinned.indexOf(id);
    if (index < 0) throw badRequest("message to unpin not found");
    record.pinned.splice(index, 1);
    return TRUE;
  },
  unpinAllChatMessages(call) {
    const record = findChat(call.world, call.bot, call.params, "write");
    requireAdmin(call, record, "not enough rights to manage pinned messages in the chat");
    record.pinned.length = 0;
    return TRUE;
  },
  setMessageReaction(call) {
    const record = findChat(call.world, call.bot, call.params, "write");
    const reactions = call.params.json("reaction", "reaction types");
    if (!record.messages.has(call.params.integer("message_id"))) throw badRequest("message to react not found");
    if (reactions !== undefined && !Array.isArray(reactions)) throw badRequest("expected an Array of ReactionType");
    if (Array.isArray(reactions) && reactions.length > 1) throw badRequest("REACTIONS_TOO_MANY");
    return TRUE;
  },
  createForumTopic(call) {
    const record = forumOf(call, "not enough rights to create a topic");
    const name = topicName(call);
    const color = call.params.integer("icon_color");
    if (color !== 0 && !ICON_COLORS.has(color)) throw badRequest("icon color is invalid");
    const topic = createTopic(call.world, record, name, {
      by: botUser(call.bot),
      botId: call.bot.user.id,
      ...(color === 0 ? {} : { iconColor: color }),
    });
    return { result: { message_thread_id: topic.message_thread_id, name, icon_color: topic.iconColor } };
  },
  editForumTopic(call) {
    const record = forumOf(call, "not enough rights to edit the topic");
    const topic = topicOf(call, record);
    const name = call.params.has("name") ? topicName(call) : topic.name;
    if (name === topic.name) throw badRequest("TOPIC_NOT_MODIFIED");
    topic.name = name;
    topicService(call, record, topic, { forum_topic_edited: { name } });
    return TRUE;
  },
  closeForumTopic: (call) => setClosed(call, true),
  reopenForumTopic: (call) => setClosed(call, false),
  deleteForumTopic(call) {
    const record = forumOf(call, "not enough rights to delete the topic");
    const topic = topicOf(call, record);
    deleteTopic(call.world, record, topic);
    return TRUE;
  },
};

/** Removes a topic with all of its messages. */
export function deleteTopic(world: Call["world"], record: ChatRecord, topic: Topic): void {
  record.topics.delete(topic.message_thread_id);
  for (const [id, { message }] of record.messages) {
    if (message.message_thread_id !== topic.message_thread_id) continue;
    record.messages.delete(id);
    world.journal.emit({ type: "deleted", chat_id: record.chat.id, message_id: id });
  }
  world.journal.emit({ type: "chats" });
}

function setClosed(call: Call, closed: boolean): typeof TRUE {
  const record = forumOf(call, "not enough rights to close the topic");
  const topic = topicOf(call, record);
  if (topic.closed === closed) throw badRequest("TOPIC_NOT_MODIFIED");
  topic.closed = closed;
  topicService(call, record, topic, closed ? { forum_topic_closed: {} } : { forum_topic_reopened: {} });
  return TRUE;
}

function topicService(
  call: Call,
  record: ChatRecord,
  topic: Topic,
  content: Parameters<typeof postMessage>[2]["content"],
): void {
  postMessage(call.world, record, {
    from: botUser(call.bot),
    botId: call.bot.user.id,
    service: true,
    threadId: topic.message_thread_id,
    content,
  });
  call.world.journal.emit({ type: "chats" });
}

function topicName(call: Call): string {
  const name = call.params.text("name").trim();
  if (name === "") throw badRequest("topic name must be non-empty");
  if (characters(name) > 128) throw badRequest("topic name is too long");
  return name;
}

function topicOf(call: Call, record: ChatRecord): Topic {
  const topic = record.topics.get(call.params.integer("message_thread_id"));
  if (!topic) throw badRequest("TOPIC_ID_INVALID");
  return topic;
}

function forumOf(call: Call, rights: string): ChatRecord {
  const record = findChat(call.world, call.bot, call.params, "write");
  if (record.chat.type !== "supergroup" || !record.chat.is_forum) throw badRequest("the chat is not a forum");
  requireAdmin(call, record, rights);
  return record;
}

function groupOf(call: Call, otherwise: string): ChatRecord {
  const record = findChat(call.world, call.bot, call.params, "read");
  if (record.chat.type === "private") throw badRequest(otherwise);
  return record;
}

function requireAdmin(call: Call, record: ChatRecord, why: string): void {
  if (record.chat.type !== "private" && !call.world.store.isAdministrator(record, call.bot.user.id))
    throw badRequest(why);
}
