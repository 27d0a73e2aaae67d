import { toAppError } from "../../core/errors.ts";
import type { RestorationPlace } from "../../core/restoration.ts";
import { hasRole } from "../../core/roles.ts";
import { formatDuration } from "../../messages/format.ts";
import { reasonOf } from "../../messages/index.ts";
import { type BotDeps, staleAfterMs } from "../context.ts";
import { confirmAction } from "../dialog.ts";
import { oneLine } from "../foreign-text.ts";
import { digestOf } from "../views/pages.ts";
import { restorables } from "./restore-backups.ts";
import { type Chosen, type RestoreChoice, resolved, withMoment } from "./restore-choice.ts";
import { type DialogPlace, linkRefusal } from "./restore-views.ts";
import type { DialogArgs } from "./save.ts";

/** Longest name, path or prefix that is taken; UTF-16 units. */
const longestTyped = 500;

/** What somebody has done next: pressed a button of the dialog, or answered its question. */
export type Step =
  | { readonly kind: "press"; readonly what: string; readonly argument: string }
  | { readonly kind: "typed"; readonly text: string; readonly waitedMs: number };

/** What is ordered in the end: a restore, or links to the files. */
export type RestoreOrder = { readonly place: RestorationPlace; readonly to?: string } | "download";

/** Where the dialog stands after a step. */
export interface Next extends Chosen {
  /** Said above what is asked next. */
  readonly lines?: readonly string[];
  readonly order?: RestoreOrder;
  readonly isCancelled?: true;
}

/** What a step leads to; undefined: to nothing. */
export async function advance(
  deps: BotDeps,
  choice: RestoreChoice,
  step: Step,
  place: DialogPlace,
): Promise<Next | undefined> {
  return step.kind === "press" ? await pressed(deps, choice, step, place) : await typed(deps, choice, step, place);
}

/** Whether an answer still counts. */
export async function isOpen({ dialogs, clock }: BotDeps, id: string): Promise<boolean> {
  const dialog = await dialogs.read(id);
  // Done by a bot that was killed before it could order: the same answer comes again.
  if (dialog?.status === "done") return true;
  return dialog?.status === "open" && dialog.expiresAt > clock.now().getTime();
}

/** What a press leads to; undefined: to nothing. */
async function pressed(
  deps: BotDeps,
  choice: RestoreChoice,
  { what, argument }: { readonly what: string; readonly argument: string },
  { texts }: DialogPlace,
): Promise<Next | undefined> {
  const { asks: _, ...still } = choice;
  const { page: __, ...unpaged } = still;
  switch (what) {
    case "page":
      return { choice: { ...still, page: Number(argument) || 0 } };
    case "names":
      return { choice: {} };
    case "name": {
      const name = deps.config.backups.find((backup) => digestOf(backup.name) === argument)?.name;
      if (name === undefined) return { choice: {}, lines: [texts.t("backup-choice-gone")] };
      const { backup: ___, only: ____, pick: _____, ...rest } = unpaged;
      return await resolved(deps, { ...rest, name }, texts);
    }
    case "backups": {
      const { backup: ___, before: ____, beforeNote: _____, pick: ______, ...rest } = unpaged;
      return { choice: rest };
    }
    case "backup": {
      if (choice.name === undefined) return undefined;
      if (!(await deps.verificationOrders.backup(choice.name, argument)))
        return { choice: still, lines: [texts.t("restore-ask-gone")] };
      const { before: ___, beforeNote: ____, ...rest } = unpaged;
      return { choice: { ...rest, backup: argument } };
    }
    case "only": {
      const { databases = [] } = await choicesOf(deps, choice);
      const only = databases.find((name) => digestOf(name) === argument);
      return only === undefined ? { choice: still } : { choice: { ...unpaged, only } };
    }
    case "where": {
      const { pick: ___, ...rest } = unpaged;
      return { choice: rest };
    }
    case "moment":
    case "pick":
    case "to":
      return { choice: { ...unpaged, asks: what } };
    case confirmAction:
      return confirmed(choice, argument);
    case "cancel":
      return { choice, isCancelled: true };
    default:
      return undefined;
  }
}

