import { applicableRoles, type GlobalsLook, type RoleChange } from "../../core/globals.ts";
import type { Restoration } from "../../core/restoration.ts";
import { formatCount, formatDuration, formatTime } from "../../messages/format.ts";
import { type Messages, reasonText } from "../../messages/index.ts";
import { oneLine } from "../foreign-text.ts";
import { moreLine } from "./restoration-preflight.ts";
import { reasonLines } from "./restoration-text.ts";
import type { CardButton, RenderContext } from "./types.ts";

/** Of lists so many are shown: the message is read on a phone. */
const most = { roles: 15, changes: 6, names: 20 } as const;
const longest = { name: 63, value: 60, location: 200, reason: 600 } as const;

/** What is said above it, whatever its state. */
export function rolesHeading({ status, name, applied, roles }: Restoration, messages: Messages): string {
  // There was nothing to be given: that it is done already is no news of anything done.
  const state = status === "done" && roles && !applied ? "same" : status;
  return messages.t(`restore-roles-title-${state}`, { name });
}

/** Which backup, which server. */
export function rolesAbout(restoration: Restoration, { messages, timezone, now }: RenderContext): string[] {
  const { backupAt, createdAt, status, roles } = restoration;
  const isOpen = status === "looking" || status === "ready" || status === "refused" || status === "asked";
  const age = (isOpen ? now.getTime() : Date.parse(createdAt)) - Date.parse(backupAt);
  const { locale } = messages;
  return [
    messages.t("restore-card-backup", {
      at: formatTime(new Date(backupAt), locale, timezone),
      age: formatDuration(age, locale),
    }),
    ...(roles ? [messages.t("restore-roles-server", { server: oneLine(roles.look.server, longest.name) })] : []),
  ];
}

/** How they differ, what is to be done, what was done. Blocks of lines of HTML. */
export function rolesBlocks(restoration: Restoration, context: RenderContext): string[][] {
  const { messages } = context;
  const { status, roles, error, approval, cancelRequestedBy } = restoration;
  switch (status) {
    case "ready":
      return roles ? [...differenceBlocks(roles.look, context), [messages.t("restore-roles-ready")]] : [];
    case "asked":
      return [
        [messages.t("restore-card-asked", { approval: approval ?? "?" })],
        chosenLines(restoration, messages),
        ...(roles ? differenceBlocks(roles.look, context) : []),
      ];
    case "running":
      return [[messages.t("restore-roles-running")], chosenLines(restoration, messages)];
    case "done":
      return doneBlocks(restoration, context);
    case "refused":
      return error
        ? [
            [
              messages.t("restore-card-look-failed", { reason: oneLine(reasonText(error, messages), longest.reason) }),
              ...reasonLines(error, messages).slice(1),
            ],
            [messages.t("restore-card-look-do")],
          ]
        : [];
    case "failed":
      return error
        ? [
            reasonLines(error, messages),
            [messages.t(error.code === "interrupted" ? "restore-roles-lost" : "restore-roles-failed")],
          ]
        : [];
    case "cancelled":
      return [
        [
          error
            ? messages.t("restore-card-failed", { reason: oneLine(reasonText(error, messages), longest.reason) })
            : messages.t("restore-card-cancelled", { by: cancelRequestedBy?.name ?? "?" }),
          messages.t("restore-roles-untouched"),
        ],
      ];
    case "expired":
      return [[messages.t("restore-card-expired")]];
    default:
      return [];
  }
}

/** Which ones somebody wants applied, while that can be said. */
export function rolesButtons({ roles }: Restoration, messages: Messages): CardButton[][] {
  if (!roles) return [];
  const missing = applicableRoles(roles.look, "missing").length;
  const altered = applicableRoles(roles.look, "all").length - missing;
  const rows: CardButton[][] = [];
  if (missing > 0)
    rows.push([
      { action: "missing", label: messages.plain("button-restore-roles-missing", { missing }), style: "danger" },
    ]);
  if (altered > 0) {
    const key = missing > 0 ? "button-restore-roles-all" : "button-restore-roles-altered";
    rows.push([{ action: "all", label: messages.plain(key, { missing, altered }), style: "danger" }]);
  }
  return rows;
}

