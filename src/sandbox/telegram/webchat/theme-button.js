/** The button that changes between light and dark; the first choice is made by `theme.js`. */
import { byId, fill, icon } from "./dom.js";

/**
 * @param {URLSearchParams} parameters Of the page's address; a theme that it names follows the choice.
 */
export function themeButton(parameters) {
  const root = document.documentElement;
  const button = byId("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const show = () => {
    fill(button, icon(isDark() ? "sun" : "moon"));
    button.setAttribute("aria-label", isDark() ? "Light theme" : "Dark theme");
  };
  button.addEventListener("click", () => {
    const next = isDark() ? "light" : "dark";
    root.dataset.theme = next;
    localStorage.setItem("theme", next);
    if (parameters.has("theme")) {
      parameters.set("theme", next);
      history.replaceState(null, "", `?${parameters}`);
    }
    show();
  });
  system.addEventListener("change", show);
  show();
}
