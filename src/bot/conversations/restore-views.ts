import type { InlineKeyboardButton } from "grammy/types";
import { hasRole } from "../../core/roles.ts";
import { storedBytes } from "../../core/run.ts";
import type { Text } from "../../core/text.ts";
import { formatBytes, formatCount, formatDuration, formatTime } from "../../messages/format.ts";
import type { Messages } from "../../messages/index.ts";
import { isLookedAt } from "../../services/backup/health.ts";
import { lastGood } from "../../services/backup/last-good.ts";
import type { RestoreChoices } from "../../services/restorations/choices.ts";
import { lastGoodWords } from "../backup-words.ts";
import type { BotDeps, Caller } from "../context.ts";
import { confirmAction, dialogButton } from "../dialog.ts";
import { oneLine } from "../foreign-text.ts";
import { proofSummary } from "../proof-text.ts";
import { digestOf, pageOf } from "../views/pages.ts";
import { type ChosenBefore, lastGoodBefore, type Restorable, restorables } from "./restore-backups.ts";
import { exampleMoment, type RestoreChoice, type RestoreQuestion } from "./restore-choice.ts";

/** What the dialog shows. */
export interface DialogView {
  readonly text: string;
  readonly rows: InlineKeyboardButton[][];
}

/** Whose dialog it is, and where. */
export interface DialogPlace {
  /** The dialog's id. */
  readonly id: string;
  readonly caller: Caller;
  readonly isPrivate: boolean;
  readonly texts: Messages;
}

const namesPerPage = 8;
const backupsPerPage = 6;
const buttonsInRow = 3;

/** What is asked next, by what is known. `notice`: said above it. */
export async function restoreView(
  deps: BotDeps,
  choice: RestoreChoice,
  place: DialogPlace,
  notice: readonly string[] = [],
): Promise<DialogView> {
  const { name, backup, asks } = choice;
  const view = await (async () => {
    if (name === undefined) return await chooseName(deps, choice, place);
    if (asks === "moment") return momentView(deps, place);
    const all = await restorables(deps, name);
    const chosen = all.find(({ id }) => id === backup);
    if (!chosen) return await chooseBackup(deps, { ...choice, name }, all, place);
    const choices = await deps.restorations.choices(name, chosen.id);
    const found = choice.before === undefined ? undefined : lastGoodBefore(all, new Date(choice.before));
    const lines = chosenLines(deps, choice, chosen, found, place);
    if (asks !== undefined) return askView(deps, { ...choice, name, asks }, lines, choices, place);
    if (isDatabaseOpen(choices, choice)) return chooseDatabase(lines, choices, place);
    return whereView(deps, { ...choice, name }, { chosen, found, lines, choices }, place);
  })();
  return { text: [...notice, view.text].join("\n\n"), rows: view.rows };
}

/** Several databases, and it is not said yet which. */
function isDatabaseOpen({ databases = [], places }: RestoreChoices, { only }: RestoreChoice): boolean {
  return places.length > 0 && databases.length > 1 && (only === undefined || !databases.includes(only));
}

async function chooseName(deps: BotDeps, { page: wanted }: RestoreChoice, place: DialogPlace): Promise<DialogView> {
  const { texts, id } = place;
  const { backups } = deps.config;
  const { page, pages, from } = pageOf(wanted, backups.length, namesPerPage);
  const shown = backups.slice(from, from + namesPerPage);
  const lines = await Promise.all(
    shown.map(async (backup) => {
      const { name } = backup;
      const none = (await isLookedAt(deps, backup)) ? "backup-last-none" : "backup-last-unknown";
      const last = lastGoodWords(await lastGood(deps, name), deps.clock.now(), texts) ?? texts.plain(none);
      return texts.t("restore-ask-name-line", { name, last });
    }),
  );
  const rows = shown.map(({ name }) => [dialogButton(id, `name-${digestOf(name)}`, name)]);
  return {
    text: [texts.t("restore-ask-name"), lines.join("\n")].join("\n\n"),
    rows: [...rows, ...pageRows(page, pages, place), [cancel(place)]],
  };
}

