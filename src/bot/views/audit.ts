import type { Config } from "../../app/config.ts";
import type { StoredAuditEntry } from "../../core/audit.ts";
import type { Clock } from "../../core/ports.ts";
import { formatCount } from "../../messages/format.ts";
import { exportHeader, exportLines } from "../../services/audit/export.ts";
import type { Audit } from "../../state/audit.ts";
import type { Strangers } from "../../state/strangers.ts";
import { auditDetails, auditLine, auditWho, strangersLine } from "../audit-text.ts";
import type { CardAnswer } from "../cards/types.ts";
import { cut, oneLine } from "../foreign-text.ts";
import type { ViewButton, ViewContext, ViewKind, ViewPress, ViewShown } from "./types.ts";

export interface AuditViewDeps {
  readonly config: Pick<Config, "timezone">;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly strangers: Strangers;
}

/** One condition: a person, what it is about, or a target; without `of` any of these. */
export interface AuditWord {
  readonly of?: "by" | "kind" | "target";
  /** In small letters. */
  readonly value: string;
}

/** What /audit shows. */
export interface AuditState {
  /** All of them hold. */
  readonly words?: readonly AuditWord[];
  /** The entries right below this number, or right above it; neither: the newest. */
  readonly before?: number;
  readonly after?: number;
  /** One entry with all that it says. */
  readonly entry?: number;
}

const pageSize = 8;
const buttonsPerRow = 4;
const lifeMs = 3_600_000;
/** Entries that one page looks through. */
const mostLooked = 20_000;
/** Entries of one document: some 10 MB, of the 50 that Telegram takes. */
export const mostExported = 20_000;
const longestLabel = 24;

/** /audit: what was asked for, agreed to, refused and done, newest first; details; an export. */
export function auditView(deps: AuditViewDeps): ViewKind<AuditState> {
  return {
    kind: "audit",
    role: "admin",
    lifeMs,
    command: "/audit",
    render: async (state, context) =>
      state.entry === undefined ? await list(state, context, deps) : await single(state, state.entry, context, deps),
    press: async (state, what) => await press(state, what, deps),
  };
}

/** True when all the words hold for an entry. */
export function matchesWords(entry: StoredAuditEntry, words: readonly AuditWord[]): boolean {
  const { by, about, what, action, target } = entry;
  const isBy = (value: string): boolean => by !== undefined && (String(by.id) === value || has(by.name, value));
  const isKind = (value: string): boolean => [about, what, action].includes(value);
  const isTarget = (value: string): boolean => target !== undefined && has(target, value);
  const holds = { by: isBy, kind: isKind, target: isTarget };
  return words.every(({ of, value }) =>
    of === undefined ? isBy(value) || isKind(value) || isTarget(value) : holds[of](value),
  );
}

function has(text: string, value: string): boolean {
  return text.toLowerCase().includes(value);
}

/** A document of the entries with these numbers; of too many the newest. */
export async function auditDocument(
  { audit, clock }: Pick<AuditViewDeps, "audit" | "clock">,
  range: { readonly from?: number; readonly to?: number },
  { messages }: Pick<ViewContext, "messages">,
): Promise<CardAnswer> {
  const wanted = await exportHeader(audit, range, clock.now());
  const from = Math.max(wanted.from, wanted.to - mostExported + 1);
  const header = { ...wanted, from };
  if (header.to < from) return { html: messages.t("audit-none") };
  const lines: string[] = [];
  for await (const line of exportLines(audit, header)) lines.push(line);
  const { locale } = messages;
  const args = { from: String(from), to: String(header.to), count: formatCount(lines.length - 1, locale) };
  const html =
    from > wanted.from
      ? messages.t("audit-exported-some", { ...args, before: `${wanted.from}-${from - 1}` })
      : messages.t("audit-exported", args);
  return { html, document: { name: `audit-${from}-${header.to}.jsonl`, text: `${lines.join("\n")}\n` } };
}

