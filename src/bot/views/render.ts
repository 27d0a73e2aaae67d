import type { InlineKeyboardButton } from "grammy/types";
import type { View } from "../../state/views.ts";
import type { BotDeps } from "../context.ts";
import { shorten, textLimit } from "../html.ts";
import type { ViewContext, ViewKind, ViewShown } from "./types.ts";

/** Prefix of a view button's data: `v:<view id>:<what>`. */
export const viewToken = "v:";

export type RenderDeps = Pick<BotDeps, "viewKinds" | "messages" | "clock">;

/** @throws where the program knows no such view. */
export function kindOf(deps: Pick<BotDeps, "viewKinds">, name: string): ViewKind<object> {
  const kind = deps.viewKinds.get(name);
  if (!kind) throw new Error(`no view is called ${name}`);
  return kind;
}

export function contextOf(deps: RenderDeps, { id, locale, chatId, userId }: View): ViewContext {
  return { id, messages: deps.messages(locale), now: deps.clock.now(), isPrivate: chatId === userId };
}

/** How a view looks now, and its pulse. */
export async function renderView(
  deps: RenderDeps,
  view: View,
): Promise<{ readonly shown: ViewShown; readonly pulse: Pick<View, "pulse"> }> {
  const kind = kindOf(deps, view.kind);
  // Before the rest: what changes meanwhile is then shown once more, and never missed.
  const pulse = await kind.pulse?.(view.state, deps.clock.now());
  const shown = await kind.render(view.state, contextOf(deps, view));
  return { shown, pulse: pulse === undefined ? {} : { pulse } };
}

/** Telegram takes no longer text below a picture. */
const captionLimit = 1024;

/** What Telegram is to show. */
export function messageOf(
  { id }: View,
  { html, rows, picture }: ViewShown,
): {
  readonly text: string;
  readonly options: {
    parse_mode: "HTML";
    link_preview_options: { is_disabled: boolean };
    reply_markup: { inline_keyboard: InlineKeyboardButton[][] };
  };
} {
  const keyboard = rows.map((row) =>
    row.map(({ what, label, style }) => ({
      text: label,
      callback_data: `${viewToken}${id}:${what}`,
      ...(style ? { style } : {}),
    })),
  );
  return {
    text: shorten(html, "…", picture ? captionLimit : textLimit).html,
    options: {
      parse_mode: "HTML",
      link_preview_options: { is_disabled: true },
      reply_markup: { inline_keyboard: keyboard },
    },
  };
}
