/** Inline keyboards, and what a press does until the bot has answered it. */
/** @import { InlineKeyboardButton, Message } from "@grammyjs/types" */
/** @import { CallbackAnswer, PressResult } from "../api.ts" */
import { h, icon } from "./dom.js";
import { call } from "./live.js";
import { alertDialog, copy, toast } from "./overlay.js";

/** Telegram's clients give up waiting for the bot after about this long. */
const ANSWER_MS = 15_000;

/** @type {Set<string>} Presses that the bot has not answered yet. */
const waiting = new Set();
/** @type {Map<string, () => void>} What ends the waiting, by callback query id. */
const byQuery = new Map();
/** @type {Map<string, CallbackAnswer>} Answers that overtook the answer to our own request. */
const early = new Map();

/**
 * @param {Message} message
 * @param {number} speakerId
 * @returns {HTMLElement | undefined} Nothing when the message has no inline keyboard.
 */
export function inlineKeyboard(message, speakerId) {
  const rows = message.reply_markup?.inline_keyboard;
  if (!rows || rows.length === 0) return undefined;
  return h(
    "div",
    { class: "keyboard", role: "group", "aria-label": "Buttons" },
    ...rows.map((row) =>
      h("div", { class: "keyboard-row" }, ...row.map((button) => keyboardButton(message, button, speakerId))),
    ),
  );
}

/**
 * @param {Message} message
 * @param {InlineKeyboardButton} button
 * @param {number} speakerId
 */
function keyboardButton(message, button, speakerId) {
  const shared = {
    class: `button ${button.style ? `style-${button.style}` : ""}`,
    title: button.text,
    "data-button": button.text,
  };
  const label = h("span", { class: "button-text" }, button.text);
  if ("url" in button) {
    const safe = /^(https?|tg):/iu.test(button.url);
    const target = safe
      ? { href: button.url, target: "_blank", rel: "noopener noreferrer", "data-url": button.url }
      : {};
    return h("a", { ...shared, ...target }, label, icon("link"));
  }
  if ("copy_text" in button) {
    return h("button", { ...shared, type: "button", onclick: () => copy(button.copy_text.text) }, label, icon("copy"));
  }
  if (!("callback_data" in button)) return h("button", { ...shared, type: "button", disabled: true }, label);
  const key = keyOf(message, button.callback_data, speakerId);
  const press = () => void pressButton(message, button.callback_data, speakerId);
  return h(
    "button",
    {
      ...shared,
      type: "button",
      "data-callback": button.callback_data,
      "aria-busy": String(waiting.has(key)),
      onclick: press,
    },
    label,
  );
}

/**
 * @param {Message} message
 * @param {string} data
 * @param {number} speakerId
 */
function keyOf(message, data, speakerId) {
  return `${speakerId}/${message.chat.id}/${message.message_id}/${data}`;
}

/**
 * Presses a button as the speaker; it shows a spinner until the bot answers, at most 15 s.
 * @param {Message} message
 * @param {string} data
 * @param {number} speakerId
 */
async function pressButton(message, data, speakerId) {
  const key = keyOf(message, data, speakerId);
  if (waiting.has(key)) return;
  waiting.add(key);
  showWaiting(message, data, true);
  const stop = () => {
    if (waiting.delete(key)) showWaiting(message, data, false);
  };
  try {
    /** @type {PressResult} */
    const result = await call("POST", `/sandbox/chats/${message.chat.id}/callbacks`, {
      from: speakerId,
      message_id: message.message_id,
      data,
    });
    const id = result.callback_query_id;
    const answer = result.answer ?? early.get(id);
    byQuery.set(id, stop);
    if (answer) callbackAnswered(id, answer, message);
    else setTimeout(() => byQuery.delete(id) && stop(), ANSWER_MS);
  } catch (error) {
    stop();
    toast(error instanceof Error ? error.message : String(error));
  }
}

/**
 * Ends the waiting for a press of ours and shows what the bot said; presses of other pages are not our business.
 * @param {string} queryId
 * @param {CallbackAnswer} answer
 * @param {Message | undefined} [message]
 */
export function callbackAnswered(queryId, answer, message) {
  const stop = byQuery.get(queryId);
  if (!stop) {
    early.set(queryId, answer);
    setTimeout(() => early.delete(queryId), ANSWER_MS);
    return;
  }
  byQuery.delete(queryId);
  early.delete(queryId);
  stop();
  const title = message?.from?.first_name ?? "Bot";
  if (answer.url) alertDialog(title, answer.text ?? "The bot opens a link:", answer.url);
  else if (answer.text && answer.show_alert) alertDialog(title, answer.text);
  else if (answer.text) toast(answer.text);
}

/**
 * @param {Message} message
 * @param {string} data
 * @param {boolean} busy
 */
function showWaiting(message, data, busy) {
  for (const button of document.querySelectorAll(`[data-message-id="${message.message_id}"] button[data-callback]`)) {
    if (button instanceof HTMLElement && button.dataset.callback === data)
      button.setAttribute("aria-busy", String(busy));
  }
}