function confirmed(choice: RestoreChoice, argument: string): Next | undefined {
  if (choice.name === undefined || choice.backup === undefined) return undefined;
  switch (argument) {
    case "in_place":
      return { choice, order: { place: "in-place" } };
    case "beside":
      return { choice, order: { place: "beside" } };
    case "roles":
      return { choice, order: { place: "globals" } };
    case "download":
      return { choice, order: "download" };
    default:
      return undefined;
  }
}

async function choicesOf(deps: BotDeps, { name = "", backup }: RestoreChoice) {
  return await deps.restorations.choices(name, backup);
}

/** What was typed in reply to the question. */
async function typed(
  deps: BotDeps,
  choice: RestoreChoice,
  { text, waitedMs }: { readonly text: string; readonly waitedMs: number },
  { texts }: DialogPlace,
): Promise<Next> {
  if (waitedMs > staleAfterMs) {
    const waited = formatDuration(waitedMs, texts.locale);
    return { choice, lines: [texts.t("restore-ask-late", { waited })] };
  }
  if (choice.asks === "moment") return { ...(await withMoment(deps, choice, text, texts)) };
  if (text === "" || text.length > longestTyped)
    return { choice, lines: [texts.t("restore-ask-empty", { limit: longestTyped })] };
  const { asks, ...rest } = choice;
  if (asks === "pick") return { choice: { ...rest, pick: text } };
  return { choice: rest, order: { place: "beside", to: text } };
}

/**
 * The dialog's end decides between this step and its expiry, so it comes first. A bot killed between the two leaves a
 * dialog that is done and a conversation that still waits: the press comes again and finds its way here. Resolves with
 * what is to be said instead of the card, if anything.
 */
export async function carryOut(
  deps: BotDeps,
  { name = "", backup = "", only, pick }: RestoreChoice,
  order: RestoreOrder,
  args: DialogArgs,
  place: DialogPlace,
  messageId: number | undefined,
): Promise<string | undefined> {
  const { id, texts, caller } = place;
  if (!(await deps.dialogs.close(id, "done")) && (await deps.dialogs.read(id))?.status !== "done") return undefined;
  const role = deps.config.telegram.users.find((user) => user.id === caller.id)?.role;
  if (!role || !hasRole(role, "operator")) return texts.t("refused-role", { role: texts.plain("role-operator") });
  const by = { id: caller.id, name: caller.name };
  try {
    if (order === "download")
      return await orderLinks(deps, { name, backup }, { ...place, caller: { ...caller, role } });
    await deps.restorations.request({
      name,
      backup,
      place: order.place,
      ...(only === undefined ? {} : { only }),
      ...(pick === undefined ? {} : { pick }),
      ...(order.to === undefined ? {} : { to: order.to }),
      by,
      target: { ...args.place, ...(messageId === undefined ? {} : { messageId }) },
      source: `dialog:${id}`,
    });
    return undefined;
  } catch (error) {
    const failure = toAppError(error);
    if (!failure.permanent) throw error;
    deps.logger.warn({ backup: name, run: backup, by: by.id, code: failure.code }, "a restore could not be ordered");
    return texts.t("restore-ask-failed", { reason: reasonOf(failure) });
  }
}

async function orderLinks(
  deps: BotDeps,
  { name, backup }: { readonly name: string; readonly backup: string },
  place: DialogPlace,
): Promise<string> {
  const { texts, caller } = place;
  const chosen = (await restorables(deps, name)).find(({ id }) => id === backup);
  if (!chosen) return texts.t("restore-ask-gone");
  const refused = linkRefusal(deps, chosen, place);
  const storage = deps.linkOrders.storageFor(chosen.copies.map((copy) => copy.storage));
  if (refused || storage === undefined)
    return texts.t("restore-ask-failed", { reason: refused ?? { key: "restore-ask-no-link-local" } });
  const { folder } = chosen;
  const by = { id: caller.id, name: caller.name };
  await deps.linkOrders.request({ name, run: backup, folder, storage, by, locale: caller.locale, chatId: caller.id });
  return texts.t("restore-ask-linked");
}

/** The command that begins it anew where it stands. */
export function commandOf({ name, backup }: RestoreChoice): string {
  return ["/restore", oneLine(name ?? ""), backup ?? ""].filter((word) => word !== "").join(" ");
}
