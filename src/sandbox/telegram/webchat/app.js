/**
 * The web chat: one page that shows the sandbox as a messenger, from the side of whoever is speaking.
 *
 * Address: `?chat=<id>&thread=<topic>&as=<user id>&theme=light|dark`; it follows what is shown, so it can be shared.
 * For tests: `data-chat-row`, `data-thread-id`, `data-speaker`, `data-message-id` with `data-chat-id`, `data-text`, `data-edited`,
 * `data-button` (its label) with `data-callback`, `data-document`, `data-photo`, `data-reply-to`, `data-service`, `data-toast`,
 * `data-dialog`, `data-command`; `data-connected` on `<html>`.
 */
/** @import { Message } from "@grammyjs/types" */
/** @import { SandboxEvent } from "../api.ts" */
/** @import { MenuItem } from "./overlay.js" */
/** @import { View } from "./sidebar.js" */
import { Activity } from "./activity.js";
import { commandsFor } from "./commands.js";
import { Composer } from "./composer.js";
import { byId, fill, icon } from "./dom.js";
import { avatar, clockTime, serviceText, userName } from "./format.js";
import { callbackAnswered } from "./keyboard.js";
import { call, Live } from "./live.js";
import { contextMenu, copy, toast } from "./overlay.js";
import { faceOf, renderChats, renderSpeakers, renderTopics } from "./sidebar.js";
import { Store } from "./store.js";
import { themeButton } from "./theme-button.js";
import { Timeline } from "./timeline.js";

const root = document.documentElement;
const parameters = new URLSearchParams(location.search);
const store = new Store();
/** @type {View | undefined} */
let view;
let connected = false;
const activity = new Activity(render);
const live = new Live({
  state: onState,
  event: onEvent,
  connected: (now) => {
    connected = now;
    render();
  },
});

const composer = new Composer();
const timeline = new Timeline(
  {
    reply: (message) => composer.reply(message),
    menu: openMenu,
    entities: { sendCommand: (command) => void composer.sendNow(command), copy },
  },
  render,
);

let renderPending = false;
/** Renders once for all changes made in one go. */
function render() {
  if (renderPending) return;
  renderPending = true;
  queueMicrotask(() => {
    renderPending = false;
    renderNow();
  });
}

function renderNow() {
  root.dataset.connected = String(connected);
  if (!view) return;
  const shown = view;
  const chatId = shown.chatId;
  if (chatId !== undefined && timeline.atEnd && !document.hidden)
    store.markRead(shown.speaker.id, chatId, threadShown(chatId));
  renderSpeakers(store, shown, speakAs);
  renderChats(store, shown, (id) => open(id, 0));
  renderTopics(store, shown, (thread) => chatId !== undefined && open(chatId, thread));
  root.classList.toggle("chat-open", chatId !== undefined);
  if (chatId !== undefined) renderChat(shown, chatId);
  const total = store
    .chatsOf(shown.speaker)
    .reduce((sum, entry) => sum + store.unread(shown.speaker.id, entry.chat.id), 0);
  document.title = `${total > 0 ? `(${total}) ` : ""}Telegram sandbox`;
  remember(shown);
}

/** @param {number} chatId */
function threadShown(chatId) {
  return (store.chats.get(chatId)?.topics.length ?? 0) > 0 ? (view?.thread ?? 0) : undefined;
}

/**
 * @param {View} shown
 * @param {number} chatId
 */
function renderChat({ speaker, thread }, chatId) {
  const entry = store.chats.get(chatId) ?? store.chatsOf(speaker).find((candidate) => candidate.chat.id === chatId);
  if (!entry) return;
  const { id, name } = faceOf(store, entry);
  const isPrivate = entry.chat.type === "private";
  fill(byId("chat-avatar"), avatar(id, name));
  fill(byId("chat-title"), name);
  const status = byId("chat-status");
  const action = activity.of(chatId);
  status.dataset.action = String(connected && action !== undefined);
  fill(status, connected ? (action ?? (isPrivate ? "bot" : `${entry.members.length} members`)) : "reconnecting…");
  const topic = threadShown(chatId);
  const messages = store.messages(chatId, topic);
  const key = `${speaker.id}:${chatId}:${thread}`;
  timeline.show({
    key,
    chat: entry.chat,
    messages,
    speakerId: speaker.id,
    now: store.now,
    unread: store.unread(speaker.id, chatId, topic),
  });
  const member = isPrivate || entry.members.includes(speaker.id);
  const refusal = member ? "" : `${userName(speaker)} is not a member of this group`;
  composer.show({
    key,
    chatId,
    thread,
    speaker,
    refusal,
    messages,
    commands: member ? commandsHere(entry.chat, speaker) : [],
  });
}

/**
 * @param {import("@grammyjs/types").Chat} chat
 * @param {import("../api.ts").SandboxUser} speaker
 */
