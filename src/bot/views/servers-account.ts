import {
  balanceSeverity,
  bucketPercent,
  bucketSeverity,
  daysUntil,
  domainSeverity,
  hoursLeftOf,
  type InventoryLimits,
} from "../../core/inventory.ts";
import type { Domain, Finances, ManagedBucket } from "../../core/managed.ts";
import type { Severity } from "../../core/signal.ts";
import { formatBytes, formatCount, formatDuration, formatTime } from "../../messages/format.ts";
import type { Messages } from "../../messages/index.ts";
import { limitsOf } from "../../services/servers/inventory.ts";
import type { AccountInventory, Section } from "../../state/inventory.ts";
import { bar } from "../cards/database-backup.ts";
import { oneLine } from "../foreign-text.ts";
import { digestOf, pageOf, pageRow } from "./pages.ts";
import type { PartPage } from "./servers-databases.ts";
import type { ServersViewDeps } from "./servers-state.ts";
import { type Reading, sectionLines, severitySign } from "./servers-words.ts";
import type { ViewButton, ViewContext, ViewShown } from "./types.ts";

const perPage = 10;
const hourMs = 3_600_000;
/** Of domains that end soon, as many are named on the account's own page. */
const mostSoon = 5;

/** An account: what it costs, how long the balance lasts, and what else it has. */
export async function accountPage(account: string, context: ViewContext, deps: ServersViewDeps): Promise<ViewShown> {
  const { inventoryStates, config } = deps;
  const { messages, now } = context;
  const reading = { messages, now, timezone: config.timezone };
  const record = await inventoryStates.read("account", account);
  const servers = config.servers.filter(({ provider }) => provider === account).length;
  const head = [messages.t("account-title", { account }), messages.t("account-servers", { count: servers })];
  const blocks = record ? accountBlocks(account, record, reading, deps) : [[messages.t("servers-asking")]];
  const key = digestOf(account);
  const parts = (["databases", "buckets", "domains"] as const).flatMap((part): ViewButton[] => {
    const section = record?.[part];
    if (!section) return [];
    const count = section.known ? formatCount(section.known.value.length, messages.locale) : "?";
    return [{ what: `${part}-${key}`, label: messages.plain(`button-${part}`, { count }) }];
  });
  const rows: ViewButton[][] = [
    ...(parts.length > 0 ? [parts] : []),
    [
      { what: "refresh", label: messages.plain("button-refresh") },
      { what: "list", label: messages.plain("button-servers") },
    ],
  ];
  return { html: [head, ...blocks].map((lines) => lines.join("\n")).join("\n\n"), rows };
}

function accountBlocks(
  account: string,
  record: AccountInventory,
  reading: Reading,
  { config }: ServersViewDeps,
): string[][] {
  const { messages } = reading;
  const { finances, domains, databases, buckets } = record;
  if (!finances && !domains && !databases && !buckets) return [[messages.t("account-nothing")]];
  const limits = limitsOf(config, account);
  const blocks: string[][] = [];
  if (finances) {
    const known = finances.known?.value;
    const lines = known ? financeLines(known, finances.known?.at ?? reading.now, limits, reading) : [];
    blocks.push([...lines, ...sectionLines(finances, reading)]);
  }
  const soon = warned(domains, (one, at) => domainSeverity(one.expiresAt, at));
  if (soon.length > 0)
    blocks.push([
      messages.t("account-domains-soon"),
      ...soon.slice(0, mostSoon).map(({ value, severity }) => domainLine(value, severity, reading)),
    ]);
  const full = warned(buckets, (one) => bucketSeverity(one, limits));
  if (full.length > 0)
    blocks.push([
      messages.t("account-buckets-full"),
      ...full.slice(0, mostSoon).map(({ value, severity }) => bucketLine(value, severity, messages)),
    ]);
  // Of parts that have pages of their own, only why they cannot be asked for.
  for (const section of [domains, databases, buckets])
    if (section?.failed && section.failed.error.message !== finances?.failed?.error.message)
      blocks.push(sectionLines(section, reading));
  return blocks;
}

/** What of a list is warned of, as it was when it was read. */
function warned<T>(
  section: Section<readonly T[]> | undefined,
  severityOf: (value: T, at: Date) => Severity | undefined,
): { readonly value: T; readonly severity: Severity }[] {
  const { known } = section ?? {};
  return (known?.value ?? []).flatMap((value) => {
    const severity = severityOf(value, known?.at ?? new Date(0));
    return severity ? [{ value, severity }] : [];
  });
}

