import type { Config } from "../../app/config.ts";
import type { Lost, LostUnit } from "../../core/replacement.ts";
import type { Preflight, Restoration } from "../../core/restoration.ts";
import type { Text } from "../../core/text.ts";
import { formatBytes, formatCount, formatDuration, formatTime } from "../../messages/format.ts";
import type { Messages } from "../../messages/index.ts";
import { oneLine } from "../foreign-text.ts";
import type { RenderContext } from "./types.ts";

/** The part of the configuration that says what is done around it. */
export type RestoreSettings = Pick<Config["backups"][number], "restore">["restore"];

/** Of lists so many are shown: the message is read on a phone. */
const most = { lost: 5, obstacles: 8, remarks: 8, sessions: 3, passedOver: 3 } as const;
const longest = { name: 80, text: 400, list: 200 } as const;

/** What would happen, the most important first. Blocks of lines of HTML. */
export function preflightBlocks(
  restoration: Restoration,
  preflight: Preflight,
  settings: RestoreSettings | undefined,
  context: RenderContext,
): string[][] {
  const { messages } = context;
  const isInPlace = restoration.place === "in-place";
  return [
    isInPlace ? lostLines(restoration, preflight, context) : [messages.t("restore-card-loses-nothing")],
    [estimateLine(preflight, messages), ...(isInPlace ? sessionLines(preflight, messages) : [])],
    isInPlace ? wayBackLines(restoration, preflight, settings, messages) : [],
    sourceLines(preflight, context),
    remarkLines(preflight.remarks, messages),
    detailLines(restoration, preflight, context),
  ];
}

/** Each reason to refuse it. */
export function obstacleLines({ obstacles }: Preflight, messages: Messages): string[] {
  const lines = obstacles
    .slice(0, most.obstacles)
    .map((text) => messages.t("restore-card-bullet", { text: told(text, messages) }));
  return [messages.t("restore-card-obstacles"), ...lines, ...moreLine(obstacles.length - lines.length, messages)];
}

/** What will be lost, or was: as it was estimated before. */
export function lostLines(
  { backupAt, status, startedAt }: Restoration,
  { at, sameSystem, lost, lostTotal, unit }: Preflight,
  { messages, timezone, now }: RenderContext,
): string[] {
  const { locale } = messages;
  const isBefore = status === "ready" || status === "refused" || status === "asked";
  const lines = [
    isBefore
      ? messages.t("restore-card-lost", { age: formatDuration(now.getTime() - Date.parse(backupAt), locale) })
      : messages.t("restore-card-lost-then", { at: formatTime(new Date(startedAt ?? at), locale, timezone) }),
  ];
  if (sameSystem === false) lines.push(messages.t("restore-card-lost-other-system"));
  if (lostTotal === 0) return [...lines, messages.t("restore-card-lost-none")];
  const shown = lost.slice(0, most.lost);
  lines.push(messages.t("restore-card-lost-seen", { exact: shown.every(({ exact }) => exact) ? "yes" : "no" }));
  for (const one of shown) lines.push(lostLine(one, unit, isBefore, messages));
  return [...lines, ...moreLine(lostTotal - shown.length, messages)];
}

function lostLine({ what, backup, live }: Lost, unit: LostUnit, isBefore: boolean, messages: Messages): string {
  const name = oneLine(what, longest.name);
  if (backup === undefined)
    return messages.t("restore-card-lost-new", { what: name, live: unitText(unit, live, messages) });
  const { locale } = messages;
  return messages.t(isBefore ? "restore-card-lost-line" : "restore-card-lost-line-then", {
    what: name,
    more: unitText(unit, live - backup, messages),
    live: formatCount(live, locale),
    backup: formatCount(backup, locale),
  });
}

/** "1,204 rows" */
export function unitText(unit: LostUnit, count: number, messages: Messages): Text {
  return { key: `restore-card-${unit}`, args: { count, countText: formatCount(count, messages.locale) } };
}

function estimateLine({ estimate }: Preflight, messages: Messages): string {
  if (!estimate) return messages.t("restore-card-takes-unknown");
  const { totalMs, backupMs, measured } = estimate;
  const total = formatDuration(totalMs, messages.locale);
  if (measured === 0) return messages.t("restore-card-takes-sized", { total });
  if (backupMs === undefined) return messages.t("restore-card-takes-plain", { total, measured });
  return messages.t("restore-card-takes", { total, measured, backup: formatDuration(backupMs, messages.locale) });
}

/** Only of a database it can be said that they are ended: elsewhere a remark says what becomes of them. */
function sessionLines({ sessions, unit }: Preflight, messages: Messages): string[] {
  if (unit !== "rows") return [];
  const count = sessions.reduce((sum, one) => sum + one.count, 0);
  if (count === 0) return [messages.t("restore-card-sessions-none")];
  const who = sessions
    .toSorted((a, b) => b.count - a.count)
    .slice(0, most.sessions)
    .map(
      (one) =>
        `${oneLine([one.user, one.application].filter((name) => name !== "").join(" ") || "?", 40)} ×${one.count}`,
    );
  const list = [...who, ...(sessions.length > who.length ? ["…"] : [])].join(", ");
  return [messages.t("restore-card-sessions", { count, who: list })];
}

