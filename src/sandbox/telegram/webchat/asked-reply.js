/** Which message waits for a reply of the speaker: the client's side of `force_reply`. */
/** @import { Message } from "@grammyjs/types" */

/**
 * The message that asks this speaker for a reply (`force_reply`) and has not got one yet.
 * @param {readonly Message[]} messages
 * @param {number} speakerId
 * @returns {Message | undefined}
 */
export function askedReply(messages, speakerId) {
  for (const message of messages.toReversed()) {
    if (message.from?.id === speakerId) return undefined;
    /** @type {{ force_reply?: boolean, selective?: boolean } | undefined} */
    const markup = message.reply_markup;
    const asked =
      !markup?.selective || message.reply_to_message?.from?.id === speakerId || mentions(message, speakerId);
    if (markup?.force_reply && asked) return message;
  }
  return undefined;
}

/**
 * @param {Message} message
 * @param {number} userId
 */
function mentions(message, userId) {
  return (message.entities ?? []).some((entity) => entity.type === "text_mention" && entity.user.id === userId);
}
