/** One message of the conversation: a bubble with its keyboard, or the small line of a service message. */
/** @import { Chat, Message, MessageOrigin } from "@grammyjs/types" */
/** @import { EntityActions } from "./entities.js" */
import { h, icon } from "./dom.js";
import { renderEntities } from "./entities.js";
import { author, avatar, chatTitle, clockTime, colourOf, fileSize, preview, serviceText, userName } from "./format.js";
import { inlineKeyboard } from "./keyboard.js";
import { enlarge } from "./overlay.js";

/**
 * @typedef {object} BubbleActions
 * @property {EntityActions} entities
 * @property {(messageId: number) => void} jump
 * @property {(message: Message, x: number, y: number) => void} menu
 * @property {(message: Message) => void} reply
 */

/**
 * @typedef {object} Place How a message stands among its neighbours.
 * @property {number} speakerId
 * @property {Chat} chat
 * @property {boolean} first First of several in a row by one author.
 * @property {boolean} last
 */

/**
 * @param {Message} message
 * @param {Place} place
 * @param {BubbleActions} actions
 * @returns {HTMLElement}
 */
export function renderMessage(message, place, actions) {
  const service = serviceText(message);
  return service === undefined ? bubble(message, place, actions) : serviceLine(message, service, actions);
}

/**
 * @param {Message} message
 * @param {string} text
 * @param {BubbleActions} actions
 */
function serviceLine(message, text, actions) {
  const pinned = message.pinned_message;
  const body = pinned
    ? h("button", { type: "button", class: "pill", onclick: () => actions.jump(pinned.message_id) }, text)
    : h("span", { class: "pill" }, text);
  return h(
    "div",
    { class: "service", "data-message-id": message.message_id, "data-chat-id": message.chat.id, "data-service": true },
    body,
  );
}

/**
 * @param {Message} message
 * @param {Place} place
 * @param {BubbleActions} actions
 */
function bubble(message, place, actions) {
  const outgoing = message.from?.id === place.speakerId && !message.sender_chat;
  const { id, name } = author(message);
  const named = !outgoing && place.chat.type !== "private";
  const meta = metaLine(message, outgoing);
  const media = mediaOf(message);
  const text = textOf(message, actions.entities);
  const bare = message.photo !== undefined && !text;
  const inside = h(
    "div",
    { class: `bubble${message.photo ? " with-photo" : ""}${bare ? " bare" : ""}` },
    named && place.last && avatar(id, name),
    named && place.first && h("div", { class: "name", "data-colour": colourOf(id) }, name),
    message.forward_origin && h("div", { class: "forwarded" }, `Forwarded from ${originName(message.forward_origin)}`),
    quoteOf(message, actions),
    media,
    text ? h("div", { class: "text", dir: "auto", "data-text": true }, text, meta) : meta,
  );
  const classes = [
    "message",
    outgoing ? "out" : "in",
    place.first && "first",
    place.last && "last",
    named && "with-avatar",
  ];
  const element = h(
    "article",
    {
      class: classes.filter(Boolean).join(" "),
      "data-message-id": message.message_id,
      "data-chat-id": message.chat.id,
      "data-from": id,
      "aria-label": `${name}, ${clockTime(message.date * 1000)}`,
      ondblclick: (/** @type {MouseEvent} */ event) => {
        if (event.target instanceof Element && event.target.closest("button, a, img")) return;
        getSelection()?.removeAllRanges();
        actions.reply(message);
      },
      oncontextmenu: (/** @type {MouseEvent} */ event) => {
        if (event.target instanceof Element && event.target.closest("a[href^=http]")) return;
        event.preventDefault();
        actions.menu(message, event.clientX, event.clientY);
      },
    },
    h("div", { class: "column" }, inside, inlineKeyboard(message, place.speakerId)),
  );
  onSwipeLeft(element, () => actions.reply(message));
  return element;
}

/**
 * @param {Message} message
 * @param {boolean} outgoing
 */
function metaLine(message, outgoing) {
  const date = new Date(message.date * 1000);
  return h(
    "span",
    { class: "meta" },
    message.edit_date !== undefined && h("span", { class: "edited", "data-edited": true }, "edited"),
    h("time", { datetime: date.toISOString(), title: date.toLocaleString("en-GB") }, clockTime(date.getTime())),
    outgoing && icon("checks"),
  );
}