function commandsHere(chat, speaker) {
  const where = {
    chat,
    userId: speaker.id,
    language: speaker.language_code ?? "",
    administrator: /\badmin/iu.test(speaker.label ?? ""),
  };
  return store
    .botsOf(chat.id)
    .flatMap((bot) =>
      commandsFor(bot.commands, where).map((command) => ({ ...command, bot: bot.user.username ?? "" })),
    );
}

/**
 * @param {number} chatId
 * @param {number} thread
 */
function open(chatId, thread) {
  if (!view) return;
  view = { ...view, chatId, thread };
  render();
  if (matchMedia("(hover: hover) and (min-width: 760px)").matches) byId("input").focus();
}

/** @param {number} userId */
function speakAs(userId) {
  const speaker = store.user(userId);
  if (!view || !speaker) return;
  // Private chats belong to their person: the next speaker gets their own with the bot.
  const wasPrivate = view.chatId === view.speaker.id;
  view = { ...view, speaker, chatId: wasPrivate ? speaker.id : view.chatId };
  render();
}

/**
 * Keeps the address in step with what is shown.
 * @param {View} shown
 */
function remember({ speaker, chatId, thread }) {
  if (chatId === undefined) parameters.delete("chat");
  else parameters.set("chat", String(chatId));
  if (thread > 0) parameters.set("thread", String(thread));
  else parameters.delete("thread");
  parameters.set("as", String(speaker.id));
  const next = `?${parameters}`;
  if (next !== location.search) history.replaceState(null, "", next);
}

/**
 * @param {Message} message
 * @param {number} x
 * @param {number} y
 */
function openMenu(message, x, y) {
  if (!view || serviceText(message) !== undefined) return;
  const { speaker } = view;
  const own = message.from?.id === speaker.id;
  /** @type {MenuItem[]} */
  const items = [{ label: "Reply", icon: "reply", run: () => composer.reply(message) }];
  const text = message.text ?? message.caption;
  if (text) items.push({ label: "Copy text", icon: "copy", run: () => copy(text) });
  if (own && message.text && !message.forward_origin)
    items.push({ label: "Edit", icon: "edit", run: () => composer.edit(message) });
  items.push({ label: "Delete", icon: "trash", danger: true, run: () => void remove(message, speaker.id) });
  contextMenu(x, y, items);
}

/**
 * @param {Message} message
 * @param {number} speakerId
 */
async function remove(message, speakerId) {
  try {
    await call("DELETE", `/sandbox/chats/${message.chat.id}/messages/${message.message_id}?from=${speakerId}`);
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error));
  }
}

/** Chooses who is speaking and what is open: from the address at first, then what still exists. */
function settleView() {
  const asked = view?.speaker.id ?? Number(parameters.get("as") ?? Number.NaN);
  const speaker = store.user(asked) ?? store.users[0];
  if (!speaker) {
    view = undefined;
    return;
  }
  const first = view === undefined;
  let chatId = first && parameters.has("chat") ? Number(parameters.get("chat")) : view?.chatId;
  const visible = store.chatsOf(speaker);
  const exists = chatId !== undefined && (store.chats.has(chatId) || chatId === speaker.id);
  // On a desktop an empty half of the window helps nobody.
  if (!exists) chatId = matchMedia("(min-width: 760px)").matches ? visible[0]?.chat.id : undefined;
  view = { speaker, chatId, thread: first ? Number(parameters.get("thread") ?? 0) : (view?.thread ?? 0) };
}

/** @param {SandboxEvent} event */
function onEvent(event) {
  store.apply(event);
  if (event.type === "callback_answer")
    callbackAnswered(event.callback_query_id, event.answer, store.message(event.chat_id, event.message_id));
  else if (event.type === "chat_action") activity.begin(event.chat_id, event.action);
  else if (event.type === "chats" || event.type === "commands") void live.reload();
  else if (event.type === "message") {
    const { message } = event;
    if (message.from?.is_bot) activity.end(message.chat.id);
    if (!store.chats.has(message.chat.id)) void live.reload();
    if (message.migrate_to_chat_id !== undefined && view?.chatId === message.chat.id)
      view = { ...view, chatId: message.migrate_to_chat_id };
  }
  render();
}

/**
 * @param {import("../api.ts").SandboxState} state
 * @param {readonly SandboxEvent[]} newer
 */
function onState(state, newer) {
  store.load(state);
  for (const event of newer) store.apply(event);
  settleView();
  byId("nobody").hidden = view !== undefined;
  render();
}

byId("back").addEventListener("click", () => {
  if (view) view = { ...view, chatId: undefined };
  render();
});
document.addEventListener("visibilitychange", render);
for (const [id, name] of /** @type {const} */ ([
  ["back", "back"],
  ["jump", "down"],
  ["send", "send"],
  ["menu", "menu"],
]))
  byId(id).prepend(icon(name));
themeButton(parameters);
setInterval(() => fill(byId("clock"), clockTime(store.now)), 500);

await live.follow();
