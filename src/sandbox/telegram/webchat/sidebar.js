/** The list of chats, the topics of a forum, and the switch of who is speaking. */
/** @import { SandboxChat, SandboxUser } from "../api.ts" */
/** @import { Store } from "./store.js" */
import { byId, fill, h } from "./dom.js";
import { author, avatar, chatTitle, preview, rowTime, serviceText, userName } from "./format.js";

/**
 * @typedef {object} View What is being looked at, and as whom.
 * @property {SandboxUser} speaker
 * @property {number | undefined} chatId
 * @property {number} thread 0: General, or no topics.
 */

/**
 * A private chat shows the bot, everything else its title.
 * @param {Store} store
 * @param {SandboxChat} entry
 * @returns {{ id: number, name: string }}
 */
export function faceOf(store, entry) {
  if (entry.chat.type !== "private") return { id: entry.chat.id, name: chatTitle(entry.chat) };
  const bot = store.botsOf(entry.chat.id)[0] ?? store.bots[0];
  return bot ? { id: bot.user.id, name: userName(bot.user) } : { id: entry.chat.id, name: chatTitle(entry.chat) };
}

/**
 * @param {Store} store
 * @param {View} view
 * @param {(chatId: number) => void} open
 */
export function renderChats(store, view, open) {
  const rows = store.chatsOf(view.speaker).map((entry) => {
    const { id, name } = faceOf(store, entry);
    const chatId = entry.chat.id;
    const last = store.messages(chatId).at(-1);
    const unread = store.unread(view.speaker.id, chatId);
    return h(
      "button",
      {
        type: "button",
        class: "chat-row",
        "data-chat-row": chatId,
        "aria-current": String(chatId === view.chatId),
        "aria-label": unread > 0 ? `${name}, ${unread} unread` : name,
        onclick: () => open(chatId),
      },
      avatar(id, name),
      h(
        "span",
        { class: "chat-about" },
        h(
          "span",
          { class: "chat-line" },
          h("span", { class: "chat-name" }, name),
          h("span", { class: "chat-time" }, last ? rowTime(last.date * 1000, store.now) : ""),
        ),
        h(
          "span",
          { class: "chat-line" },
          h("span", { class: "chat-preview" }, ...lastLine(entry, last, view.speaker.id)),
          unread > 0 && h("span", { class: "badge" }, String(unread)),
        ),
      ),
    );
  });
  fill(byId("chats"), ...rows);
  if (rows.length === 0)
    fill(byId("chats"), h("p", { class: "hint" }, "No chats yet. Add a bot and a group to the sandbox."));
}

/**
 * @param {SandboxChat} entry
 * @param {import("@grammyjs/types").Message | undefined} last
 * @param {number} speakerId
 * @returns {(Node | string)[]}
 */
function lastLine(entry, last, speakerId) {
  if (!last) return [entry.chat.type === "private" ? "Write the first message" : "No messages yet"];
  const service = serviceText(last);
  if (service !== undefined) return [service];
  if (entry.chat.type === "private" && last.from?.id !== speakerId) return [preview(last)];
  const who = last.from?.id === speakerId ? "You" : author(last).name;
  return [h("span", { class: "chat-author" }, `${who}: `), preview(last)];
}

/**
 * @param {Store} store
 * @param {View} view
 * @param {(thread: number) => void} open
 */
export function renderTopics(store, view, open) {
  const bar = byId("topics");
  const chatId = view.chatId;
  const entry = chatId === undefined ? undefined : store.chats.get(chatId);
  const topics = entry?.topics.filter((topic) => topic.message_thread_id !== 1) ?? [];
  bar.hidden = topics.length === 0;
  if (chatId === undefined || bar.hidden) return;
  const all = [{ message_thread_id: 0, name: "General" }, ...topics];
  fill(
    bar,
    ...all.map((topic) => {
      const thread = topic.message_thread_id;
      const unread = store.unread(view.speaker.id, chatId, thread);
      return h(
        "button",
        {
          type: "button",
          role: "tab",
          class: "topic",
          "data-thread-id": thread,
          "aria-selected": String(thread === view.thread),
          onclick: () => open(thread),
        },
        topic.name,
        unread > 0 && h("span", { class: "badge" }, String(unread)),
      );
    }),
  );
  const selected = bar.querySelector("[aria-selected=true]");
  if (selected instanceof HTMLElement)
    bar.scrollLeft = selected.offsetLeft - (bar.clientWidth - selected.offsetWidth) / 2;
}

/**
 * @param {Store} store
 * @param {View} view
 * @param {(userId: number) => void} choose
 */
export function renderSpeakers(store, view, choose) {
  fill(
    byId("speakers"),
    ...store.users.map((user) => {
      const name = userName(user);
      return h(
        "button",
        {
          type: "button",
          class: "speaker",
          "data-speaker": user.id,
          "aria-pressed": String(user.id === view.speaker.id),
          "aria-label": `Speak as ${name}${user.label ? `, ${user.label}` : ""}`,
          onclick: () => choose(user.id),
        },
        avatar(user.id, name),
        h(
          "span",
          { class: "speaker-about" },
          h("span", { class: "speaker-name" }, user.first_name),
          user.label && h("span", { class: "speaker-label" }, user.label),
        ),
      );
    }),
  );
}
