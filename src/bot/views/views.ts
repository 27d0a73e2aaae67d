import { randomBytes } from "node:crypto";
import { InputFile } from "grammy";
import { toAppError } from "../../core/errors.ts";
import { hasRole, type Role } from "../../core/roles.ts";
import type { View } from "../../state/views.ts";
import type { ActionContext, CardAnswer, ViewOrder } from "../cards/types.ts";
import type { BotContext, BotDeps, DialogOrder } from "../context.ts";
import { shorten } from "../html.ts";
import { sayFailure } from "../say-failure.ts";
import { readFailure } from "../telegram-error.ts";
import { contextOf, kindOf, messageOf, renderView } from "./render.ts";
import type { ViewShown } from "./types.ts";

/** What is to be said to a press, and what is done when it was said. */
interface Decision {
  readonly toast?: string;
  readonly strip?: boolean;
  readonly run?: () => Promise<void>;
  readonly begin?: DialogOrder;
}

/** Answers with a view: below the pressed message, or to the command. */
export async function openView(deps: BotDeps, ctx: BotContext, { kind: name, state }: ViewOrder): Promise<void> {
  const kind = kindOf(deps, name);
  const { caller, place } = ctx;
  const now = deps.clock.now();
  const view: View = {
    id: randomBytes(9).toString("base64url"),
    kind: name,
    state,
    chatId: place.chatId,
    userId: caller.id,
    userName: caller.name,
    locale: caller.locale,
    expiresAt: now.getTime() + kind.lifeMs,
  };
  const { shown, pulse } = await renderView(deps, view);
  // Known before it can be seen: a press may be faster than the answer to this call.
  await deps.views.save(view, now);
  const sent = await post(ctx, view, shown);
  if (shown.rows.length > 0) await deps.views.save({ ...view, ...pulse, messageId: sent.message_id }, now);
  else await deps.views.settle(view.id);
}

/** Decides a press on a view's button. */
export async function viewPress(deps: BotDeps, ctx: BotContext, data: string): Promise<Decision> {
  const { texts, caller, place } = ctx;
  const [, id = "", what = ""] = data.split(":");
  const view = await deps.views.read(id);
  const kind = view && deps.viewKinds.get(view.kind);
  if (!view || !kind || view.chatId !== place.chatId) return { toast: texts.plain("toast-outdated"), strip: true };
  if (kind.isPersonal && view.userId !== caller.id)
    return { toast: texts.plain("toast-other-person", { name: view.userName }) };
  if (!hasRole(caller.role, kind.role)) return { toast: roleToast(ctx, kind.role) };
  if (view.expiresAt <= deps.clock.now().getTime())
    return { toast: texts.plain("toast-view-expired", { command: kind.command }), strip: true };
  const messageId = ctx.callbackQuery?.message?.message_id;
  if (view.messageId !== undefined && view.messageId !== messageId)
    return { toast: texts.plain("toast-stray"), strip: true };
  const context = contextOf(deps, view);
  const {
    toast,
    role = kind.role,
    run,
    begin,
  } = await kind.press(view.state, what, {
    ...context,
    // What is said to the presser is in the presser's language.
    messages: texts,
  });
  if (!hasRole(caller.role, role)) return { toast: roleToast(ctx, role) };
  const by = { id: caller.id, name: caller.name };
  return {
    ...(toast === undefined ? {} : { toast: typeof toast === "string" ? toast : await toast(by) }),
    ...(begin ? { begin } : {}),
    ...(run ? { run: async () => await carryOut(deps, ctx, view, run) } : {}),
  };
}

