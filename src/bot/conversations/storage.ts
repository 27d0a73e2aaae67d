import type { ConversationData, ConversationStorage, VersionedState } from "@grammyjs/conversations";
import type { Dialogs } from "../../state/dialogs.ts";
import type { BotContext } from "../context.ts";

/** Raise it when a conversation's steps change: dialogs begun before are dropped instead of replayed wrongly. */
const conversationsVersion = 3;

/** One dialog per person and place: chat, topic, user. The plugin's default would share one among a whole chat. */
export function conversationKey(ctx: Pick<BotContext, "chat" | "from" | "msg">): string | undefined {
  const { chat, from, msg } = ctx;
  if (!chat || !from) return undefined;
  return `${chat.id}:${msg?.is_topic_message ? msg.message_thread_id : 0}:${from.id}`;
}

/** Conversations in Redis, so that any bot goes on with them after a restart. */
export function conversationStorage(dialogs: Dialogs): ConversationStorage<BotContext, ConversationData> {
  return {
    type: "key",
    version: conversationsVersion,
    getStorageKey: conversationKey,
    adapter: {
      read: async (key) => {
        const json = await dialogs.readConversation(key);
        return json === undefined ? undefined : (JSON.parse(json) as VersionedState<ConversationData>);
      },
      write: async (key, state) => await dialogs.writeConversation(key, JSON.stringify(state)),
      delete: async (key) => await dialogs.deleteConversation(key),
    },
  };
}