async function chooseBackup(
  deps: BotDeps,
  { name, page: wanted }: RestoreChoice & { readonly name: string },
  all: readonly Restorable[],
  place: DialogPlace,
): Promise<DialogView> {
  const { texts, id } = place;
  const { locale } = texts;
  const back = deps.config.backups.length > 1 ? [dialogButton(id, "names", texts.plain("button-back"))] : [];
  if (all.length === 0) {
    const settings = deps.config.backups.find((backup) => backup.name === name);
    const isKnown = settings !== undefined && (await isLookedAt(deps, settings));
    const text = texts.t(isKnown ? "restore-ask-none" : "restore-ask-none-yet", { name });
    return { text, rows: [[...back, cancel(place)]] };
  }
  const { page, pages, from } = pageOf(wanted, all.length, backupsPerPage);
  const shown = all.slice(from, from + backupsPerPage);
  const lines = shown.map((backup, index) => backupLine(deps, backup, formatCount(from + index + 1, locale), texts));
  const numbers = shown.map((backup, index) => dialogButton(id, `backup-${backup.id}`, String(from + index + 1)));
  const rows: InlineKeyboardButton[][] = [];
  for (let at = 0; at < numbers.length; at += buttonsInRow) rows.push(numbers.slice(at, at + buttonsInRow));
  const foot = [
    texts.t("restore-ask-marks"),
    ...(pages > 1
      ? [texts.t("restore-ask-page", { page: formatCount(page + 1, locale), pages: formatCount(pages, locale) })]
      : []),
  ];
  return {
    text: [texts.t("restore-ask-backup", { name }), lines.join("\n"), foot.join("\n")].join("\n\n"),
    rows: [
      ...rows,
      ...pageRows(page, pages, place),
      [dialogButton(id, "moment", texts.plain("button-restore-before"))],
      [...back, cancel(place)],
    ],
  };
}

function backupLine(deps: BotDeps, backup: Restorable, number: string, texts: Messages): string {
  const { manifest, copies, isGood } = backup;
  const args = { number, at: timeOf(deps, manifest.startedAt, texts), age: ageOf(deps, backup, texts) };
  if (!isGood) return texts.t("restore-ask-backup-bad", { ...args, reason: flawText(backup) });
  return texts.t("restore-ask-backup-line", {
    ...args,
    mark: proofSummary(soundProofs(backup), deps.clock.now(), texts).mark,
    size: formatBytes(storedBytes(manifest), texts.locale),
    copies: copies.map(({ storage, flaw }) => (flaw === undefined ? storage : `❌${storage}`)).join(", "),
  });
}

/** Of a backup with a good copy only the looks at good copies count. */
function soundProofs({ proofs, copies }: Restorable): Restorable["proofs"] {
  return proofs.filter((proof) => copies.some(({ storage, flaw }) => storage === proof.storage && flaw === undefined));
}

function flawText({ copies }: Restorable): Text {
  const flaw = copies.find((copy) => copy.flaw !== undefined)?.flaw ?? "damaged";
  return { key: `restore-ask-${flaw}` };
}

/** Which backup was chosen, how good it is, and why it is that one. */
function chosenLines(
  deps: BotDeps,
  { name = "", before, beforeNote, only, pick }: RestoreChoice,
  chosen: Restorable,
  found: ChosenBefore | undefined,
  { texts }: DialogPlace,
): string[] {
  const { manifest, copies, isGood } = chosen;
  const target = only === undefined ? name : `${name}/${only}`;
  const at = timeOf(deps, manifest.startedAt, texts);
  const lines = [texts.t("restore-ask-chosen", { name: target, at, age: ageOf(deps, chosen, texts) })];
  if (isGood) {
    const { mark, text } = proofSummary(soundProofs(chosen), deps.clock.now(), texts);
    const size = formatBytes(storedBytes(manifest), texts.locale);
    const good = copies.filter(({ flaw }) => flaw === undefined).map(({ storage }) => storage);
    lines.push(texts.t("restore-ask-chosen-more", { mark, proof: text, size, copies: good.join(", ") }));
  } else lines.push(texts.t("restore-ask-chosen-bad", { reason: flawText(chosen) }));
  if (pick !== undefined) lines.push(texts.t("restore-card-part", { pick: oneLine(pick, 200) }));
  if (before === undefined) return lines;
  lines.push(texts.t("restore-ask-before", { at: timeOf(deps, before, texts) }));
  if (beforeNote !== undefined) lines.push(texts.t(`restore-ask-moment-${beforeNote}`));
  if (found?.chosen.id !== chosen.id) return lines;
  if (found.passedOver > 0) lines.push(texts.t("restore-ask-passed-over", { count: found.passedOver }));
  if (found.proven)
    lines.push(texts.t("restore-ask-unproven", { at: timeOf(deps, found.proven.manifest.startedAt, texts) }));
  else if (!found.isProven) lines.push(texts.t("restore-ask-unproven-only"));
  return lines;
}

