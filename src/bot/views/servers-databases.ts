import type { AutoBackups, ManagedDatabase, ProviderBackup } from "../../core/managed.ts";
import { formatBytes, formatCount, formatTime } from "../../messages/format.ts";
import type { Messages } from "../../messages/index.ts";
import { databaseKey, keptBackups } from "../../services/servers/inventory.ts";
import { stamp } from "../../services/stamp.ts";
import { cut, oneLine } from "../foreign-text.ts";
import { digestOf, pageOf, pageRow } from "./pages.ts";
import type { ServersViewDeps } from "./servers-state.ts";
import { type Reading, sectionLines } from "./servers-words.ts";
import type { ViewButton, ViewContext, ViewShown } from "./types.ts";

const perPage = 6;
const mostBackups = 10;
const longestLabel = 30;

/** Of one account: the managed databases, or the buckets, a page of them. */
export interface PartPage {
  readonly account: string;
  readonly page: number | undefined;
}

export async function databasesPage(
  { account, page: wanted }: PartPage,
  { messages, now }: ViewContext,
  { inventoryStates, config }: ServersViewDeps,
): Promise<ViewShown> {
  const reading = { messages, now, timezone: config.timezone };
  const section = (await inventoryStates.read("account", account))?.databases;
  const all = section?.known?.value ?? [];
  const { page, pages, from } = pageOf(wanted, all.length, perPage);
  const shown = all.slice(from, from + perPage);
  const blocks = shown.map((database) =>
    [...databaseLines(database, messages), ...autoLine(database, messages)].join("\n"),
  );
  const none = section?.known && all.length === 0 ? [messages.t("servers-nothing")] : [];
  const numbers = { page: formatCount(page + 1, messages.locale), pages: formatCount(pages, messages.locale) };
  const foot = [
    messages.t("managed-same-provider"),
    ...sectionLines(section, reading),
    ...(pages > 1 ? [messages.t("backups-page", numbers)] : []),
  ].join("\n");
  const rows: ViewButton[][] = shown.map(({ id, name, status }) => [
    { what: `db-${digestOf(account)}-${digestOf(id)}`, label: `${databaseMarks[status]} ${cut(name, longestLabel)}` },
  ]);
  rows.push([
    ...pageRow(page, pages, messages),
    { what: "refresh", label: messages.plain("button-refresh") },
    { what: `account-${digestOf(account)}`, label: messages.plain("button-back") },
  ]);
  return { html: [messages.t("databases-title", { account }), ...blocks, ...none, foot].join("\n\n"), rows };
}

const databaseMarks: Readonly<Record<ManagedDatabase["status"], string>> = {
  on: "🟢",
  off: "🔴",
  busy: "🟡",
  unknown: "⚪",
};

function databaseLines(database: ManagedDatabase, messages: Messages): string[] {
  const { name, type, status, diskBytes, usedBytes } = database;
  const { locale } = messages;
  const args = {
    mark: databaseMarks[status],
    name: oneLine(name, 64),
    type: oneLine(type, 40),
    status: { key: `databases-status-${status}` },
  };
  const lines = [messages.t("databases-line", args)];
  if (diskBytes !== undefined) {
    const size = formatBytes(diskBytes, locale);
    const used = usedBytes === undefined ? "?" : formatBytes(usedBytes, locale);
    const percent = usedBytes === undefined || diskBytes <= 0 ? "?" : String(Math.round((usedBytes / diskBytes) * 100));
    lines.push(messages.t("databases-disk", { used, size, percent }));
  }
  return lines;
}

function autoLine({ autoBackups }: ManagedDatabase, messages: Messages): string[] {
  return autoBackups === undefined ? [] : [messages.t(autoBackups ? "databases-auto-on" : "databases-auto-off")];
}

