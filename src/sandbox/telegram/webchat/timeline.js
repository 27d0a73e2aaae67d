/** The conversation: messages in order, with dates between them; elements are kept as long as their message is the same. */
/** @import { Chat, Message } from "@grammyjs/types" */
/** @import { BubbleActions, Place } from "./bubble.js" */
import { renderMessage } from "./bubble.js";
import { byId, fill, h } from "./dom.js";
import { author, dayKey, dayLabel, serviceText } from "./format.js";

/** Messages of one author further apart than this begin a new group, in seconds. */
const GROUP_SECONDS = 600;
/** The floating date stays for so long after the last movement, in milliseconds. */
const DATE_MS = 1200;
/** Nearer to the end than this counts as being at the end, in pixels. */
const AT_END = 40;

/**
 * @typedef {object} Conversation
 * @property {string} key Changes when another chat, topic or speaker is shown.
 * @property {Chat} chat
 * @property {readonly Message[]} messages
 * @property {number} speakerId
 * @property {number} now The sandbox's clock, Unix milliseconds.
 * @property {number} unread
 */

export class Timeline {
  #scroller = byId("scroller");
  #list = byId("messages");
  #jump = byId("jump");
  /** @type {Map<number, { message: Message, flags: string, element: HTMLElement }>} */
  #shown = new Map();
  #key = "";
  #atEnd = true;
  /** @type {BubbleActions} */
  #actions;

  /**
   * @param {Omit<BubbleActions, "jump">} actions
   * @param {() => void} onReachedEnd The newest message has come into sight.
   */
  constructor(actions, onReachedEnd) {
    this.#actions = { ...actions, jump: (messageId) => this.jumpTo(messageId) };
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let still;
    this.#scroller.addEventListener("scroll", () => {
      clearTimeout(still);
      this.#scroller.classList.add("scrolling");
      still = setTimeout(() => this.#scroller.classList.remove("scrolling"), DATE_MS);
      const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
      const atEnd = scrollHeight - scrollTop - clientHeight < AT_END;
      if (atEnd === this.#atEnd) return;
      this.#atEnd = atEnd;
      this.#jump.hidden = atEnd;
      if (atEnd) onReachedEnd();
    });
    this.#jump.addEventListener("click", () => this.toEnd(true));
    // A photo that arrives or a composer that grows must not push the newest message out of sight.
    const observer = new ResizeObserver(() => this.#atEnd && this.toEnd());
    observer.observe(this.#list);
    observer.observe(this.#scroller);
  }

  get atEnd() {
    return this.#atEnd;
  }

  /** @param {boolean} [smooth] */
  toEnd(smooth = false) {
    this.#scroller.scrollTo({ top: this.#scroller.scrollHeight, behavior: smooth ? "smooth" : "instant" });
  }

  /** @param {Conversation} conversation */
  show(conversation) {
    const another = conversation.key !== this.#key;
    if (another) this.#shown.clear();
    this.#key = conversation.key;
    fill(this.#list, ...this.#elements(conversation));
    if (conversation.messages.length === 0)
      fill(this.#list, h("div", { class: "service empty" }, h("span", { class: "pill" }, "No messages here yet")));
    if (another || this.#atEnd) {
      this.#atEnd = true;
      this.toEnd();
    }
    this.#jump.hidden = this.#atEnd;
    fill(this.#jump.querySelector(".badge") ?? this.#jump, conversation.unread > 0 && String(conversation.unread));
  }

  /**
   * One part per day, so that a day's date stays in sight exactly as long as its messages do.
   * @param {Conversation} conversation
   * @returns {HTMLElement[]}
   */
  #elements({ messages, chat, speakerId, now }) {
    const next = new Map();
    /** @type {HTMLElement[]} */
    const days = [];
    let day = "";
    for (const [index, message] of messages.entries()) {
      const ms = message.date * 1000;
      if (dayKey(ms) !== day) {
        day = dayKey(ms);
        const label = h(
          "div",
          { class: "service date", "data-date": day },
          h("span", { class: "pill" }, dayLabel(ms, now)),
        );
        days.push(h("div", { class: "day" }, label));
      }
      const place = {
        speakerId,
        chat,
        first: !together(messages[index - 1], message),
        last: !together(message, messages[index + 1]),
      };
      const entry = this.#entry(message, place);
      next.set(message.message_id, entry);
      days.at(-1)?.append(entry.element);
    }
    this.#shown = next;
    return days;
  }

  /**
   * @param {Message} message
   * @param {Place} place
   */
  #entry(message, place) {
    const flags = `${place.first}${place.last}`;
    const known = this.#shown.get(message.message_id);
    if (known?.message === message && known.flags === flags) return known;
    const element = renderMessage(message, place, this.#actions);
    if (known && known.message !== message) carryOver(known.element, element);
    return { message, flags, element };
  }

  /**
   * Scrolls to a message and marks it for a moment.
   * @param {number} messageId
   * @returns {boolean} Whether it is there.
   */
  jumpTo(messageId) {
    const element = this.#shown.get(messageId)?.element;
    if (!element) return false;
    element.scrollIntoView({ block: "center", behavior: "smooth" });
    flash(element, "jumped");
    return true;
  }
}

/**
 * What the reader did to a message outlives its edit: the focus and opened quotations.
 * @param {HTMLElement} before
 * @param {HTMLElement} after
 */
function carryOver(before, after) {
  flash(after, "changed");
  const opened = before.querySelectorAll("blockquote.expandable");
  for (const [index, quote] of after.querySelectorAll("blockquote.expandable").entries()) {
    if (!opened[index]?.classList.contains("expanded")) continue;
    quote.classList.add("expanded");
    quote.setAttribute("aria-expanded", "true");
  }
  const focused = document.activeElement;
  if (!(focused instanceof HTMLElement && before.contains(focused) && focused.dataset.button)) return;
  const label = focused.dataset.button;
  queueMicrotask(() =>
    [...after.querySelectorAll("button")]
      .find((button) => button.dataset.button === label)
      ?.focus({ preventScroll: true }),
  );
}

/**
 * @param {HTMLElement} element
 * @param {string} name
 */
function flash(element, name) {
  element.classList.remove(name);
  // Reading the layout makes a second flash start anew.
  void element.offsetWidth;
  element.classList.add(name);
  element.addEventListener("animationend", () => element.classList.remove(name), { once: true });
}

/**
 * Whether two messages stand together as one group.
 * @param {Message | undefined} a
 * @param {Message | undefined} b
 */
function together(a, b) {
  if (!a || !b || serviceText(a) !== undefined || serviceText(b) !== undefined) return false;
  const near = b.date - a.date < GROUP_SECONDS && dayKey(a.date * 1000) === dayKey(b.date * 1000);
  return near && author(a).id === author(b).id;
}