function chooseDatabase(lines: readonly string[], { databases = [] }: RestoreChoices, place: DialogPlace): DialogView {
  const { texts, id } = place;
  return {
    text: [lines.join("\n"), texts.t("restore-ask-database")].join("\n\n"),
    rows: [
      ...databases.slice(0, 40).map((name) => [dialogButton(id, `only-${digestOf(name)}`, oneLine(name, 60))]),
      otherRow(place),
    ],
  };
}

function whereView(
  deps: BotDeps,
  { name, pick }: RestoreChoice & { readonly name: string },
  known: {
    readonly chosen: Restorable;
    readonly found: ChosenBefore | undefined;
    readonly lines: readonly string[];
    readonly choices: RestoreChoices;
  },
  place: DialogPlace,
): DialogView {
  const { texts, id } = place;
  const { chosen, found, lines, choices } = known;
  const { reason, picks } = choices;
  const places = pick === undefined ? choices.places : choices.pickPlaces;
  const blocks: string[] = [];
  const rows: InlineKeyboardButton[][] = [];
  if (places.includes("in-place")) {
    blocks.push(texts.t("restore-ask-where-in-place"));
    rows.push([dialogButton(id, `${confirmAction}-in_place`, texts.plain("button-restore-in-place"))]);
  }
  if (places.includes("beside")) {
    const beside = texts.plain(besideKey(deps, name));
    blocks.push(texts.t("restore-ask-where-beside", { beside }));
    rows.push([dialogButton(id, "to", beside)]);
  }
  if (picks !== undefined && pick === undefined) {
    blocks.push(texts.t("restore-ask-where-part", { part: { key: `restore-part-${picks}` } }));
    rows.push([dialogButton(id, "pick", texts.plain("button-restore-part"))]);
  }
  if (choices.globals && pick === undefined) {
    blocks.push(texts.t("restore-ask-where-roles"));
    rows.push([dialogButton(id, `${confirmAction}-roles`, texts.plain("button-restore-roles"))]);
  }
  if (reason) blocks.push(texts.t("restore-ask-not", { reason }));
  const noLink = pick === undefined ? linkRefusal(deps, chosen, place) : undefined;
  if (pick === undefined && noLink === undefined) {
    blocks.push(texts.t("restore-ask-where-download"));
    rows.push([dialogButton(id, `${confirmAction}-download`, texts.plain("button-restore-download"))]);
  } else if (noLink !== undefined) blocks.push(texts.t("restore-ask-not", { reason: noLink }));
  if (found?.proven && found.chosen.id === chosen.id) {
    const at = timeOf(deps, found.proven.manifest.startedAt, texts);
    rows.push([dialogButton(id, `backup-${found.proven.id}`, texts.plain("button-restore-proven", { at }))]);
  }
  rows.push(otherRow(place));
  return { text: [lines.join("\n"), texts.t("restore-ask-where"), blocks.join("\n")].join("\n\n"), rows };
}

/** Why there is no download link for it; undefined: there is. */
export function linkRefusal(
  { linkOrders }: Pick<BotDeps, "linkOrders">,
  { copies }: Restorable,
  { caller, isPrivate }: Pick<DialogPlace, "caller" | "isPrivate">,
): Text | undefined {
  if (!hasRole(caller.role, "admin")) return { key: "restore-ask-no-link-role" };
  if (linkOrders.storageFor(copies.map(({ storage }) => storage)) === undefined)
    return { key: "restore-ask-no-link-local" };
  return isPrivate ? undefined : { key: "restore-ask-no-link-private" };
}

/** What is to be typed, while the question for it stands below. */
function momentView(deps: BotDeps, place: DialogPlace): DialogView {
  const { texts } = place;
  const args = { zone: deps.config.timezone, example: exampleMoment(deps) };
  return { text: texts.t("restore-ask-moment", args), rows: [otherRow(place)] };
}

