/** Message entities as elements. Text only ever becomes text nodes; links keep to a list of harmless schemes. */
/** @import { MessageEntity } from "@grammyjs/types" */
import { h } from "./dom.js";

/**
 * What the page does when an entity is clicked.
 * @typedef {object} EntityActions
 * @property {(command: string) => void} sendCommand
 * @property {(text: string) => void} copy
 */

/** `javascript:`, `data:` and `file:` must never become a link. */
const SAFE_SCHEMES = new Set(["http:", "https:", "mailto:", "tel:", "tg:"]);

/** Entities that stand on lines of their own. */
const BLOCKS = new Set(["pre", "blockquote", "expandable_blockquote"]);

/**
 * Renders a text with its entities; offsets and lengths are UTF-16 units, as in JavaScript's strings.
 * Entities that cross each other's ends are split at the crossing, so that any list gives a proper tree.
 * @param {string} text
 * @param {readonly MessageEntity[]} entities
 * @param {EntityActions} actions
 * @returns {DocumentFragment}
 */
export function renderEntities(text, entities, actions) {
  const sorted = entities
    .map((entity) => ({
      entity,
      start: Math.max(0, entity.offset),
      end: Math.min(text.length, entity.offset + entity.length),
    }))
    .filter(({ start, end }) => end > start);
  return renderRange(text, 0, text.length, sorted, actions);
}

/** @typedef {{ entity: MessageEntity, start: number, end: number }} Span */

/**
 * @param {string} text
 * @param {number} from
 * @param {number} to
 * @param {readonly Span[]} spans All within `from`..`to`.
 * @param {EntityActions} actions
 */
function renderRange(text, from, to, spans, actions) {
  const fragment = document.createDocumentFragment();
  const queue = [...spans].sort((a, b) => a.start - b.start || b.end - a.end);
  let at = from;
  while (queue.length > 0) {
    const outer = /** @type {Span} */ (queue.shift());
    if (outer.start > at) fragment.append(text.slice(at, outer.start));
    /** @type {Span[]} */
    const inner = [];
    /** @type {Span[]} */
    const rest = [];
    for (const span of queue.splice(0)) {
      if (span.start >= outer.end) rest.push(span);
      else {
        inner.push({ ...span, end: Math.min(span.end, outer.end) });
        if (span.end > outer.end) rest.push({ ...span, start: outer.end });
      }
    }
    const content = renderRange(text, outer.start, outer.end, inner, actions);
    fragment.append(wrap(outer.entity, text.slice(outer.start, outer.end), content, actions));
    queue.push(...rest.sort((a, b) => a.start - b.start || b.end - a.end));
    at = outer.end;
    // A block ends its line by itself: the line feed after it would show as an empty line.
    if (BLOCKS.has(outer.entity.type) && text[at] === "\n" && at < to && rest.every((span) => span.start > at)) at += 1;
  }
  if (at < to) fragment.append(text.slice(at, to));
  return fragment;
}

/**
 * @param {MessageEntity} entity
 * @param {string} text
 * @param {DocumentFragment} content
 * @param {EntityActions} actions
 * @returns {Node}
 */
function wrap(entity, text, content, actions) {
  switch (entity.type) {
    case "bold":
      return h("strong", {}, content);
    case "italic":
      return h("em", {}, content);
    case "underline":
      return h("u", {}, content);
    case "strikethrough":
      return h("s", {}, content);
    case "spoiler":
      return spoiler(content);
    case "code":
      return h("code", { title: "Copy", onclick: () => actions.copy(text) }, content);
    case "pre":
      return preformatted(text, entity.language, content, actions);
    case "blockquote":
      return h("blockquote", {}, content);
    case "expandable_blockquote":
      return expandable(content);
    case "bot_command":
      return h(
        "a",
        { class: "command", href: "#", "data-command": text, onclick: prevented(() => actions.sendCommand(text)) },
        content,
      );
    case "text_link":
      return link(entity.url, content);
    case "url":
      return link(/^[a-z][a-z0-9+.-]*:/iu.test(text) ? text : `https://${text}`, content);
    case "email":
      return link(`mailto:${text}`, content);
    case "phone_number":
      return link(`tel:${text}`, content);
    case "mention":
    case "text_mention":
    case "hashtag":
    case "cashtag":
      return h("span", { class: "mention" }, content);
    default:
      return content;
  }
}

/**
 * @param {string} address
 * @param {DocumentFragment} content
 */
function link(address, content) {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || !SAFE_SCHEMES.has(url.protocol)) return h("span", { class: "mention" }, content);
  return h("a", { href: url.href, target: "_blank", rel: "noopener noreferrer", title: url.href }, content);
}

/** @param {DocumentFragment} content */
function spoiler(content) {
  const reveal = (/** @type {Event} */ event) => {
    if (element.classList.contains("revealed") || !activates(event)) return;
    event.preventDefault();
    element.classList.add("revealed");
    element.removeAttribute("role");
    element.removeAttribute("aria-label");
  };
  const element = h(
    "span",
    {
      class: "spoiler",
      role: "button",
      tabindex: 0,
      "aria-label": "Hidden text, press to show it",
      onclick: reveal,
      onkeydown: reveal,
    },
    content,
  );
  return element;
}

/** @param {DocumentFragment} content */
function expandable(content) {
  const toggle = (/** @type {Event} */ event) => {
    if (!activates(event) || (event.target instanceof Element && event.target.closest("a, code"))) return;
    event.preventDefault();
    element.setAttribute("aria-expanded", String(element.classList.toggle("expanded")));
  };
  const element = h(
    "blockquote",
    { class: "expandable", role: "button", tabindex: 0, "aria-expanded": "false", onclick: toggle, onkeydown: toggle },
    content,
  );
  return element;
}

/**
 * @param {string} text
 * @param {string | undefined} language
 * @param {DocumentFragment} content
 * @param {EntityActions} actions
 */
function preformatted(text, language, content, actions) {
  const copy = h(
    "button",
    { class: "pre-copy", type: "button", "aria-label": "Copy the code", onclick: () => actions.copy(text) },
    "Copy",
  );
  return h(
    "span",
    { class: "pre" },
    h("span", { class: "pre-head" }, h("span", {}, language ?? ""), copy),
    h("pre", {}, h("code", {}, content)),
  );
}

/**
 * A click, or Enter or Space on something that is not a native button.
 * @param {Event} event
 */
function activates(event) {
  return !(event instanceof KeyboardEvent) || event.key === "Enter" || event.key === " ";
}

/**
 * @param {() => void} action
 * @returns {(event: Event) => void}
 */
function prevented(action) {
  return (event) => {
    event.preventDefault();
    action();
  };
}