function differenceBlocks(look: GlobalsLook, { messages }: RenderContext): string[][] {
  const { missing, different, extra, own, passwordsCompared } = look;
  const blocks: string[][] = [];
  const { locale } = messages;
  if (missing.length > 0)
    blocks.push([
      messages.t("restore-roles-missing", { count: formatCount(missing.length, locale) }),
      ...missing.slice(0, most.roles).map(({ role, has }) =>
        messages.t("restore-roles-role", {
          role: oneLine(role, longest.name),
          what: listOf(
            has.map((one) => valueWords(one, "backup", messages)),
            messages,
          ),
        }),
      ),
      ...moreLine(missing.length - most.roles, messages),
    ]);
  if (different.length > 0)
    blocks.push([
      messages.t("restore-roles-different", { count: formatCount(different.length, locale) }),
      ...different.slice(0, most.roles).map(({ role, changes }) =>
        messages.t(role === own ? "restore-roles-own" : "restore-roles-role", {
          role: oneLine(role, longest.name),
          what: listOf(
            changes.map((one) => changeWords(one, messages)),
            messages,
          ),
        }),
      ),
      ...moreLine(different.length - most.roles, messages),
    ]);
  const notes: string[] = [];
  if (extra.length > 0) notes.push(messages.t("restore-roles-extra", { list: named(extra, messages) }));
  if (!passwordsCompared) notes.push(messages.t("restore-roles-passwords"));
  return [...blocks, notes];
}

/** "PASSWORD", "CONNECTION LIMIT 7": what a role has, or had. */
function valueWords({ what, backup, live }: RoleChange, side: "backup" | "live", messages: Messages): string {
  const value = side === "backup" ? backup : live;
  if (what === "PASSWORD") return messages.plain("restore-roles-password");
  const name = oneLine(what, longest.name);
  if (value === "yes") return name;
  if (value === "no") return `NO${name}`;
  return `${name} ${oneLine(value, longest.value)}`;
}

/** What is otherwise: what is there now, and what the backup has. */
function changeWords(change: RoleChange, messages: Messages): string {
  const { what, backup, live } = change;
  if (what === "PASSWORD") return messages.plain("restore-roles-password-other");
  if (live === "") return messages.plain("restore-roles-plus", { what: valueWords(change, "backup", messages) });
  // Nothing is taken away.
  if (backup === "") return messages.plain("restore-roles-stays", { what: valueWords(change, "live", messages) });
  return messages.plain("restore-roles-to", {
    live: valueWords(change, "live", messages),
    backup: valueWords(change, "backup", messages),
  });
}

function chosenLines({ roles, scope }: Restoration, messages: Messages): string[] {
  if (!roles || scope === undefined) return [];
  const made = applicableRoles(roles.look, "missing");
  return givenLines(made, applicableRoles(roles.look, scope).slice(made.length), "to-be", messages);
}

function doneBlocks({ roles, applied }: Restoration, context: RenderContext): string[][] {
  const { messages } = context;
  if (!applied) return roles ? [[messages.t("restore-roles-same")], ...differenceBlocks(roles.look, context)] : [];
  const { made, altered, left } = applied;
  return [
    givenLines(made, altered, "were", messages),
    [
      left.length > 0
        ? messages.t("restore-roles-left", { list: named(left, messages) })
        : messages.t("restore-roles-compared"),
    ],
  ];
}

function givenLines(
  made: readonly string[],
  altered: readonly string[],
  when: "to-be" | "were",
  messages: Messages,
): string[] {
  const line = (what: "made" | "altered", names: readonly string[]): string[] =>
    names.length === 0
      ? []
      : [
          messages.t(`restore-roles-${what}-${when}`, {
            count: formatCount(names.length, messages.locale),
            list: named(names, messages),
          }),
        ];
  return [...line("made", made), ...line("altered", altered)];
}

function named(names: readonly string[], messages: Messages): string {
  const shown = names.slice(0, most.names).map((name) => oneLine(name, longest.name));
  const rest = names.length - shown.length;
  return [...shown, ...(rest > 0 ? [`+${formatCount(rest, messages.locale)}`] : [])].join(", ");
}

function listOf(words: readonly string[], messages: Messages): string {
  const shown = words.slice(0, most.changes);
  const rest = words.length - shown.length;
  return [...shown, ...(rest > 0 ? [`+${formatCount(rest, messages.locale)}`] : [])].join("; ");
}