function wayBackLines(
  { before }: Restoration,
  { wayBack, noFormer }: Preflight,
  settings: RestoreSettings | undefined,
  messages: Messages,
): string[] {
  const isWithout = before === "off" && noFormer === undefined;
  if (wayBack === "former" && before === "off") return [messages.t("restore-card-back-none")];
  const back = settings
    ? messages.t(`restore-card-back-${wayBack}-for`, { duration: formatDuration(settings.keep, messages.locale) })
    : messages.t(`restore-card-back-${wayBack}`);
  return isWithout ? [messages.t("restore-card-no-former"), back] : [back];
}

function sourceLines(
  { proof, storage, location, passedOver }: Preflight,
  { messages, timezone }: RenderContext,
): string[] {
  const proven = proof
    ? messages.t("restore-card-proof", {
        depth: { key: `depth-${proof.depth}` },
        at: formatTime(new Date(proof.at), messages.locale, timezone),
      })
    : messages.t("restore-card-unproven");
  return [
    proven,
    messages.t("restore-card-copy", { storage, location: oneLine(location, longest.list) }),
    ...passedOver
      .slice(0, most.passedOver)
      .map((one) => messages.t("restore-card-passed", { storage: one.storage, reason: told(one.reason, messages) })),
  ];
}

/** What a person should know and what refuses nothing. */
export function remarkLines(remarks: readonly Text[], messages: Messages): string[] {
  const lines = remarks
    .slice(0, most.remarks)
    .map((text) => messages.t("restore-card-remark", { text: told(text, messages) }));
  return [...lines, ...moreLine(remarks.length - lines.length, messages)];
}

/** For who wants to know it exactly: folded away. */
function detailLines({ place }: Restoration, preflight: Preflight, { messages, timezone }: RenderContext): string[] {
  const { locale } = messages;
  const { bytes, unpackedBytes, liveBytes, neededBytes, freeBytes, facts, host, at } = preflight;
  const size = (value: number): string => formatBytes(value, locale);
  const beside = liveBytes > 0 ? { key: "restore-card-detail-room-live", args: { live: size(liveBytes) } } : "";
  const room = { needed: size(neededBytes), beside };
  const versions = Object.entries(facts).map(([what, value]) => `${what} ${value}`);
  const lines = [
    messages.plain("restore-card-detail-size", { size: size(bytes), unpacked: size(unpackedBytes) }),
    freeBytes === undefined
      ? messages.plain("restore-card-detail-room-unknown", room)
      : messages.plain("restore-card-detail-room", { ...room, free: size(freeBytes) }),
    ...(versions.length > 0
      ? [messages.plain("restore-card-detail-versions", { versions: oneLine(versions.join(", "), longest.list) })]
      : []),
    ...needLines(preflight, messages),
    ...(place === "in-place" ? [methodLine(preflight, messages)] : []),
    messages.plain("restore-card-detail-host", { host, at: formatTime(new Date(at), locale, timezone) }),
  ];
  return [messages.t("restore-card-details", { text: lines.join("\n") })];
}

function methodLine({ method, jobs, unit }: Preflight, messages: Messages): string {
  const how = { key: `restore-method-${method}` };
  if (unit !== "rows") return messages.plain("restore-card-detail-method-only", { method: how });
  return messages.plain("restore-card-detail-method", { method: how, jobs });
}

/** Roles and extensions: only a kind that knows them has looked for them. */
function needLines({ missingRoles, missingExtensions, otherVersions, unit }: Preflight, messages: Messages): string[] {
  if (unit !== "rows") return [];
  const list = (names: readonly string[]): { list: string } => ({ list: oneLine(names.join(", "), longest.list) });
  const roles =
    missingRoles === undefined
      ? messages.plain("restore-card-detail-roles-unknown")
      : missingRoles.length === 0
        ? messages.plain("restore-card-detail-roles")
        : messages.plain("restore-card-detail-roles-missing", list(missingRoles));
  const extensions =
    missingExtensions.length === 0
      ? messages.plain("restore-card-detail-extensions")
      : messages.plain("restore-card-detail-extensions-missing", list(missingExtensions));
  const others =
    otherVersions.length === 0 ? [] : [messages.plain("restore-card-detail-extensions-other", list(otherVersions))];
  return [roles, extensions, ...others];
}

/** A sentence on one line. A worker of a later version may know more of them than this program. */
function told({ key, args }: Text, messages: Messages): string {
  return oneLine(messages.has(key) ? messages.plain(key, args) : key, longest.text);
}

/** How many more there are than are shown. */
export function moreLine(count: number, messages: Messages): string[] {
  return count > 0 ? [messages.t("restore-card-more", { count: formatCount(count, messages.locale) })] : [];
}
