/** Which message waits for a reply of the speaker: the client's side of `force_reply`. */
/** @import { Message, User } from "@grammyjs/types" */

/**
 * The message that asks this speaker for a reply (`force_reply`) and has not got one yet.
 * @param {readonly Message[]} messages
 * @param {User} speaker
 * @returns {Message | undefined}
 */
export function askedReply(messages, speaker) {
  for (const message of messages.toReversed()) {
    if (message.from?.id === speaker.id) return undefined;
    /** @type {{ force_reply?: boolean, selective?: boolean } | undefined} */
    const markup = message.reply_markup;
    const asked = !markup?.selective || message.reply_to_message?.from?.id === speaker.id || mentions(message, speaker);
    if (markup?.force_reply && asked) return message;
  }
  return undefined;
}

/**
 * @param {Message} message
 * @param {User} user
 */
function mentions(message, user) {
  return (message.entities ?? []).some((entity) => {
    if (entity.type === "text_mention") return entity.user.id === user.id;
    const named = message.text?.slice(entity.offset, entity.offset + entity.length).toLowerCase();
    return entity.type === "mention" && named === `@${user.username ?? ""}`.toLowerCase();
  });
}