/**
 * @param {Message} message
 * @param {EntityActions} actions
 */
function textOf(message, actions) {
  if (message.text) return renderEntities(message.text, message.entities ?? [], actions);
  if (message.caption) return renderEntities(message.caption, message.caption_entities ?? [], actions);
  if (message.photo || message.document) return undefined;
  return h("em", {}, "A kind of message that the sandbox does not show");
}

/**
 * @param {Message} message
 * @param {BubbleActions} actions
 */
function quoteOf(message, actions) {
  const replied = message.reply_to_message;
  // In a topic every message answers the one that created the topic; clients do not show that.
  if (!replied || replied.forum_topic_created) return undefined;
  const { id, name } = author(replied);
  return h(
    "button",
    {
      type: "button",
      class: "quote",
      "data-colour": colourOf(id),
      "data-reply-to": replied.message_id,
      "aria-label": `Reply to ${name}`,
      onclick: () => actions.jump(replied.message_id),
    },
    h("span", { class: "quote-name" }, name),
    h("span", { class: "quote-text" }, preview(replied)),
  );
}

/** @param {Message} message */
function mediaOf(message) {
  const photo = message.photo?.at(-1);
  if (photo) {
    const source = `/sandbox/files/${encodeURIComponent(photo.file_id)}`;
    const caption = message.caption ?? "";
    const picture = h("img", {
      src: source,
      width: photo.width || 320,
      height: photo.height || 240,
      alt: caption || "Photo",
      loading: "lazy",
    });
    return h(
      "button",
      {
        type: "button",
        class: "photo",
        "aria-label": "Enlarge the photo",
        "data-photo": photo.file_id,
        onclick: () => enlarge(source, caption),
      },
      picture,
    );
  }
  const file = message.document;
  if (!file) return undefined;
  const name = file.file_name ?? "file";
  const size = fileSize(file.file_size);
  const extension = name.includes(".") ? (name.split(".").at(-1) ?? "").slice(0, 4) : "";
  return h(
    "a",
    {
      class: "document",
      href: `/sandbox/files/${encodeURIComponent(file.file_id)}`,
      download: name,
      "data-document": name,
      "aria-label": `Download ${name}, ${size}`,
    },
    h("span", { class: "document-icon" }, icon("download"), h("span", { class: "extension" }, extension)),
    h(
      "span",
      { class: "document-about" },
      h("span", { class: "document-name" }, name),
      h("span", { class: "document-size" }, size),
    ),
  );
}

/** @param {MessageOrigin} origin */
function originName(origin) {
  switch (origin.type) {
    case "user":
      return userName(origin.sender_user);
    case "hidden_user":
      return origin.sender_user_name;
    case "chat":
      return chatTitle(origin.sender_chat);
    default:
      return chatTitle(origin.chat);
  }
}

/**
 * Calls back when a finger draws a message to the left, as Telegram's clients do for a reply.
 * @param {HTMLElement} element
 * @param {() => void} done
 */
function onSwipeLeft(element, done) {
  const far = 56;
  let startX = 0;
  let startY = 0;
  let moved = 0;
  const start = (/** @type {TouchEvent} */ event) => {
    startX = event.touches[0]?.clientX ?? 0;
    startY = event.touches[0]?.clientY ?? 0;
    moved = 0;
  };
  const move = (/** @type {TouchEvent} */ event) => {
    const x = (event.touches[0]?.clientX ?? 0) - startX;
    const y = (event.touches[0]?.clientY ?? 0) - startY;
    moved = Math.abs(y) < 30 ? Math.min(0, Math.max(x, -far * 1.3)) : 0;
    element.style.translate = moved < -12 ? `${moved}px 0` : "";
  };
  const end = () => {
    element.style.translate = "";
    if (moved <= -far) done();
    moved = 0;
  };
  element.addEventListener("touchstart", start, { passive: true });
  element.addEventListener("touchmove", move, { passive: true });
  element.addEventListener("touchend", end);
  element.addEventListener("touchcancel", end);
}