async function press(state: AuditState, what: string, deps: AuditViewDeps): Promise<ViewPress<AuditState>> {
  const [verb = "", argument = ""] = what.split("-");
  const { words } = state;
  const kept = words === undefined ? {} : { words };
  const at = Number(argument);
  const only = (of: NonNullable<AuditWord["of"]>, value: string | undefined): ViewPress<AuditState> => ({
    run: async () => (value === undefined ? state : { words: [{ of, value: value.toLowerCase() }] }),
  });
  switch (verb) {
    case "older":
      return { run: async () => ({ ...kept, before: at }) };
    case "newer":
      return { run: async () => ({ ...kept, after: at }) };
    case "newest":
      return { run: async () => kept };
    case "all":
      return { run: async () => ({}) };
    case "entry":
      return { run: async () => ({ ...state, entry: at }) };
    case "list":
      return { run: async () => withoutEntry(state) };
    case "by":
      return only("by", argument);
    case "kind":
      return only("kind", (await deps.audit.read(at))?.entry.about);
    case "target":
      return only("target", (await deps.audit.read(at))?.entry.target);
    case "export":
      return {
        run: async ({ reply, messages }) => {
          await reply(await auditDocument(deps, {}, { messages }));
          return undefined;
        },
      };
    default:
      return { run: async () => state };
  }
}

function withoutEntry(state: AuditState): AuditState {
  const { entry: _entry, ...rest } = state;
  return rest;
}

async function list(state: AuditState, { messages }: ViewContext, deps: AuditViewDeps): Promise<ViewShown> {
  const { words = [], before, after } = state;
  const { timezone } = deps.config;
  const page = await deps.audit.page({
    limit: pageSize,
    most: mostLooked,
    matches: (entry) => matchesWords(entry, words),
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  });
  const { entries } = page;
  const isTop = before === undefined && after === undefined;
  const [first, last] = [entries[0]?.seq, entries.at(-1)?.seq];
  const filter = words.map(({ of, value }) => (of === undefined ? value : `${of}:${value}`)).join(" ");
  const isCutShort = entries.length < pageSize && page.next !== undefined;
  const html = [
    [
      messages.t("audit-title"),
      ...(filter === "" ? [] : [messages.t("audit-filter", { filter: oneLine(filter, 120) })]),
    ].join("\n"),
    ...(entries.length === 0 ? [messages.t(isCutShort ? "audit-none-yet" : "audit-none")] : []),
    ...entries.map((entry) => auditLine(entry, messages, timezone)),
    ...(isCutShort ? [messages.t("audit-looked", { seq: String(page.next) })] : []),
    ...(isTop && filter === "" ? strangersLine(await deps.strangers.pending(), messages) : []),
  ].join("\n\n");
  const older = after === undefined ? page.next : last;
  const newer = after === undefined ? (isTop ? undefined : (first ?? before)) : page.next;
  const button = (what: string, key: string): ViewButton => ({ what, label: messages.plain(key) });
  const rows = [
    ...inRows(entries.map(({ seq }) => ({ what: `entry-${seq}`, label: `#${seq}` }))),
    [
      ...(newer === undefined ? [] : [button(`newer-${newer}`, "button-audit-newer")]),
      ...(older === undefined ? [] : [button(`older-${older}`, "button-audit-older")]),
    ],
    [
      button("newest", isTop ? "button-refresh" : "button-audit-newest"),
      ...(filter === "" ? [] : [button("all", "button-audit-all")]),
      button("export", "button-audit-export"),
    ],
  ];
  return { html, rows: rows.filter((row) => row.length > 0) };
}

function inRows(buttons: readonly ViewButton[]): ViewButton[][] {
  const rows: ViewButton[][] = [];
  for (let index = 0; index < buttons.length; index += buttonsPerRow)
    rows.push(buttons.slice(index, index + buttonsPerRow));
  return rows;
}

async function single(
  state: AuditState,
  seq: number,
  { messages }: ViewContext,
  { audit, config }: AuditViewDeps,
): Promise<ViewShown> {
  const found = await audit.read(seq);
  const back: ViewButton = { what: "list", label: messages.plain("button-audit-list") };
  if (!found) return { html: messages.t("audit-no-such", { seq: String(seq) }), rows: [[back]] };
  const { entry, record } = found;
  const { by, about, target } = entry;
  const only = (what: string, name: string): ViewButton => ({
    what,
    label: messages.plain("button-audit-only", { name: cut(oneLine(name), longestLabel) }),
  });
  return {
    html: auditDetails(entry, record, messages, config.timezone),
    rows: [
      ...(by ? [[only(`by-${by.id}`, auditWho(entry, messages))]] : []),
      ...(target === undefined || target === "" ? [] : [[only(`target-${seq}`, target)]]),
      [only(`kind-${seq}`, messages.has(`audit-about-${about}`) ? messages.plain(`audit-about-${about}`) : about)],
      state.entry === undefined ? [] : [back],
    ].filter((row) => row.length > 0),
  };
}
