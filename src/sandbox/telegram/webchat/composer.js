/** Where the speaker writes: text, what it answers or edits, and the bot's commands. */
/** @import { BotCommand, Message, User } from "@grammyjs/types" */
/** @import { SendAsUser } from "../api.ts" */
import { askedReply } from "./asked-reply.js";
import { byId, fill, h, icon } from "./dom.js";
import { author, colourOf, preview } from "./format.js";
import { call } from "./live.js";

/**
 * @typedef {object} Desk What the composer writes to.
 * @property {string} key Changes with chat, topic and speaker; drafts are kept per key.
 * @property {number} chatId
 * @property {number} thread 0: none.
 * @property {User} speaker
 * @property {string} refusal Why the speaker cannot write here; empty when they can.
 * @property {readonly Message[]} messages
 * @property {readonly (BotCommand & { bot: string })[]} commands
 */

/** @typedef {{ kind: "reply" | "edit", message: Message }} Mode */

export class Composer {
  #form = byId("composer");
  #input = /** @type {HTMLTextAreaElement} */ (byId("input"));
  #send = /** @type {HTMLButtonElement} */ (byId("send"));
  #menu = byId("menu");
  #commands = byId("commands");
  #mode = byId("mode");
  #failure = byId("failure");
  #refusal = byId("refusal");
  /** @type {Desk | undefined} */
  #desk;
  /** @type {Mode | undefined} What the speaker chose; an asked-for reply is derived from the messages. */
  #chosen;
  /** @type {Set<string>} Asked-for replies that the speaker closed. */
  #declined = new Set();
  /** @type {Map<string, string>} */
  #drafts = new Map();
  #selected = -1;
  #menuOpen = false;
  #sending = false;