/** One managed database: its backups at the provider, when they are made, and the two orders. */
export async function databasePage(
  { account, database: id }: { readonly account: string; readonly database: string },
  { messages, now }: ViewContext,
  { inventoryStates, config }: ServersViewDeps,
): Promise<ViewShown> {
  const reading = { messages, now, timezone: config.timezone };
  const [record, details] = await Promise.all([
    inventoryStates.read("account", account),
    inventoryStates.read("database", databaseKey(account, id)),
  ]);
  const database = record?.databases?.known?.value.find((one) => one.id === id);
  const toList: ViewButton = { what: `databases-${digestOf(account)}`, label: messages.plain("button-back") };
  if (!database) {
    // What was never told is not gone.
    const isGone = record?.databases?.known !== undefined;
    const title = messages.t(isGone ? "databases-gone" : "databases-of", { id, account });
    const lines = [title, ...sectionLines(record?.databases, reading)];
    return { html: lines.join("\n"), rows: [[{ what: "refresh", label: messages.plain("button-refresh") }, toList]] };
  }
  const backups = details?.backups;
  const all = backups?.known?.value ?? [];
  const list = [
    messages.t("databases-backups-title", {
      count: backups?.known ? countOf(all.length, keptBackups.database, messages) : "?",
    }),
    ...all.slice(0, mostBackups).map((one) => backupLine(one, reading)),
    ...(all.length > mostBackups ? [messages.t("databases-more", { count: all.length - mostBackups })] : []),
    messages.t("managed-same-provider"),
    ...sectionLines(backups, reading),
  ];
  const auto = [
    ...(details?.auto?.known
      ? autoLines(details.auto.known.value, messages, config.timezone)
      : autoLine(database, messages)),
    ...sectionLines(details?.auto, reading),
  ];
  const head = [...databaseLines(database, messages), messages.t("databases-of", { account, id })];
  const key = `${digestOf(account)}-${digestOf(id)}`;
  const rows: ViewButton[][] = [
    [
      { what: `backup-${key}`, label: messages.plain("button-database-backup"), style: "primary" },
      { what: `auto-${key}`, label: messages.plain("button-auto-backups") },
    ],
    [{ what: "refresh", label: messages.plain("button-refresh") }, toList],
  ];
  return { html: [head, list, auto].map((lines) => lines.join("\n")).join("\n\n"), rows };
}

/** The settings in words, a line each. */
export function autoLines(settings: AutoBackups, messages: Messages, timezone: string): string[] {
  const { enabled, copies, interval, startAt, dayOfWeek } = settings;
  if (!enabled) return [messages.t("databases-auto-off")];
  const at = startAt === undefined || Number.isNaN(Date.parse(startAt)) ? "?" : stamp(new Date(startAt), timezone);
  const day = interval === "week" ? `d${dayOfWeek ?? 0}` : "d0";
  return [
    messages.t("databases-auto-on"),
    messages.t("databases-auto-interval", { interval: interval ?? "none", day }),
    messages.t("databases-auto-copies", { count: copies ?? 0 }),
    messages.t("databases-auto-start", { at }),
  ];
}

/** How many there are, where no more than `kept` of them are known. */
export function countOf(count: number, kept: number, { locale }: Messages): string {
  return count < kept ? formatCount(count, locale) : `${formatCount(kept, locale)}+`;
}

/** A backup at the provider in a line. */
export function backupLine(backup: ProviderBackup, { messages, timezone }: Reading): string {
  const { at, status, bytes, progress, comment, name } = backup;
  const said = oneLine(comment || name || "", 40);
  const args = {
    at: formatTime(at, messages.locale, timezone),
    size: bytes === undefined || bytes === 0 ? "" : formatBytes(bytes, messages.locale),
    percent: progress ?? 0,
    comment: said,
  };
  const line = messages.t(`provider-backup-${status}`, args);
  const size = args.size === "" ? "" : ` · ${args.size}`;
  return said === ""
    ? `${line}${size}`
    : `${line}${size} · ${messages.t("provider-backup-comment", { comment: said })}`;
}
