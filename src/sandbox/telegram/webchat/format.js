/** How names, times, sizes and short previews are written. */
/** @import { Chat, Message, User } from "@grammyjs/types" */
import { h } from "./dom.js";

const clockFormat = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/**
 * `14:05`, in the browser's time zone.
 * @param {number} ms Unix milliseconds.
 */
export function clockTime(ms) {
  return clockFormat.format(ms);
}

/**
 * One key per calendar day, in the browser's time zone.
 * @param {number} ms Unix milliseconds.
 */
export function dayKey(ms) {
  const date = new Date(ms);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}

/**
 * `Today`, `Yesterday`, `May 3` or `May 3, 2024`.
 * @param {number} ms Unix milliseconds.
 * @param {number} now Unix milliseconds of the sandbox's clock.
 */
export function dayLabel(ms, now) {
  if (dayKey(ms) === dayKey(now)) return "Today";
  const yesterday = new Date(now);
  yesterday.setDate(yesterday.getDate() - 1);
  if (dayKey(ms) === dayKey(yesterday.getTime())) return "Yesterday";
  const sameYear = new Date(ms).getFullYear() === new Date(now).getFullYear();
  return new Intl.DateTimeFormat("en", {
    month: "long",
    day: "numeric",
    ...(sameYear ? {} : { year: "numeric" }),
  }).format(ms);
}

/**
 * Time today, otherwise the day: for rows of the chat list.
 * @param {number} ms Unix milliseconds.
 * @param {number} now Unix milliseconds of the sandbox's clock.
 */
export function rowTime(ms, now) {
  if (dayKey(ms) === dayKey(now)) return clockTime(ms);
  return new Intl.DateTimeFormat("en", { month: "short", day: "numeric" }).format(ms);
}

/**
 * `1.4 MB`; powers of 1024, as Telegram's clients show them.
 * @param {number | undefined} bytes
 */
export function fileSize(bytes) {
  if (bytes === undefined) return "";
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KB", "MB", "GB"];
  let value = bytes;
  let unit = "B";
  for (const next of units) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** @param {Pick<User, "first_name"> & { last_name?: string }} user */
export function userName(user) {
  return [user.first_name, user.last_name].filter(Boolean).join(" ");
}

/**
 * The title of a group, or the name of the person of a private chat.
 * @param {Chat} chat
 */
export function chatTitle(chat) {
  return chat.type === "private" ? userName(chat) : chat.title;
}

/**
 * Who a message shows as its author: an anonymous admin speaks as the group.
 * @param {Message} message
 * @returns {{ id: number, name: string }}
 */
export function author(message) {
  if (message.sender_chat) return { id: message.sender_chat.id, name: chatTitle(message.sender_chat) };
  if (message.from) return { id: message.from.id, name: userName(message.from) };
  return { id: message.chat.id, name: chatTitle(message.chat) };
}

/**
 * The colour slot of a person or chat: 0 to 6, stable per id.
 * @param {number} id
 */
export function colourOf(id) {
  return Math.abs(id) % 7;
}

/**
 * A round avatar with initials.
 * @param {number} id
 * @param {string} name
 */
export function avatar(id, name) {
  const words = name.split(/[\s\-_/]+/u).filter((word) => /^[\p{L}\p{N}]/u.test(word));
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0] ?? name];
  const initials = letters.map((word) => /^./u.exec(word ?? "")?.[0] ?? "").join("");
  return h(
    "span",
    { class: "avatar", "data-colour": colourOf(id), "aria-hidden": "true" },
    initials.toUpperCase() || "?",
  );
}

/**
 * One line that stands for a message: in the chat list, in quotes and in the composer.
 * @param {Message} message
 * @returns {string}
 */
export function preview(message) {
  const text = (message.text ?? message.caption ?? "").replace(/\s+/gu, " ").trim();
  if (message.photo) return text ? `🖼 ${text}` : "🖼 Photo";
  if (message.document) return `📎 ${message.document.file_name ?? "File"}${text ? ` · ${text}` : ""}`;
  return text || serviceText(message) || "Message";
}

/**
 * What a service message says; `undefined` for an ordinary message.
 * @param {Message} message
 * @returns {string | undefined}
 */
export function serviceText(message) {
  const who = author(message).name;
  if (message.pinned_message) return `${who} pinned “${pinnedPreview(message.pinned_message)}”`;
  if (message.migrate_to_chat_id !== undefined) return "This group was upgraded to a supergroup";
  if (message.migrate_from_chat_id !== undefined) return "The supergroup was created from a group";
  if (message.group_chat_created || message.supergroup_chat_created) return `${who} created the group`;
  if (message.new_chat_title !== undefined) return `${who} renamed the group to “${message.new_chat_title}”`;
  return topicText(message, who) ?? memberText(message, who);
}

/** @param {NonNullable<Message["pinned_message"]>} pinned */
function pinnedPreview(pinned) {
  // What the bot cannot reach any more carries only its id.
  if (pinned.date === 0) return "a message";
  const line = preview(pinned);
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}

/**
 * @param {Message} message
 * @param {string} who
 */
function topicText(message, who) {
  if (message.forum_topic_created) return `${who} created the topic “${message.forum_topic_created.name}”`;
  if (message.forum_topic_closed) return `${who} closed the topic`;
  if (message.forum_topic_reopened) return `${who} reopened the topic`;
  const renamed = message.forum_topic_edited;
  return renamed && `${who} changed the topic${renamed.name ? ` to “${renamed.name}”` : ""}`;
}

/**
 * @param {Message} message
 * @param {string} who
 */
function memberText(message, who) {
  const left = message.left_chat_member;
  if (left) return left.id === message.from?.id ? `${who} left the group` : `${who} removed ${userName(left)}`;
  const added = message.new_chat_members;
  if (!added) return undefined;
  const names = added.map(userName).join(", ");
  return added[0]?.id === message.from?.id ? `${names} joined the group` : `${who} added ${names}`;
}
