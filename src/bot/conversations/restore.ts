import type { Conversation } from "@grammyjs/conversations";
import type { ForceReply, InlineKeyboardMarkup } from "grammy/types";
import type { Text } from "../../core/text.ts";
import { formatDuration } from "../../messages/format.ts";
import type { Messages } from "../../messages/index.ts";
import { commands } from "../commands/index.ts";
import type { BotContext, BotDeps, DialogContext } from "../context.ts";
import { dialogToken, newDialogId, pressedWhat } from "../dialog.ts";
import { cut } from "../foreign-text.ts";
import { readFailure } from "../telegram-error.ts";
import type { RestoreChoice } from "./restore-choice.ts";
import { advance, carryOut, commandOf, isOpen, type RestoreOrder, type Step } from "./restore-steps.ts";
import { type DialogPlace, type DialogView, questionText, restoreView } from "./restore-views.ts";
import { type DialogArgs, saveDialog } from "./save.ts";

/** Arguments of the dialog: plain data, since they are kept in Redis. */
export interface RestoreDialogArgs extends DialogArgs {
  readonly choice: RestoreChoice;
  /** Said above the first question. */
  readonly notice?: Text;
}

type RestoreConversation = Conversation<BotContext, DialogContext>;

/**
 * The dialog behind /restore: which backup, where to. Its only effect is one order whose id follows from the dialog's, so
 * that a replay after a kill orders nothing twice; what is ordered changes nothing before it was confirmed and approved.
 */
export function restoreDialog(deps: BotDeps) {
  return async function restore(
    conversation: RestoreConversation,
    _ctx: DialogContext,
    args: RestoreDialogArgs,
  ): Promise<void> {
    const texts = deps.messages(args.caller.locale);
    const id = await conversation.external(() => newDialogId());
    const place: DialogPlace = { id, caller: args.caller, isPrivate: args.place.chatId === args.caller.id, texts };
    const screen = screenOf(deps, conversation, args, place);
    const first = [...againLines(texts, args), ...noticeLines(texts, args.notice)];
    const messageId = await screen.open(args.choice, first);
    // One that is asked anew may have been asked for something to be typed.
    let stand: Stand | undefined = { choice: args.choice, messageId, ...(await screen.ask(args.choice)) };
    while (stand) {
      const step = await nextStep(conversation, deps, id, args.place, stand);
      stand = await follow(conversation, { deps, place, screen, stand, step });
    }
  };
}

/** Where the dialog stands: what is known, its message, and the question that waits for an answer. */
interface Stand {
  readonly choice: RestoreChoice;
  readonly messageId: number;
  readonly questionId?: number;
}

/** Carries a step out; undefined: the dialog is over. */
async function follow(
  conversation: RestoreConversation,
  known: {
    readonly deps: BotDeps;
    readonly place: DialogPlace;
    readonly screen: ReturnType<typeof screenOf>;
    readonly stand: Stand;
    readonly step: Step;
  },
): Promise<Stand | undefined> {
  const { deps, place, screen, stand, step } = known;
  const { choice, messageId } = stand;
  const isTyped = step.kind === "typed";
  if (isTyped && !(await conversation.external(async () => await isOpen(deps, place.id)))) {
    await screen.post(place.texts.t("restore-ask-over", { command: commandOf(choice) }));
    return undefined;
  }
  const next = await conversation.external(async () => await advance(deps, choice, step, place));
  if (!next) return stand;
  if (next.isCancelled) {
    await screen.cancel(choice, messageId);
    return undefined;
  }
  // What is typed is answered below it, where the person looks.
  if (isTyped) await screen.leave(messageId);
  const message = isTyped ? undefined : messageId;
  if (next.order) {
    await screen.order(next.choice, next.order, message);
    return undefined;
  }
  const lines = [...(next.lines ?? []), ...noticeLines(place.texts, next.notice)];
  const shown = { choice: next.choice, messageId: await screen.show(next.choice, lines, message) };
  return { ...shown, ...(await screen.ask(next.choice)) };
}

type Markup = InlineKeyboardMarkup | ForceReply;

