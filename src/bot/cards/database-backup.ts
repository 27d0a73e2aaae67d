import { type DatabaseBackup, isOver } from "../../core/database-backup.ts";
import { formatBytes, formatDuration, formatTime } from "../../messages/format.ts";
import { type Messages, reasonOf } from "../../messages/index.ts";
import { oneLine } from "../foreign-text.ts";
import type { CardButton, CardKind, RenderContext } from "./types.ts";

/** The card of a backup that a provider makes of a managed database, from the order to its end. */
export const databaseBackupCard: CardKind<DatabaseBackup> = {
  kind: "database-backup",
  render: (order, context) => ({
    html: [[heading(order, context.messages)], state(order, context), footer(order, context)]
      .filter((block) => block.length > 0)
      .map((block) => block.join("\n"))
      .join("\n\n"),
    buttons: buttons(order, context.messages),
    // Whoever has asked for it waits for the end of something long.
    ...(isOver(order) ? { raise: order.status } : {}),
  }),
  actions: {
    list: {
      role: "viewer",
      toast: (_order, messages) => messages.plain("toast-database-backups"),
      run: async ({ account, database }, { open }) => {
        await open({ kind: "servers", state: { account, part: "databases", database: database.id } });
      },
    },
  },
};

function heading({ status, database, account }: DatabaseBackup, messages: Messages): string {
  return messages.t(`database-backup-title-${status}`, { name: oneLine(database.name, 64), account });
}

function state(order: DatabaseBackup, { messages, timezone, now }: RenderContext): string[] {
  const { status, backup, asked, unseen, error, createdAt, endedAt } = order;
  const { locale } = messages;
  const lines: string[] = [];
  if (status === "ordering") {
    const isAsked = asked.length > 0;
    lines.push(messages.t(isAsked ? "database-backup-unanswered" : "database-backup-asking"));
  }
  if (status === "making" && backup?.progress !== undefined)
    lines.push(messages.t("database-backup-progress", { bar: bar(backup.progress), percent: backup.progress }));
  if (status === "making" && !backup) lines.push(messages.t("database-backup-unnamed"));
  if (backup?.bytes !== undefined && backup.bytes > 0)
    lines.push(messages.t("database-backup-size", { size: formatBytes(backup.bytes, locale) }));
  const end = endedAt === undefined ? now : new Date(endedAt);
  const took = formatDuration(end.getTime() - Date.parse(createdAt), locale);
  lines.push(messages.t(isOver(order) ? "database-backup-took" : "database-backup-elapsed", { duration: took }));
  if (error) lines.push(messages.t("database-backup-error", { reason: reasonOf(error) }));
  if (status === "unclear") lines.push(messages.t("database-backup-unclear"));
  if (unseen) {
    const since = formatTime(new Date(unseen.since), locale, timezone);
    lines.push(messages.t("database-backup-unseen", { since, reason: reasonOf(unseen.error) }));
  }
  return lines;
}

function footer({ requestedBy, createdAt, comment, database }: DatabaseBackup, context: RenderContext): string[] {
  const { messages, timezone } = context;
  const at = formatTime(new Date(createdAt), messages.locale, timezone);
  return [
    messages.t("database-backup-by", { by: requestedBy?.name ?? "Vakhta", at }),
    messages.t("database-backup-comment", { comment, type: oneLine(database.type, 40) }),
    messages.t("managed-same-provider"),
  ];
}

function buttons({ status }: DatabaseBackup, messages: Messages): CardButton[][] {
  return status === "ordering" ? [] : [[{ action: "list", label: messages.plain("button-database-backups") }]];
}

const barLength = 10;

/** Ten fields; `percent`: 0 to 100. */
export function bar(percent: number): string {
  const full = Math.round((Math.min(100, Math.max(0, percent)) / 100) * barLength);
  return "▓".repeat(full) + "░".repeat(barLength - full);
}