function askView(
  deps: BotDeps,
  { name, asks, pick }: RestoreChoice & { readonly name: string; readonly asks: RestoreQuestion },
  lines: readonly string[],
  { picks = "path" }: RestoreChoices,
  place: DialogPlace,
): DialogView {
  const { texts, id } = place;
  const back = [dialogButton(id, "where", texts.plain("button-back")), cancel(place)];
  if (asks === "pick")
    return { text: [lines.join("\n"), texts.t(`restore-ask-pick-${picks}`)].join("\n\n"), rows: [back] };
  const named = [dialogButton(id, `${confirmAction}-beside`, texts.plain("button-restore-named"), "primary")];
  return { text: [lines.join("\n"), texts.t(toKey(deps, name, pick))].join("\n\n"), rows: [named, back] };
}

/** The question itself: an answer to it reaches us in groups with privacy mode too. */
export async function questionText(
  deps: BotDeps,
  { name = "", asks, only, pick, backup }: RestoreChoice,
  { texts, caller }: Pick<DialogPlace, "texts" | "caller">,
): Promise<{ readonly html: string; readonly here: string }> {
  const person = { user: String(caller.id), person: caller.name };
  if (asks === "pick") {
    const { picks = "path" } = await deps.restorations.choices(name, backup);
    const html = texts.t("restore-ask-pick-question", { ...person, name });
    return { html, here: texts.plain(`restore-ask-pick-here-${picks}`) };
  }
  if (asks === "to") {
    const parts = { ...(only === undefined ? {} : { only }), ...(pick === undefined ? {} : { pick }) };
    const here = deps.restorations.besideName(name, parts) ?? name;
    return {
      html: texts.t("restore-ask-to-question", person),
      here: texts.plain("restore-ask-to-here", { name: here }),
    };
  }
  const args = { ...person, zone: deps.config.timezone, example: exampleMoment(deps) };
  return { html: texts.t("restore-ask-moment-question", args), here: texts.plain("restore-ask-moment-here") };
}

const besideKeys: Readonly<Record<string, string>> = {
  postgres: "restore-beside-postgres",
  files: "restore-beside-files",
  config: "restore-beside-files",
  s3: "restore-beside-s3",
};

const toKeys: Readonly<Record<string, string>> = {
  files: "restore-ask-to-path",
  config: "restore-ask-to-path",
  s3: "restore-ask-to-prefix",
};

/** What "beside" is called for this kind of source. */
function besideKey(deps: BotDeps, name: string): string {
  return besideKeys[kindOf(deps, name)] ?? "restore-beside-other";
}

function toKey(deps: BotDeps, name: string, pick: string | undefined): string {
  const other = pick === undefined ? "restore-ask-to-database" : "restore-ask-to-schema";
  return toKeys[kindOf(deps, name)] ?? other;
}

function kindOf({ config }: BotDeps, name: string): string {
  return config.backups.find((backup) => backup.name === name)?.source.kind ?? "";
}

function timeOf({ config }: BotDeps, iso: string, texts: Messages): string {
  return formatTime(new Date(iso), texts.locale, config.timezone);
}

function ageOf({ clock }: BotDeps, { manifest }: Restorable, texts: Messages): string {
  return formatDuration(clock.now().getTime() - Date.parse(manifest.startedAt), texts.locale);
}

function pageRows(page: number, pages: number, { texts, id }: DialogPlace): InlineKeyboardButton[][] {
  const row = [
    ...(page > 0 ? [dialogButton(id, `page-${page - 1}`, texts.plain("button-previous"))] : []),
    ...(page < pages - 1 ? [dialogButton(id, `page-${page + 1}`, texts.plain("button-next"))] : []),
  ];
  return row.length > 0 ? [row] : [];
}

function otherRow(place: DialogPlace): InlineKeyboardButton[] {
  const { texts, id } = place;
  return [dialogButton(id, "backups", texts.plain("button-restore-other")), cancel(place)];
}

function cancel({ texts, id }: DialogPlace): InlineKeyboardButton {
  return dialogButton(id, "cancel", texts.plain("button-cancel"));
}
