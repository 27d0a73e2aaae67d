import type { Conversation } from "@grammyjs/conversations";
import type { InlineKeyboardButton } from "grammy/types";
import { formatDuration, formatTime } from "../../messages/format.ts";
import type { Messages } from "../../messages/index.ts";
import { isLookedAt } from "../../services/backup/health.ts";
import { lastGood } from "../../services/backup/last-good.ts";
import { nextRun } from "../../services/schedules.ts";
import { lastGoodWords } from "../backup-words.ts";
import type { BotContext, BotDeps, DialogContext } from "../context.ts";
import { confirmAction, dialogButton, dialogToken, newDialogId, pressedWhat } from "../dialog.ts";
import { readFailure } from "../telegram-error.ts";
import { digestOf } from "../views/pages.ts";
import { type DialogArgs, saveDialog } from "./save.ts";

/** Arguments of the dialog: plain data, since they are kept in Redis. */
export interface BackupDialogArgs extends DialogArgs {
  /** Undefined: ask which. */
  readonly name?: string;
}

const pageSize = 8;

interface View {
  readonly text: string;
  readonly rows: InlineKeyboardButton[][];
}

/**
 * The dialog behind /backup: which target, then what will be done, then Confirm or Cancel. Its only effect is one
 * order whose id follows from the dialog's, so that a replay after a kill orders nothing twice.
 */
export function backupDialog(deps: BotDeps) {
  return async function backup(
    conversation: Conversation<BotContext, DialogContext>,
    _ctx: DialogContext,
    args: BackupDialogArgs,
  ): Promise<void> {
    const texts = deps.messages(args.caller.locale);
    const { chatId, threadId } = args.place;
    const id = await conversation.external(() => newDialogId());
    const view = async (make: () => Promise<View>): Promise<View> => await conversation.external(make);

    // What was asked for may be gone from the configuration since: then it is asked which.
    let name = await conversation.external(() => configured(deps, args.name));
    const gone = args.name !== undefined && name === undefined ? args.name : undefined;
    const first = await view(async () => {
      if (name !== undefined) return await planView(deps, texts, id, name, args);
      return await chooseView(deps, texts, id, 0, [...againLines(texts, args), ...goneLines(texts, gone)]);
    });
    // Known before it can be seen: a press may be faster than the answer to this call.
    await conversation.external(async () => await save(deps, id, args, undefined, name));
    // Through the outer context: what is called inside is called anew by every replay, and would spend the chat's budget again.
    const messageId = await conversation.external(async ({ api }) => {
      const sent = await api.sendMessage(chatId, first.text, {
        parse_mode: "HTML",
        ...(threadId === undefined ? {} : { message_thread_id: threadId }),
        reply_markup: { inline_keyboard: first.rows },
      });
      return sent.message_id;
    });
    const replaced = await conversation.external(async () => {
      await save(deps, id, args, messageId, name);
      const others = await deps.dialogs.replaceOthers({ id, ...args.place, userId: args.caller.id });
      return others.flatMap((other) => other.messageId ?? []);
    });
    const edit = async (message: number, { text, rows }: View, must = true): Promise<void> =>
      await conversation.external(async ({ api }) => {
        const options = { parse_mode: "HTML" as const, reply_markup: { inline_keyboard: rows } };
        await api.editMessageText(chatId, message, text, options).catch((error: unknown) => {
          // After a kill the same step comes again.
          if (must && readFailure(error).kind !== "not-modified") throw error;
        });
      });
    const show = async (shown: View): Promise<void> => await edit(messageId, shown);
    // Whatever becomes of an older message, this dialog goes on.
    for (const older of replaced) await edit(older, { text: texts.t("dialog-replaced"), rows: [] }, false);

    /** Each says whether the dialog is over. */
    const steps: Readonly<Record<string, (argument: string) => Promise<boolean>>> = {
      page: async (page) => {
        await show(await view(async () => await chooseView(deps, texts, id, Number(page))));
        return false;
      },
      target: async (digest) => {
        const chosen = await conversation.external(
          () => deps.config.backups.find((backup) => digestOf(backup.name) === digest)?.name,
        );
        if (chosen === undefined) {
          await show(await view(async () => await chooseView(deps, texts, id, 0, [texts.t("backup-choice-gone")])));
          return false;
        }
        name = chosen;
        await conversation.external(async () => await save(deps, id, args, messageId, chosen));
        await show(await view(async () => await planView(deps, texts, id, chosen, args)));
        return false;
      },
      [confirmAction]: async () => {
        const confirmed = name;
        if (confirmed === undefined) return false;
        if ((await conversation.external(() => configured(deps, confirmed))) === undefined) {
          name = undefined;
          await conversation.external(async () => await save(deps, id, args, messageId, undefined));
          const lines = goneLines(texts, confirmed);
          await show(await view(async () => await chooseView(deps, texts, id, 0, lines)));
          return false;
        }
        await conversation.external(async () => await order(deps, id, confirmed, args, messageId));
        return true;
      },
      cancel: async () => {
        await conversation.external(async () => await deps.dialogs.close(id, "cancelled"));
        await show({ text: texts.t("dialog-cancelled", { command: command(name) }), rows: [] });
        return true;
      },
    };
    for (;;) {
      const [what, argument] = await nextPress(conversation, id);
      if (await steps[what]?.(argument)) return;
    }
  };
}

