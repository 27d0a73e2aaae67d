import type { NextFunction } from "grammy";
import { toAppError } from "../../core/errors.ts";
import { hasRole } from "../../core/roles.ts";
import type { Person } from "../../core/run.ts";
import type { PressedButton } from "../../state/cards.ts";
import { answeredMs } from "../cards/types.ts";
import { commands } from "../commands/index.ts";
import type { BotContext, BotDeps, DialogOrder, DialogPress } from "../context.ts";
import { cardToken } from "../delivery.ts";
import { confirmAction, dialogToken, pressedWhat } from "../dialog.ts";
import { sayFailure } from "../say-failure.ts";
import { readFailure } from "../telegram-error.ts";
import { viewToken } from "../views/render.ts";
import { actionContext, viewPress } from "../views/views.ts";

/** What a press leads to. The toast is shown first; only if that reaches the person, the press is carried out. */
interface Decision {
  readonly toast?: string;
  /** The pressed message is no longer in force: its buttons are taken away. */
  readonly strip?: boolean;
  /** A card's action, or a view's. */
  readonly run?: () => Promise<void>;
  /** A dialog that goes on. */
  readonly dialog?: string;
  /** A dialog that begins. */
  readonly begin?: DialogOrder;
}

/**
 * Every press comes through here: it is decided, answered, and only then carried out. Its answer waits for nobody's
 * turn. When answering gives "query is too old", the press has waited somewhere and nothing is carried out.
 */
export function presses(deps: BotDeps) {
  return async (ctx: BotContext, next: NextFunction): Promise<void> => {
    const data = ctx.callbackQuery?.data;
    if (data === undefined) return await next();
    if (data.startsWith(cardToken) || data.startsWith(viewToken)) {
      const decision = data.startsWith(viewToken)
        ? await viewPress(deps, ctx, data)
        : await cardPress(deps, ctx, data.slice(cardToken.length));
      if (!(await answerPress(deps, ctx, decision))) return;
      await decision.run?.();
      if (!decision.begin) return;
      ctx.begin = decision.begin;
      await next();
      return;
    }
    // In line from now on: what the same person sends while this is answered does not overtake it.
    ctx.dialogPress = answerDialog(deps, ctx, data);
    ctx.dialogPress.catch(() => undefined);
    await next();
  };
}

/** Answers the press. False when it came too late to be carried out. */
async function answerPress(deps: BotDeps, ctx: BotContext, { toast, strip: isStale }: Decision): Promise<boolean> {
  const answered = await answer(deps, ctx, toast);
  if (isStale) await strip(deps, ctx);
  return answered;
}

async function answerDialog(deps: BotDeps, ctx: BotContext, data: string): Promise<DialogPress | undefined> {
  const decision = await dialogPress(deps, ctx, data);
  const answered = await answerPress(deps, ctx, decision);
  return decision.dialog === undefined ? undefined : { id: decision.dialog, tooLate: !answered };
}

/**
 * Behind the lock: a dialog that was ended meanwhile takes no second press, and one whose press came too late for
 * Telegram is asked afresh.
 */
export function dialogPresses(deps: BotDeps) {
  return async (ctx: BotContext, next: NextFunction): Promise<void> => {
    if (!ctx.dialogPress) return await next();
    const press = await ctx.dialogPress;
    if (!press) return;
    const dialog = await deps.dialogs.read(press.id);
    // Confirmed, and the press comes again: where its conversation still waits, a bot was killed before the order.
    if (dialog?.status === "done" && isConfirm(ctx)) return await next();
    if (dialog?.status !== "open") return;
    // Pressed before its message was on record, and another copy became the dialog.
    if (dialog.messageId !== ctx.callbackQuery?.message?.message_id) return await strip(deps, ctx);
    // Taken by the next but one. A press that came too late must not be taken for one in time before that.
    if (press.tooLate) await ctx.conversation.exitAll();
    ctx.askAgain = { dialog, again: press.tooLate ? "press" : "lost" };
    await next();
  };
}

/**
 * Behind the conversations: begins an open dialog anew whose press nobody has taken. It came too late, or the dialog
 * was broken off by an error or an update of this program.
 */
export function askAgain() {
  return async (ctx: BotContext, next: NextFunction): Promise<void> => {
    if (!ctx.askAgain) return await next();
    const { dialog, again } = ctx.askAgain;
    await ctx.conversation.enter(dialog.kind, { ...(JSON.parse(dialog.args) as object), again });
  };
}

/** Behind the conversations: begins the dialog that a pressed button of another message leads to. */
export function beginDialogs() {
  return async (ctx: BotContext, next: NextFunction): Promise<void> => {
    if (!ctx.begin) return await next();
    const { caller, place } = ctx;
    await ctx.conversation.exitAll();
    await ctx.conversation.enter(ctx.begin.dialog, { ...ctx.begin.args, caller, place });
  };
}

function isConfirm(ctx: BotContext): boolean {
  return pressedWhat(ctx.callbackQuery?.data ?? "").split("-", 1)[0] === confirmAction;
}