  constructor() {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit();
    });
    this.#input.addEventListener("input", () => {
      this.#failure.hidden = true;
      this.#typed();
    });
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    this.#menu.addEventListener("click", () => {
      this.#menuOpen = !this.#menuOpen;
      this.#renderCommands();
    });
    document.addEventListener("pointerdown", (event) => {
      if (
        !this.#menuOpen ||
        (event.target instanceof Node && (this.#commands.contains(event.target) || this.#menu.contains(event.target)))
      )
        return;
      this.#menuOpen = false;
      this.#renderCommands();
    });
  }

  /** @param {Desk} desk */
  show(desk) {
    const another = desk.key !== this.#desk?.key;
    if (another) {
      if (this.#desk) this.#drafts.set(this.#desk.key, this.#chosen?.kind === "edit" ? "" : this.#input.value);
      this.#chosen = undefined;
      this.#menuOpen = false;
      this.#input.value = this.#drafts.get(desk.key) ?? "";
      this.#failure.hidden = true;
    }
    this.#desk = desk;
    this.#refusal.hidden = desk.refusal === "";
    fill(this.#refusal, desk.refusal);
    this.#form.hidden = desk.refusal !== "";
    const target = this.#chosen?.message;
    if (target && !desk.messages.some((message) => message.message_id === target.message_id)) this.#chosen = undefined;
    this.#menu.hidden = desk.commands.length === 0;
    this.#renderMode();
    this.#typed();
  }

  /** @param {Message} message */
  reply(message) {
    this.#chosen = { kind: "reply", message };
    this.#renderMode();
    this.#input.focus();
  }

  /** @param {Message} message */
  edit(message) {
    this.#chosen = { kind: "edit", message };
    this.#input.value = message.text ?? "";
    this.#renderMode();
    this.#typed();
    this.#input.focus();
  }

  /**
   * Sends a text at once, past the input: commands that were clicked.
   * @param {string} text
   */
  async sendNow(text) {
    await this.#post(text, undefined);
  }

  /** @returns {Mode | undefined} */
  #currentMode() {
    if (this.#chosen || !this.#desk) return this.#chosen;
    const asked = askedReply(this.#desk.messages, this.#desk.speaker);
    return asked && !this.#declined.has(declineKey(this.#desk, asked)) ? { kind: "reply", message: asked } : undefined;
  }

  #renderMode() {
    const mode = this.#currentMode();
    const markup = /** @type {{ input_field_placeholder?: string } | undefined} */ (mode?.message.reply_markup);
    this.#input.placeholder = (mode?.kind === "reply" && markup?.input_field_placeholder) || "Message";
    this.#mode.hidden = !mode;
    if (!mode) return;
    const { id, name } = author(mode.message);
    const close = h(
      "button",
      { type: "button", class: "round", "aria-label": "Cancel", onclick: () => this.#cancelMode() },
      icon("close"),
    );
    const about = h(
      "span",
      { class: "mode-about", "data-colour": colourOf(id) },
      h("strong", {}, mode.kind === "edit" ? "Edit message" : `Reply to ${name}`),
      h("span", {}, preview(mode.message)),
    );
    this.#mode.dataset.mode = mode.kind;
    fill(this.#mode, icon(mode.kind), about, close);
  }

  #cancelMode() {
    const mode = this.#currentMode();
    if (!mode || !this.#desk) return;
    if (!this.#chosen) this.#declined.add(declineKey(this.#desk, mode.message));
    if (mode.kind === "edit") this.#input.value = "";
    this.#chosen = undefined;
    this.#renderMode();
    this.#typed();
    this.#input.focus();
  }

  #typed() {
    this.#input.style.height = "auto";
    this.#input.style.height = `${this.#input.scrollHeight}px`;
    this.#send.disabled = this.#input.value.trim() === "";
    this.#selected = -1;
    this.#renderCommands();
  }

  /** @returns {(BotCommand & { bot: string })[]} */
  #offered() {
    const all = [...(this.#desk?.commands ?? [])];
    if (this.#menuOpen) return all;
    const typed = /^\/(\w*)$/u.exec(this.#input.value)?.[1];
    return typed === undefined ? [] : all.filter(({ command }) => command.startsWith(typed.toLowerCase()));
  }

  #renderCommands() {
    const offered = this.#offered();
    this.#commands.hidden = offered.length === 0;
    this.#menu.setAttribute("aria-expanded", String(this.#menuOpen));
    this.#input.setAttribute("aria-expanded", String(offered.length > 0));
    fill(
      this.#commands,
      ...offered.map((command, index) =>
        h(
          "button",
          {
            type: "button",
            role: "option",
            class: "command-row",
            "data-command": command.command,
            "aria-selected": String(index === this.#selected),
            onclick: () => this.#pick(command),
          },
          h("span", { class: "command-name" }, `/${command.command}`),
          h("span", { class: "command-about" }, command.description),
        ),
      ),
    );
    this.#commands.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }

  /** @param {BotCommand & { bot: string }} command */
  #pick(command) {
    this.#menuOpen = false;
    this.#input.value = "";
    this.#typed();
    const several = new Set(this.#desk?.commands.map(({ bot }) => bot)).size > 1;
    void this.#post(`/${command.command}${several ? `@${command.bot}` : ""}`, undefined);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const offered = this.#offered();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const chosen = offered[this.#selected];
    if (step !== undefined && offered.length > 0) {
      event.preventDefault();
      const from = this.#selected < 0 && step < 0 ? 0 : this.#selected;
      this.#selected = (from + step + offered.length) % offered.length;
      this.#renderCommands();
    } else if (event.key === "Tab" && !event.shiftKey && offered.length > 0) {
      event.preventDefault();
      this.#input.value = `/${(chosen ?? offered[0])?.command} `;
      this.#typed();
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      if (chosen) this.#pick(chosen);
      else void this.#submit();
    } else if (event.key === "Escape") {
      if (this.#menuOpen) {
        this.#menuOpen = false;
        this.#renderCommands();
      } else this.#cancelMode();
    }
  }

  async #submit() {
    const text = this.#input.value.trim();
    if (text === "" || this.#sending) return;
    const desk = this.#desk;
    if (!(await this.#post(text, this.#currentMode())) || this.#desk?.key !== desk?.key) return;
    this.#input.value = "";
    this.#chosen = undefined;
    this.#renderMode();
    this.#typed();
  }

  /**
   * @param {string} text
   * @param {Mode | undefined} mode
   * @returns {Promise<boolean>} Whether it was sent; when not, a line says why.
   */
  async #post(text, mode) {
    if (!this.#desk) return false;
    const { chatId, thread, speaker } = this.#desk;
    /** @type {SendAsUser} */
    const body = {
      from: speaker.id,
      text,
      ...(thread > 0 ? { message_thread_id: thread } : {}),
      ...(mode?.kind === "reply" ? { reply_to_message_id: mode.message.message_id } : {}),
      ...(mode?.kind === "edit" ? { edit_message_id: mode.message.message_id } : {}),
    };
    this.#sending = true;
    try {
      await call("POST", `/sandbox/chats/${chatId}/messages`, body);
      this.#failure.hidden = true;
      return true;
    } catch (error) {
      fill(this.#failure, `Not sent: ${error instanceof Error ? error.message : String(error)}`);
      this.#failure.hidden = false;
      return false;
    } finally {
      this.#sending = false;
    }
  }
}

/**
 * @param {Desk} desk
 * @param {Message} message
 */
function declineKey(desk, message) {
  return `${desk.speaker.id}:${desk.chatId}:${message.message_id}`;
}