/** The next press on this dialog: what, and its argument. Everything else goes on to the other handlers. */
async function nextPress(
  conversation: Conversation<BotContext, DialogContext>,
  id: string,
): Promise<readonly [string, string]> {
  const press = await conversation.waitFor("callback_query:data", { next: true });
  if (!press.callbackQuery.data.startsWith(`${dialogToken}${id}:`)) return await conversation.skip({ next: true });
  const [what = "", argument = ""] = pressedWhat(press.callbackQuery.data).split("-");
  return [what, argument];
}

/** The name, if the configuration in force has a backup of that name. */
function configured(deps: BotDeps, name: string | undefined): string | undefined {
  return deps.config.backups.find((backup) => backup.name === name)?.name;
}

function command(name: string | undefined): string {
  return name === undefined ? "/backup" : `/backup ${name}`;
}

async function save(
  deps: BotDeps,
  id: string,
  args: BackupDialogArgs,
  messageId: number | undefined,
  name: string | undefined,
): Promise<void> {
  const { name: _, ...rest } = args;
  const kept: BackupDialogArgs = { ...rest, ...(name === undefined ? {} : { name }) };
  await saveDialog(deps, id, { kind: "backup", command: command(name), messageId }, kept);
}

/**
 * The dialog's end decides between this press and its expiry, so it comes first. A bot killed between the two leaves
 * a dialog that is done and a conversation that still waits: the press comes again and finds its way here.
 */
async function order(
  deps: BotDeps,
  id: string,
  name: string,
  args: BackupDialogArgs,
  messageId: number,
): Promise<void> {
  const { caller, place } = args;
  if (!(await deps.dialogs.close(id, "done")) && (await deps.dialogs.read(id))?.status !== "done") return;
  await deps.orders.request({
    name,
    trigger: "chat",
    source: `dialog:${id}`,
    requestedBy: { id: caller.id, name: caller.name },
    target: { ...place, messageId },
  });
}

const againKeys = {
  command: "dialog-again-command",
  press: "dialog-again-press",
  lost: "dialog-again-lost",
} as const;

/** Why it is asked again, if it is. */
function againLines(texts: Messages, { again, waitedMs = 0 }: BackupDialogArgs): string[] {
  if (again === undefined) return [];
  return [texts.t(againKeys[again], { waited: formatDuration(waitedMs, texts.locale) })];
}

function goneLines(texts: Messages, name: string | undefined): string[] {
  return name === undefined ? [] : [texts.t("backup-gone", { name })];
}

/** `before`: blocks above the question. */
async function chooseView(
  deps: BotDeps,
  texts: Messages,
  id: string,
  page: number,
  before: readonly string[] = [],
): Promise<View> {
  const { backups } = deps.config;
  // The configuration may have become shorter since the button was shown.
  const from = page * pageSize < backups.length ? page * pageSize : 0;
  const shown = backups.slice(from, from + pageSize);
  const lines = await Promise.all(
    shown.map(async (backup) => {
      const { name } = backup;
      const last = await lastWords(deps, texts, name);
      if (last !== undefined) return texts.t("backup-choice", { name, last });
      return texts.t((await isLookedAt(deps, backup)) ? "status-backup-never" : "status-backup-unknown", { name });
    }),
  );
  const rows = shown.map(({ name }) => [dialogButton(id, `target-${digestOf(name)}`, name)]);
  const pages: InlineKeyboardButton[] = [];
  const shownPage = from / pageSize;
  if (from > 0) pages.push(dialogButton(id, `page-${shownPage - 1}`, texts.plain("button-previous")));
  if (from + pageSize < backups.length)
    pages.push(dialogButton(id, `page-${shownPage + 1}`, texts.plain("button-next")));
  if (pages.length > 0) rows.push(pages);
  rows.push([dialogButton(id, "cancel", texts.plain("button-cancel"))]);
  return { text: [...before, texts.t("backup-choose"), lines.join("\n")].join("\n\n"), rows };
}

async function planView(
  deps: BotDeps,
  texts: Messages,
  id: string,
  name: string,
  args: BackupDialogArgs,
): Promise<View> {
  const backup = deps.orders.backup(name);
  const blocks = againLines(texts, args);
  const plan = texts.t("backup-plan", { name, kind: texts.plain(`source-${backup.source.kind}`) });
  const where = backup.storages.map((storage) =>
    texts.t("backup-plan-to", { storage, location: deps.storageLocation(storage) }),
  );
  if (backup.encrypt)
    where.push(texts.t("backup-plan-encrypted", { recipients: deps.config.encryption?.recipients.length ?? 0 }));
  const none = (await isLookedAt(deps, backup)) ? "backup-last-none" : "backup-last-unknown";
  const last = (await lastWords(deps, texts, name)) ?? texts.plain(none);
  const times = [texts.t("backup-plan-last", { last })];
  const next = nextRun(deps.config, name, deps.clock.now());
  if (next) times.push(texts.t("backup-plan-next", { next: formatTime(next, texts.locale, deps.config.timezone) }));
  const active = (await deps.runs.active()).find((run) => run.name === name);
  if (active) times.push(texts.t("backup-plan-active", { run: active.id }));
  const buttons = [
    dialogButton(id, confirmAction, texts.plain("button-confirm"), "primary"),
    dialogButton(id, "cancel", texts.plain("button-cancel")),
  ];
  blocks.push(plan, where.join("\n"), times.join("\n"));
  return { text: blocks.join("\n\n"), rows: [buttons] };
}

/** Age and size of the last good backup, as plain text; undefined when none is known. */
async function lastWords(deps: BotDeps, texts: Messages, name: string): Promise<string | undefined> {
  return lastGoodWords(await lastGood(deps, name), deps.clock.now(), texts);
}