/** False when Telegram says that the press is too old. One that was answered in time before a kill is not. */
async function answer(deps: BotDeps, ctx: BotContext, toast: string | undefined): Promise<boolean> {
  const query = ctx.callbackQuery?.id ?? "";
  try {
    await ctx.answerCallbackQuery(toast === undefined ? {} : { text: toast.slice(0, 200) });
    await deps.dialogs.markAnswered(query);
    return true;
  } catch (error) {
    const failure = readFailure(error);
    if (failure.kind === "too-old" && (await deps.dialogs.wasAnswered(query))) return true;
    deps.logger.info({ failure, from: ctx.from?.id }, "a press could not be answered; nothing is carried out");
    return false;
  }
}

async function strip(deps: BotDeps, ctx: BotContext): Promise<void> {
  try {
    await ctx.editMessageReplyMarkup({ reply_markup: { inline_keyboard: [] } });
  } catch (error) {
    deps.logger.debug({ error: String(error) }, "buttons could not be removed");
  }
}

async function cardPress(deps: BotDeps, ctx: BotContext, token: string): Promise<Decision> {
  const { texts, caller, place } = ctx;
  const pressed = await deps.cards.press(
    token,
    place.chatId,
    ctx.callbackQuery?.message?.message_id ?? 0,
    deps.clock.now(),
  );
  if (pressed === "unknown") return { toast: texts.plain("toast-outdated"), strip: true };
  // The delivery takes its buttons and has it say where the card goes on.
  if (pressed === "stray") return { toast: texts.plain("toast-stray") };
  const kind = deps.kinds.get(pressed.card.kind);
  const stored = await deps.cards.read(pressed.card);
  const action = kind?.actions[pressed.action];
  const value = stored && kind?.load ? await kind.load(pressed.card.id) : stored?.value;
  if (!kind || value === undefined || !action) return { toast: texts.plain("toast-outdated"), strip: true };
  // A button works exactly as long as the card, rendered now, would still show it.
  const now = deps.clock.now();
  const rendering = kind.render(value, { messages: texts, timezone: deps.config.timezone, now });
  const offered = rendering.buttons.flat().some((button) => button.action === pressed.action);
  if (!offered) {
    await deps.cards.touch(pressed.card, "reply", now);
    return { toast: kind.refusal?.(value, pressed.action, texts) ?? texts.plain("toast-outdated") };
  }
  if (!hasRole(caller.role, action.role))
    return { toast: texts.plain("toast-role", { role: texts.plain(`role-${action.role}`) }) };
  const by = { id: caller.id, name: caller.name };
  if (action.isAnswer && !(await isFirstAnswer(deps.incidents, pressed, stored?.revision ?? 0, by)))
    return { toast: texts.plain("toast-answered") };
  return {
    toast: await action.toast(value, texts, by),
    run: async () => {
      try {
        await action.run(value, actionContext(deps, ctx));
      } catch (error) {
        const failure = toAppError(error);
        deps.logger.warn(
          { card: pressed.card, action: pressed.action, code: failure.code, error: failure.message },
          "a button's action failed",
        );
        await sayFailure(deps, ctx, error);
      }
    },
  };
}

async function isFirstAnswer(
  incidents: BotDeps["incidents"],
  { card, action }: PressedButton,
  revision: number,
  by: Person,
): Promise<boolean> {
  const what = `${action}:${card.kind}:${card.id}:${revision}`;
  return (await incidents.claim(what, by, answeredMs)) === undefined;
}

async function dialogPress(deps: BotDeps, ctx: BotContext, data: string): Promise<Decision> {
  const { texts, caller } = ctx;
  const [id = ""] = data.startsWith(dialogToken) ? data.slice(dialogToken.length).split(":") : [];
  const dialog = await deps.dialogs.read(id);
  if (!dialog || dialog.chatId !== ctx.place.chatId) return { toast: texts.plain("toast-outdated"), strip: true };
  if (dialog.userId !== caller.id) return { toast: texts.plain("toast-other-person", { name: dialog.userName }) };
  const needed = commands.find((command) => command.name === dialog.kind)?.role ?? "admin";
  if (!hasRole(caller.role, needed))
    return { toast: texts.plain("toast-role", { role: texts.plain(`role-${needed}`) }), strip: true };
  if (dialog.status === "done")
    return { toast: texts.plain("toast-dialog-done"), ...(isConfirm(ctx) ? { dialog: id } : {}) };
  if (dialog.status !== "open") return { toast: texts.plain(`toast-dialog-${dialog.status}`), strip: true };
  if (dialog.expiresAt <= deps.clock.now().getTime())
    return { toast: texts.plain("toast-dialog-expired"), strip: true };
  if (dialog.messageId !== undefined && dialog.messageId !== ctx.callbackQuery?.message?.message_id)
    return { toast: texts.plain("toast-stray"), strip: true };
  return { dialog: id };
}
