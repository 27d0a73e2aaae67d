import type { Api } from "grammy";
import { formatBytes, formatCount, formatTime } from "../messages/format.ts";
import { escapeHtml, type Messages, reasonOf } from "../messages/index.ts";
import type { LinkAnswer, LinkedFile, LinkOrder, Links } from "../state/links.ts";
import type { BotDeps } from "./context.ts";
import { readFailure } from "./telegram-error.ts";

/** Within this time a worker has answered, or none is there that could; milliseconds. */
const patienceMs = 60_000;
/** What was not sent within this time is not tried again: the person is no longer waiting. Milliseconds. */
const giveUpMs = 5 * 60_000;

type Deps = Pick<BotDeps, "config" | "clock" | "logger" | "messages"> & { readonly links: Links };

/**
 * Sends the download links that workers have made into the private chats of those who have asked for them, and forgets
 * them. A link is never logged, and no preview is asked for: Telegram would fetch the file for it.
 */
export async function deliverLinks(deps: Deps, api: Pick<Api, "sendMessage">): Promise<void> {
  const { links, clock, logger } = deps;
  for (const { order, answer } of await links.pending()) {
    const age = clock.now().getTime() - Date.parse(order.at);
    if (!answer && age >= 0 && age < patienceMs) continue;
    if (!(await links.claim(order.id))) continue;
    const { name: backup, run, by } = order;
    try {
      await api.sendMessage(order.chatId, textOf(order, answer, deps), {
        parse_mode: "HTML",
        link_preview_options: { is_disabled: true },
      });
    } catch (error) {
      // Only the kind of it: the error itself holds what was to be sent.
      const { kind } = readFailure(error);
      logger.warn({ backup, run, by: by.id, failure: kind }, "a download link could not be delivered");
      const isPassing = kind === "passing" || kind === "retry-after";
      if (isPassing && age < giveUpMs) continue;
    }
    await links.drop(order.id);
  }
}

function textOf({ name, run, locale }: LinkOrder, answer: LinkAnswer | undefined, { messages, config }: Deps): string {
  const texts = messages(locale);
  if (!answer) return texts.t("links-no-worker", { name, run });
  if ("error" in answer) return texts.t("links-failed", { name, run, reason: reasonOf(answer.error) });
  const until = formatTime(new Date(answer.until), locale, config.timezone);
  const more = answer.more > 0 ? [texts.t("links-more", { count: formatCount(answer.more, locale) })] : [];
  return [
    texts.t("links-title", { name, run, until }),
    [...answer.files.map((file) => fileLine(file, texts)), ...more].join("\n"),
    [texts.t(answer.encrypted ? "links-encrypted" : "links-plain"), texts.t("links-secret")].join("\n"),
  ].join("\n\n");
}

function fileLine({ file, bytes, url }: LinkedFile, { locale }: Messages): string {
  const size = bytes === undefined ? "" : ` · ${escapeHtml(formatBytes(bytes, locale))}`;
  return `• <a href="${escapeHtml(url)}">${escapeHtml(file)}</a>${size}`;
}
