import type { User } from "@grammyjs/types";
import type { SandboxTopic } from "./api.ts";
import { SandboxError } from "./errors.ts";
import { setMember } from "./members.ts";
import { createTopic, postMessage } from "./messages.ts";
import { deleteTopic } from "./methods/chats.ts";
import { ANONYMOUS_ADMIN, type ChatRecord, type MemberStatus, publicUser } from "./store.ts";
import type { World } from "./world.ts";

/** Somebody joins, leaves, is made an administrator, or is thrown out; of the bot in a private chat: it is blocked. */
export function changeMember(world: World, record: ChatRecord, userId: number, status: MemberStatus): void {
  if (!world.store.user(userId)) throw new SandboxError(`user ${userId} is unknown`, 404);
  setMember(world, record, userId, status, somebodyElse(world, record, userId));
}

/** The group becomes a supergroup with a new id; both chats say so. */
export function migrate(world: World, record: ChatRecord): number {
  if (record.chat.type !== "group") throw new SandboxError("only a group can become a supergroup");
  if (record.migratedTo !== undefined)
    throw new SandboxError(`the group became the supergroup ${record.migratedTo} already`);
  const next = world.store.addChat({ type: "supergroup", title: record.chat.title, members: [] });
  for (const [id, status] of record.members) next.members.set(id, status);
  const from = somebodyElse(world, record);
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
  postMessage(world, record, {
    from: somebodyElse(world, record),
    service: true,
    threadId,
    content: change.closed ? { forum_topic_closed: {} } : { forum_topic_reopened: {} },
  });
  world.journal.emit({ type: "chats" });
}

/** Who did it: a person of the chat other than the one it was done to, that one when there is nobody else. */
function somebodyElse(world: World, record: ChatRecord, except?: number): User {
  const ids = [...record.members.keys()].filter((id) => id !== except);
  const person = [...ids, except ?? 0].map((id) => world.store.users.get(id)).find((user) => user !== undefined);
  return person ? publicUser(person) : ANONYMOUS_ADMIN;
}
