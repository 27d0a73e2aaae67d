import { randomBytes } from "node:crypto";
import type { InlineKeyboardButton } from "grammy/types";
import { messagesOf } from "../messages/index.ts";
import type { Dialog } from "../state/dialogs.ts";
import type { BotDeps } from "./context.ts";
import { readFailure } from "./telegram-error.ts";

/** Prefix of a dialog button's data: `d:<dialog id>:<what>`. */
export const dialogToken = "d:";

/** Time to press a button of a dialog that starts something; milliseconds. */
export const dialogLifeMs = 120_000;

/** What the button that starts something is called in its data. */
export const confirmAction = "confirm";

export function newDialogId(): string {
  return randomBytes(9).toString("base64url");
}

export function dialogButton(
  id: string,
  what: string,
  text: string,
  style?: "danger" | "success" | "primary",
): InlineKeyboardButton {
  return { text, callback_data: `${dialogToken}${id}:${what}`, ...(style ? { style } : {}) };
}

/** What was pressed: the part after the dialog's id. */
export function pressedWhat(data: string): string {
  return data.slice(data.indexOf(":", dialogToken.length) + 1);
}

/** Takes the buttons from dialogs whose time is over and says so in them. */
export async function expireDialogs(
  deps: Pick<BotDeps, "dialogs" | "clock" | "logger">,
  editText: (dialog: Dialog, html: string) => Promise<void>,
): Promise<void> {
  for (const dialog of await deps.dialogs.overdue(deps.clock.now())) {
    if (!(await deps.dialogs.close(dialog.id, "expired"))) continue;
    if (dialog.messageId === undefined) continue;
    try {
      await editText(dialog, messagesOf(dialog.locale).t("dialog-expired", { command: dialog.command }));
    } catch (error) {
      deps.logger.debug({ dialog: dialog.id, failure: readFailure(error) }, "an expired dialog could not be edited");
    }
  }
}
