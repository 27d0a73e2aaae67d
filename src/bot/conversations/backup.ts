import type { Conversation } from "@grammyjs/conversations";
import type { InlineKeyboardButton } from "grammy/types";
import type { ChatTarget } from "../../core/card.ts";
import { nextTime } from "../../core/schedule.ts";
import { storedBytes } from "../../core/run.ts";
import { formatBytes, formatDuration, formatTime } from "../../messages/format.ts";
import type { Messages } from "../../messages/index.ts";
import type { BotContext, BotDeps, Caller, DialogContext } from "../context.ts";
import { dialogButton, dialogLifeMs, dialogToken, newDialogId, pressedWhat } from "../dialog.ts";

/** Arguments of the dialog: plain data, since they are kept in Redis. */
export interface BackupDialogArgs {
  readonly caller: Caller;
  readonly place: ChatTarget;
  /** Undefined: ask which. */
  readonly name?: string;
  /** Why it is asked again: the order (`command`, waited so long) or the press came too late. */
  readonly again?: "command" | "press";
  readonly waitedMs?: number;
}

const pageSize = 8;

/**
 * The dialog behind /backup: which target, then what will be done, then Confirm or Cancel. Its only effect is one
 * order whose id follows from the dialog's, so that a replay after a kill orders nothing twice.
 */
export function backupDialog(deps: BotDeps) {
  return async function backup(conversation: Conversation<BotContext, DialogContext>, ctx: DialogContext, args: BackupDialogArgs): Promise<void> {
    const texts = deps.messages(args.caller.locale);
    const id = await conversation.external(() => newDialogId());
    const options = { parse_mode: "HTML", ...(args.place.threadId === undefined ? {} : { message_thread_id: args.place.threadId }) } as const;
    const keyboard = (rows: InlineKeyboardButton[][]) => ({ inline_keyboard: rows });
    const choose = async (page: number): Promise<{ text: string; rows: InlineKeyboardButton[][] }> =>
      await conversation.external(async () => await chooseView(deps, texts, id, page));
    const plan = async (name: string): Promise<{ text: string; rows: InlineKeyboardButton[][] }> =>
      await conversation.external(async () => await planView(deps, texts, id, name, args));
    const record = async (messageId: number, name: string | undefined): Promise<void> =>
      await conversation.external(async () => await saveDialog(deps, id, args, messageId, name));

    let name = args.name;
    const first = name === undefined ? await choose(0) : await plan(name);
    const sent = await ctx.api.sendMessage(args.place.chatId, first.text, { ...options, reply_markup: keyboard(first.rows) });
    await record(sent.message_id, name);

    const edit = async (text: string, rows: InlineKeyboardButton[][]): Promise<void> => {
      await ctx.api.editMessageText(args.place.chatId, sent.message_id, text, { parse_mode: "HTML", reply_markup: keyboard(rows) });
    };

    for (;;) {
      const press = await conversation.waitFor("callback_query:data", { next: true });
      // The same place and person may hold a newer dialog; only presses on this one are ours.
      if (!press.callbackQuery.data.startsWith(`${dialogToken}${id}:`)) {
        await conversation.skip({ next: true });
        continue;
      }
      const what = pressedWhat(press.callbackQuery.data);
      if (what.startsWith("page-")) {
        const view = await choose(Number(what.slice(5)));
        await edit(view.text, view.rows);
      } else if (what.startsWith("target-")) {
        name = await conversation.external(() => deps.config.backups[Number(what.slice(7))]?.name);
        if (name === undefined) continue;
        const view = await plan(name);
        await record(sent.message_id, name);
        await edit(view.text, view.rows);
      } else if (what === "cancel") {
        await conversation.external(async () => await deps.dialogs.close(id, "cancelled"));
        await edit(texts.t("dialog-cancelled", { command: command(name) }), []);
        return;
      } else if (what === "confirm" && name !== undefined) {
        const target = name;
        await conversation.external(async () => await order(deps, id, target, args, sent.message_id));
        return;
      }
    }
  };
}

function command(name: string | undefined): string {
  return name === undefined ? "/backup" : `/backup ${name}`;
}