async function carryOut(
  deps: BotDeps,
  ctx: BotContext,
  view: View,
  run: (context: ActionContext) => Promise<object | undefined>,
): Promise<void> {
  try {
    const state = await run(actionContext(deps, ctx));
    if (state === undefined) return;
    const kind = kindOf(deps, view.kind);
    const now = deps.clock.now();
    const messageId = ctx.callbackQuery?.message?.message_id;
    const { pulse: _, ...rest } = view;
    const next: View = {
      ...rest,
      state,
      ...(messageId === undefined ? {} : { messageId }),
      expiresAt: now.getTime() + kind.lifeMs,
    };
    const { shown, pulse } = await renderView(deps, next);
    await deps.views.save({ ...next, ...pulse }, now);
    await show(ctx, next, shown);
    if (shown.rows.length === 0) await deps.views.settle(view.id);
  } catch (error) {
    const { code, message } = toAppError(error);
    deps.logger.warn({ view: view.kind, code, error: message }, "a press on a view failed");
    await sayFailure(deps, ctx, error);
  }
}

async function post(ctx: BotContext, view: View, shown: ViewShown): Promise<{ readonly message_id: number }> {
  const { text, options } = messageOf(view, shown);
  if (!shown.picture) return await ctx.reply(text, { ...beside(ctx), ...options });
  const { link_preview_options: _, ...rest } = options;
  return await ctx.replyWithPhoto(fileOf(shown.picture), { ...beside(ctx), caption: text, ...rest });
}

function fileOf({ name, png }: NonNullable<ViewShown["picture"]>): InputFile {
  return new InputFile(png, name);
}

async function show(ctx: BotContext, view: View, shown: ViewShown): Promise<void> {
  try {
    await edit(ctx, view, shown);
  } catch (error) {
    // Nothing new, or somebody has deleted the message.
    if (!["not-modified", "message-gone"].includes(readFailure(error).kind)) throw error;
  }
}

async function edit(ctx: BotContext, view: View, shown: ViewShown): Promise<void> {
  const { text, options } = messageOf(view, shown);
  const { parse_mode, reply_markup } = options;
  if (shown.picture) {
    const media = { type: "photo", media: fileOf(shown.picture), caption: text, parse_mode } as const;
    await ctx.editMessageMedia(media, { reply_markup });
    return;
  }
  // A picture stays one: only what stands below it can be replaced by words.
  if (ctx.callbackQuery?.message?.photo) await ctx.editMessageCaption({ caption: text, parse_mode, reply_markup });
  else await ctx.editMessageText(text, options);
}

/** What the actions of cards and views work with. */
export function actionContext(deps: BotDeps, ctx: BotContext): ActionContext {
  const { caller, texts, place } = ctx;
  return {
    by: { id: caller.id, name: caller.name },
    messages: texts,
    target: place,
    reply: async (answer) => await sayBelow(ctx, answer),
    open: async (order) => await openView(deps, ctx, order),
  };
}

async function sayBelow(ctx: BotContext, { html, document }: CardAnswer): Promise<void> {
  if (document) {
    const file = new InputFile(Buffer.from(document.text), document.name);
    await ctx.replyWithDocument(file, { ...beside(ctx), caption: shorten(html, "…", 1024).html, parse_mode: "HTML" });
    return;
  }
  await ctx.reply(shorten(html, "…").html, {
    ...beside(ctx),
    parse_mode: "HTML",
    link_preview_options: { is_disabled: true },
  });
}

/** What is said because of a press is a reply to what was pressed. */
function beside({ callbackQuery }: BotContext): object {
  const pressed = callbackQuery?.message?.message_id;
  if (pressed === undefined) return {};
  return { reply_parameters: { message_id: pressed, allow_sending_without_reply: true } };
}

/** Takes the buttons from views whose time is over. */
export async function expireViews(
  deps: Pick<BotDeps, "views" | "clock" | "logger">,
  strip: (chatId: number, messageId: number) => Promise<void>,
): Promise<void> {
  for (const { id, chatId, messageId } of await deps.views.takeOverdue(deps.clock.now())) {
    if (messageId === undefined) continue;
    try {
      await strip(chatId, messageId);
    } catch (error) {
      deps.logger.debug({ view: id, failure: readFailure(error) }, "an expired view keeps its buttons");
    }
  }
}

function roleToast({ texts }: BotContext, role: Role): string {
  return texts.plain("toast-role", { role: texts.plain(`role-${role}`) });
}
