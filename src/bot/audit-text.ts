import type { StoredAuditEntry } from "../core/audit.ts";
import { formatCount, formatTime } from "../messages/format.ts";
import type { Messages } from "../messages/index.ts";
import type { StrangerCount } from "../state/strangers.ts";
import { oneLine, unlinked } from "./foreign-text.ts";

/** What people have written and named, in so many characters of a list. */
const limits = { name: 40, target: 60, why: 60, long: 300 } as const;

/** Plain words that others chose, for a message. */
function foreign(text: string, limit: number): string {
  return unlinked(oneLine(text, limit));
}

/** What an entry says that was done; what another version has written is said as it stands. */
export function auditWhat({ what }: Pick<StoredAuditEntry, "what">, messages: Messages): string {
  const key = `audit-what-${what}`;
  return messages.has(key) ? messages.plain(key) : oneLine(what, limits.name);
}

/** Who has done it. */
export function auditWho(
  { by, what, about, details, host = "" }: Pick<StoredAuditEntry, "by" | "what" | "about" | "details" | "host">,
  messages: Messages,
): string {
  if (by) return foreign(by.name, limits.name);
  if (about === "cli") return foreign(`${details?.["user"] ?? ""}@${host}`, limits.name);
  return messages.plain(what === "turned-away-others" ? "audit-by-others" : "audit-by-itself");
}

/** An entry in a list; HTML. */
export function auditLine(entry: StoredAuditEntry, messages: Messages, timezone: string): string {
  const { seq, at, action, target, why, count } = entry;
  const about = [action, target].filter((part) => part !== undefined && part !== "");
  const more = [
    ...(about.length > 0 ? [foreign(about.join(" "), limits.target)] : []),
    ...(why === undefined || why === "" ? [] : [foreign(why, limits.why)]),
    ...(count === undefined ? [] : [`×${formatCount(count, messages.locale)}`]),
  ];
  return messages.t(more.length > 0 ? "audit-line-more" : "audit-line", {
    seq: String(seq),
    at: formatTime(new Date(at), messages.locale, timezone),
    by: auditWho(entry, messages),
    what: auditWhat(entry, messages),
    more: more.join(" · "),
  });
}

/** All that an entry says, a line each; HTML. */
export function auditDetails(
  entry: StoredAuditEntry,
  chain: { readonly prev?: string; readonly hash?: string },
  messages: Messages,
  timezone: string,
): string {
  const { seq, at, about, by, action, target, why, host, id, binding, count, details = {} } = entry;
  const line = (key: string, value: string | number | undefined): string[] =>
    value === undefined || value === ""
      ? []
      : [messages.t(`audit-${key}`, { value: foreign(String(value), limits.long) })];
  return [
    messages.t("audit-entry", { seq: String(seq), what: auditWhat(entry, messages) }),
    [
      ...line("at", formatTime(new Date(at), messages.locale, timezone)),
      ...(by
        ? [messages.t("audit-who", { by: auditWho(entry, messages), id: String(by.id) })]
        : [messages.t("audit-who-else", { by: auditWho(entry, messages) })]),
      ...line("about", `${about}${id === undefined ? "" : ` ${id}`}`),
      ...line("action", action),
      ...line("target", target),
      ...line("why", why),
      ...line("count", count),
      ...line("host", host),
      ...Object.entries(details).map(([name, value]) =>
        messages.t("audit-detail", { name, value: foreign(String(value), limits.long) }),
      ),
    ].join("\n"),
    [
      ...(binding === undefined ? [] : [messages.t("audit-binding", { value: binding })]),
      ...(chain.hash === undefined
        ? [messages.t("audit-unchained")]
        : [messages.t("audit-prev", { value: chain.prev ?? "" }), messages.t("audit-hash", { value: chain.hash })]),
    ].join("\n"),
  ].join("\n\n");
}

/** Strangers of this hour, who are no entry yet; HTML. */
export function strangersLine(pending: readonly StrangerCount[], messages: Messages): string[] {
  if (pending.length === 0) return [];
  const shown = pending.slice(0, 5).map(({ by, presses, commands }) => {
    const name = by ? foreign(by.name, limits.name) : messages.plain("audit-by-others");
    return `${name} ×${formatCount(presses + commands, messages.locale)}`;
  });
  const more = pending.length > shown.length ? ["…"] : [];
  return [messages.t("audit-strangers", { names: [...shown, ...more].join(", ") })];
}
