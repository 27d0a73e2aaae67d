/** What lies over the page: toasts, alerts, the enlarged photo and the menu of a message. */
import { byId, h, icon } from "./dom.js";

const TOAST_MS = 4000;

/**
 * Shows a line for a few seconds, as Telegram does with a callback's answer.
 * @param {string} text
 */
export function toast(text) {
  const element = h("div", { class: "toast", role: "status", "data-toast": true }, text);
  byId("toasts").replaceChildren(element);
  setTimeout(() => element.remove(), TOAST_MS);
}

/**
 * Opens a dialog; Escape and a click outside close it.
 * @param {string} name Its class and accessible name.
 * @param {...(Node | string)} children
 */
function dialog(name, ...children) {
  const element = h("dialog", { class: `dialog ${name}`, "aria-label": name, "data-dialog": name }, ...children);
  element.addEventListener("click", (event) => event.target === element && element.close());
  element.addEventListener("close", () => element.remove());
  document.body.append(element);
  element.showModal();
  return element;
}

/**
 * A text that must be confirmed (`show_alert`), with a link when the answer carries one.
 * @param {string} title
 * @param {string} text
 * @param {string} [url]
 */
export function alertDialog(title, text, url) {
  const ok = h(
    "button",
    { class: "text-button", type: "button", autofocus: true, onclick: () => element.close() },
    "OK",
  );
  const link =
    url && /^(https?|tg):/iu.test(url) ? h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, url) : "";
  const element = dialog(
    "alert",
    h("h2", {}, title),
    h("p", {}, text),
    link,
    h("div", { class: "dialog-actions" }, ok),
  );
}

/**
 * A photo at the size of the window.
 * @param {string} source
 * @param {string} caption
 */
export function enlarge(source, caption) {
  const close = h(
    "button",
    { class: "round", type: "button", "aria-label": "Close", onclick: () => element.close() },
    icon("close"),
  );
  const save = h(
    "a",
    { class: "round", href: source, download: "photo.jpg", "aria-label": "Download" },
    icon("download"),
  );
  const picture = h("img", { src: source, alt: caption || "Photo", onclick: () => element.close() });
  const element = dialog("photo", h("div", { class: "photo-tools" }, save, close), picture, h("p", {}, caption));
}

/** @typedef {{ label: string, icon: Parameters<typeof icon>[0], danger?: boolean, run: () => void }} MenuItem */

/**
 * A menu at a point of the window.
 * @param {number} x
 * @param {number} y
 * @param {readonly MenuItem[]} items
 */
export function contextMenu(x, y, items) {
  document.querySelector(".context-menu")?.remove();
  const before = document.activeElement;
  const buttons = items.map((item) =>
    h(
      "button",
      { type: "button", role: "menuitem", class: item.danger ? "danger" : "", onclick: () => choose(item) },
      icon(item.icon),
      item.label,
    ),
  );
  const menu = h("div", { class: "context-menu", role: "menu", "aria-label": "Message" }, ...buttons);
  document.body.append(menu);
  const box = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(8, Math.min(x, innerWidth - box.width - 8))}px`;
  menu.style.top = `${Math.max(8, Math.min(y, innerHeight - box.height - 8))}px`;
  buttons[0]?.focus();

  const outside = (/** @type {Event} */ event) => {
    if (!(event.target instanceof Node && menu.contains(event.target))) close();
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") close();
    else if (step !== undefined) {
      event.preventDefault();
      const at = buttons.findIndex((button) => button.matches(":focus"));
      buttons[(at + step + buttons.length) % buttons.length]?.focus();
    }
  };
  /** @param {MenuItem} item */
  function choose(item) {
    close();
    item.run();
  }
  function close() {
    removeEventListener("pointerdown", outside, true);
    removeEventListener("keydown", keys, true);
    menu.remove();
    if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  }
  addEventListener("pointerdown", outside, true);
  addEventListener("keydown", keys, true);
}

/**
 * Copies to the clipboard and says so.
 * @param {string} text
 */
export function copy(text) {
  navigator.clipboard.writeText(text).then(
    () => toast("Copied to clipboard"),
    () => toast("The browser did not allow copying"),
  );
}
