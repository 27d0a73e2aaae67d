import type { ChatMember, ChatMemberAdministrator, User } from "@grammyjs/types";
import { postMessage } from "./messages.ts";
import type { ChatRecord, MemberStatus } from "./store.ts";
import type { World } from "./world.ts";

const ADMIN_RIGHTS: Omit<ChatMemberAdministrator, "user"> = {
  status: "administrator",
  can_be_edited: false,
  is_anonymous: false,
  can_manage_chat: true,
  can_delete_messages: true,
  can_manage_video_chats: true,
  can_restrict_members: true,
  can_promote_members: false,
  can_change_info: true,
  can_invite_users: true,
  can_post_stories: false,
  can_edit_stories: false,
  can_delete_stories: false,
  can_pin_messages: true,
  can_manage_topics: true,
  can_send_welcome_messages: false,
};

/** The `ChatMember` object of somebody with this status. */
export function memberOf(user: User, status: MemberStatus): ChatMember {
  if (status === "administrator") return { user, ...ADMIN_RIGHTS };
  if (status === "creator") return { user, status, is_anonymous: false };
  if (status === "kicked") return { user, status, until_date: 0 };
  return { user, status };
}

/** Changes somebody's status, with the service message and the updates that Telegram sends about it. `by` did it. */
export function setMember(world: World, record: ChatRecord, userId: number, status: MemberStatus, by: User): void {
  const user = world.store.user(userId);
  if (!user) throw new Error(`user ${userId} is unknown`);
  const before = record.members.get(userId) ?? "left";
  if (before === status) return;
  const wasIn = world.store.isMember(record, userId);
  const leaves = status === "left" || status === "kicked";
  if (record.chat.type !== "private" && wasIn && leaves) {
    // the leaver still gets to see its own going
    postMessage(world, record, { from: by, service: true, content: { left_chat_member: user } });
  }
  record.members.set(userId, status);
  if (record.chat.type !== "private" && !wasIn && !leaves) {
    postMessage(world, record, { from: by, service: true, content: { new_chat_members: [user] } });
  }
  const change = {
    chat: record.chat,
    from: by,
    date: world.clock.unix(),
    old_chat_member: memberOf(user, before),
    new_chat_member: memberOf(user, status),
  };
  for (const bot of world.store.bots.values()) {
    const queue = world.updates.get(bot.user.id);
    if (bot.user.id === userId) queue?.push("my_chat_member", change, world.clock.now());
    else if (world.store.isAdministrator(record, bot.user.id)) queue?.push("chat_member", change, world.clock.now());
  }
  world.journal.emit({ type: "chats" });
}