function financeLines(
  finances: Finances,
  at: Date,
  limits: InventoryLimits,
  { messages, now, timezone }: Reading,
): string[] {
  const severity = balanceSeverity(finances, limits);
  const { balance, currency, hourlyCost } = finances;
  const hours = hoursLeftOf(finances);
  const lines = [messages.t("account-balance", { balance: money(balance, messages), currency: oneLine(currency, 8) })];
  if (hourlyCost !== undefined) {
    const args = { cost: money(hourlyCost, messages), month: money(hourlyCost * 730, messages), currency };
    lines.push(messages.t("account-cost", args));
  }
  if (hours === undefined)
    return [...lines, messages.t(hourlyCost === 0 ? "account-lasts-free" : "account-lasts-unknown")];
  // Counted from when it was told: that may be long ago.
  const ends = at.getTime() + hours * hourMs;
  const ms = ends - now.getTime();
  const mark = severitySign(severity);
  if (hours === 0 && balance <= 0) return [...lines, messages.t("account-lasts-none", { mark })];
  if (ms <= 0) return [...lines, messages.t("account-lasts-hour", { mark })];
  // Beyond what a date can be.
  const until = new Date(Math.min(ends, 8.64e15));
  const args = {
    mark,
    // Providers tell whole hours.
    duration: formatDuration(Math.ceil(ms / hourMs) * hourMs, messages.locale),
    at: formatTime(until, messages.locale, timezone),
  };
  return [...lines, messages.t("account-lasts", args)];
}

/** Two digits behind the point. */
function money(value: number, { locale }: Messages): string {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }).format(value);
}

/** The domains of an account, the next to end first. */
export async function domainsPage(page: PartPage, context: ViewContext, deps: ServersViewDeps): Promise<ViewShown> {
  const { domains } = (await deps.inventoryStates.read("account", page.account)) ?? {};
  const at = domains?.known?.at ?? context.now;
  const reading = { ...context, timezone: deps.config.timezone };
  const line = (one: Domain): string => domainLine(one, domainSeverity(one.expiresAt, at), reading);
  return partPage("domains-title", page, domains, line, reading);
}

/** The buckets of an account, the fullest first. */
export async function bucketsPage(page: PartPage, context: ViewContext, deps: ServersViewDeps): Promise<ViewShown> {
  const { buckets } = (await deps.inventoryStates.read("account", page.account)) ?? {};
  const limits = limitsOf(deps.config, page.account);
  const reading = { ...context, timezone: deps.config.timezone };
  const line = (one: ManagedBucket): string => bucketLine(one, bucketSeverity(one, limits), context.messages);
  return partPage("buckets-title", page, buckets, line, reading);
}

function partPage<T>(
  title: string,
  { account, page: wanted }: PartPage,
  section: Section<readonly T[]> | undefined,
  line: (one: T) => string,
  reading: Reading,
): ViewShown {
  const { messages } = reading;
  const all = section?.known?.value ?? [];
  const { page, pages, from } = pageOf(wanted, all.length, perPage);
  const numbers = { page: formatCount(page + 1, messages.locale), pages: formatCount(pages, messages.locale) };
  const lines = all.slice(from, from + perPage).map(line);
  const none = section?.known && all.length === 0 ? [messages.t("servers-nothing")] : [];
  const foot = [...sectionLines(section, reading), ...(pages > 1 ? [messages.t("backups-page", numbers)] : [])];
  return {
    html: [messages.t(title, { account }), [...lines, ...none].join("\n"), foot.join("\n")]
      .filter((block) => block !== "")
      .join("\n\n"),
    rows: [
      [
        ...pageRow(page, pages, messages),
        { what: "refresh", label: messages.plain("button-refresh") },
        { what: `account-${digestOf(account)}`, label: messages.plain("button-back") },
      ],
    ],
  };
}

function domainLine({ name, expiresAt }: Domain, severity: Severity | undefined, reading: Reading): string {
  const { messages, now, timezone } = reading;
  const domain = oneLine(name, 100);
  if (!expiresAt) return messages.t("domains-unknown", { domain });
  const at = formatTime(expiresAt, messages.locale, timezone);
  const days = daysUntil(expiresAt, now);
  const args = { mark: severitySign(severity), domain, at, days };
  return messages.t(days < 0 ? "domains-ended" : "domains-line", args);
}

function bucketLine(bucket: ManagedBucket, severity: Severity | undefined, messages: Messages): string {
  const { name, usedBytes, limitBytes, objects, location } = bucket;
  const { locale } = messages;
  const percent = bucketPercent(bucket);
  const used = usedBytes === undefined ? "?" : formatBytes(usedBytes, locale);
  const more = [
    ...(objects === undefined ? [] : [messages.plain("buckets-objects", { count: objects })]),
    ...(location === undefined ? [] : [oneLine(location, 30)]),
  ].join(" · ");
  const head = { mark: severitySign(severity), bucket: oneLine(name, 64), used };
  const line =
    percent === undefined || limitBytes === undefined
      ? messages.t("buckets-line-unlimited", head)
      : messages.t("buckets-line", {
          ...head,
          limit: formatBytes(limitBytes, locale),
          bar: bar(percent),
          percent: Math.floor(percent),
        });
  return more === "" ? line : `${line}\n${messages.t("buckets-more", { more })}`;
}