/** What the dialog writes into the chat. Messages without an id are posted anew, below everything else. */
function screenOf(deps: BotDeps, conversation: RestoreConversation, begun: RestoreDialogArgs, place: DialogPlace) {
  const { notice: _, ...args } = begun;
  const { id, texts, caller } = place;
  const { chatId, threadId } = args.place;
  const inThread = threadId === undefined ? {} : { message_thread_id: threadId };
  const save = async (choice: RestoreChoice, messageId?: number): Promise<void> =>
    await conversation.external(async () => {
      const dialog = { kind: "restore", command: commandOf(choice), messageId };
      await saveDialog(deps, id, dialog, { ...args, choice });
    });
  const view = async (choice: RestoreChoice, lines: readonly string[]): Promise<DialogView> =>
    await conversation.external(async () => await restoreView(deps, choice, place, lines));
  // Through the outer context: what is called inside is called anew by every replay, and would spend the chat's budget again.
  const post = async (text: string, markup: Markup = { inline_keyboard: [] }): Promise<number> =>
    await conversation.external(async ({ api }) => {
      const options = { ...inThread, parse_mode: "HTML" as const, reply_markup: markup };
      return (await api.sendMessage(chatId, text, options)).message_id;
    });
  const edit = async (message: number, text: string, rows: DialogView["rows"] = [], must = true): Promise<void> =>
    await conversation.external(async ({ api }) => {
      const options = { parse_mode: "HTML" as const, reply_markup: { inline_keyboard: rows } };
      await api.editMessageText(chatId, message, text, options).catch((error: unknown) => {
        // After a kill the same step comes again.
        if (must && readFailure(error).kind !== "not-modified") throw error;
      });
    });
  /** Whatever becomes of an older message, this dialog goes on. */
  const retire = async (message: number, text: string): Promise<void> => await edit(message, text, [], false);
  return {
    post,
    open: async (choice: RestoreChoice, lines: readonly string[]): Promise<number> => {
      const { text, rows } = await view(choice, lines);
      // Known before it can be seen: a press may be faster than the answer to this call.
      await save(choice);
      const messageId = await post(text, { inline_keyboard: rows });
      await save(choice, messageId);
      const replaced = await conversation.external(async () => {
        const others = await deps.dialogs.replaceOthers({ id, ...args.place, userId: caller.id });
        return others.flatMap((other) => other.messageId ?? []);
      });
      for (const older of replaced) await retire(older, texts.t("dialog-replaced"));
      return messageId;
    },
    show: async (choice: RestoreChoice, lines: readonly string[], messageId?: number): Promise<number> => {
      const { text, rows } = await view(choice, lines);
      if (messageId !== undefined) {
        await save(choice, messageId);
        await edit(messageId, text, rows);
        return messageId;
      }
      const posted = await post(text, { inline_keyboard: rows });
      await save(choice, posted);
      return posted;
    },
    /** Asks for what is to be typed, in a message of its own: only that opens the answer's field by itself. */
    ask: async (choice: RestoreChoice): Promise<{ readonly questionId?: number }> => {
      if (choice.asks === undefined) return {};
      const { html, here } = await conversation.external(async () => await questionText(deps, choice, place));
      const reply = { force_reply: true as const, selective: true, input_field_placeholder: cut(here, 64) };
      return { questionId: await post(html, reply) };
    },
    leave: async (messageId: number): Promise<void> => await retire(messageId, texts.t("restore-ask-continued")),
    cancel: async (choice: RestoreChoice, messageId: number): Promise<void> => {
      await conversation.external(async () => await deps.dialogs.close(id, "cancelled"));
      await edit(messageId, texts.t("dialog-cancelled", { command: commandOf(choice) }));
    },
    /** The message becomes the card. */
    order: async (choice: RestoreChoice, order: RestoreOrder, messageId: number | undefined): Promise<void> => {
      const said = await conversation.external(async () => await carryOut(deps, choice, order, args, place, messageId));
      if (said === undefined) return;
      if (messageId === undefined) await post(said);
      else await edit(messageId, said);
    },
  };
}

/** Waits for a press on this dialog or an answer to its question. Everything else goes on to the other handlers. */
async function nextStep(
  conversation: RestoreConversation,
  deps: BotDeps,
  id: string,
  place: RestoreDialogArgs["place"],
  { choice, messageId, questionId }: Stand,
): Promise<Step> {
  const ctx = await conversation.waitFor(["callback_query:data", "message:text"], { next: true });
  const data = ctx.callbackQuery?.data;
  if (data !== undefined) {
    if (!data.startsWith(`${dialogToken}${id}:`)) return await conversation.skip({ next: true });
    const [what = "", argument = ""] = pressedWhat(data).split("-");
    return { kind: "press", what, argument };
  }
  const { message } = ctx;
  const text = message?.text ?? "";
  const repliedTo = message?.reply_to_message?.message_id;
  const isAnswer =
    // In a private chat there is nobody else whom it could be said to.
    repliedTo === undefined ? place.chatId > 0 : repliedTo === questionId || repliedTo === messageId;
  if (choice.asks === undefined || !isAnswer || isCommand(text) || message?.forward_origin !== undefined)
    return await conversation.skip({ next: true });
  const sentAt = (message?.date ?? 0) * 1000;
  const waitedMs = await conversation.external(() => deps.clock.now().getTime() - sentAt);
  return { kind: "typed", text: text.trim(), waitedMs };
}

/** A path begins like a command; only those that there are stay commands. */
function isCommand(text: string): boolean {
  const [, name] = /^\/(\w+)(?:@\w+)?(?:\s|$)/.exec(text) ?? [];
  return commands.some((command) => command.name === name?.toLowerCase());
}

const againKeys = {
  command: "dialog-again-command",
  press: "dialog-again-press",
  lost: "dialog-again-lost",
} as const;

/** Why it is asked again, if it is. */
function againLines(texts: Messages, { again, waitedMs = 0 }: RestoreDialogArgs): string[] {
  if (again === undefined) return [];
  return [texts.t(againKeys[again], { waited: formatDuration(waitedMs, texts.locale) })];
}

function noticeLines(texts: Messages, notice: Text | undefined): string[] {
  return notice ? [texts.t(notice.key, notice.args)] : [];
}