async function saveDialog(deps: BotDeps, id: string, args: BackupDialogArgs, messageId: number, name: string | undefined): Promise<void> {
  const { caller, place } = args;
  await deps.dialogs.save({
    id,
    kind: "backup",
    chatId: place.chatId,
    userId: caller.id,
    userName: caller.name,
    locale: caller.locale,
    command: command(name),
    args: JSON.stringify({ caller, place, ...(name === undefined ? {} : { name }) } satisfies BackupDialogArgs),
    messageId,
    expiresAt: deps.clock.now().getTime() + dialogLifeMs,
    status: "open",
  });
}

/** The order comes before the dialog's end: a kill in between repeats it, and its id makes that harmless. */
async function order(deps: BotDeps, id: string, name: string, args: BackupDialogArgs, messageId: number): Promise<void> {
  const { caller, place } = args;
  await deps.orders.request({
    name,
    trigger: "chat",
    source: `dialog:${id}`,
    requestedBy: { id: caller.id, name: caller.name },
    target: { ...place, messageId },
  });
  await deps.dialogs.close(id, "done");
}

async function chooseView(deps: BotDeps, texts: Messages, id: string, page: number): Promise<{ text: string; rows: InlineKeyboardButton[][] }> {
  const { backups } = deps.config;
  const from = page * pageSize;
  const shown = backups.slice(from, from + pageSize);
  const lines = await Promise.all(shown.map(async (backup) => texts.t("backup-choice", { name: backup.name, last: await lastLine(deps, texts, backup.name) })));
  const rows = shown.map((backup, index) => [dialogButton(id, `target-${from + index}`, backup.name)]);
  const pages: InlineKeyboardButton[] = [];
  if (page > 0) pages.push(dialogButton(id, `page-${page - 1}`, texts.plain("button-previous")));
  if (from + pageSize < backups.length) pages.push(dialogButton(id, `page-${page + 1}`, texts.plain("button-next")));
  if (pages.length > 0) rows.push(pages);
  rows.push([dialogButton(id, "cancel", texts.plain("button-cancel"))]);
  return { text: [texts.t("backup-choose"), ...lines].join("\n"), rows };
}

async function planView(deps: BotDeps, texts: Messages, id: string, name: string, args: BackupDialogArgs): Promise<{ text: string; rows: InlineKeyboardButton[][] }> {
  const backup = deps.orders.backup(name);
  const lines: string[] = [];
  if (args.again === "command") lines.push(texts.t("dialog-again-command", { waited: formatDuration(args.waitedMs ?? 0, texts.locale) }));
  if (args.again === "press") lines.push(texts.t("dialog-again-press"));
  lines.push(texts.t("backup-plan", { name, kind: texts.plain(`source-${backup.source.kind}`) }));
  for (const storage of backup.storages) lines.push(texts.t("backup-plan-to", { storage, location: deps.storageLocation(storage) }));
  if (backup.encrypt) lines.push(texts.t("backup-plan-encrypted", { recipients: deps.config.encryption?.recipients.length ?? 0 }));
  lines.push(texts.t("backup-plan-last", { last: await lastLine(deps, texts, name) }));
  if (backup.schedule !== undefined) {
    const timezone = backup.timezone ?? deps.config.timezone;
    const next = nextTime(backup.schedule, timezone, deps.clock.now());
    if (next) lines.push(texts.t("backup-plan-next", { next: formatTime(next, texts.locale, deps.config.timezone) }));
  }
  const active = (await deps.runs.active()).find((run) => run.name === name);
  if (active) lines.push(texts.t("backup-plan-active", { run: active.id }));
  const buttons = [dialogButton(id, "confirm", texts.plain("button-confirm"), "primary"), dialogButton(id, "cancel", texts.plain("button-cancel"))];
  return { text: lines.join("\n"), rows: [buttons] };
}

/** Age and size of the last backup, as plain text. */
async function lastLine(deps: BotDeps, texts: Messages, name: string): Promise<string> {
  const last = await deps.runs.lastGood(name);
  if (!last?.manifest) return texts.plain("backup-last-none");
  const age = deps.clock.now().getTime() - Date.parse(last.manifest.finishedAt);
  return texts.plain("backup-last", { age: formatDuration(age, texts.locale), size: formatBytes(storedBytes(last.manifest), texts.locale) });
}
