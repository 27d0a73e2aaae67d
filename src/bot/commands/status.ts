import { type BackupRun, storedBytes } from "../../core/run.ts";
import { formatBytes, formatDuration, formatTime } from "../../messages/format.ts";
import type { Messages } from "../../messages/index.ts";
import type { StatusReport } from "../../services/status.ts";
import type { Command } from "./types.ts";

/** /status: which processes are alive, and each backup in one line. */
export const status: Command = {
  name: "status",
  role: "viewer",
  late: "run",
  run: async (ctx, _argument, deps) => {
    const report = await deps.status();
    const now = deps.clock.now();
    const { texts } = ctx;
    const blocks = [
      [texts.t("status-title")],
      processLines(report, texts, now),
      report.backups.map((backup) => backupLine(backup, texts, now, deps.config.timezone)),
    ];
    const text = blocks.map((lines) => lines.join("\n")).join("\n\n");
    await ctx.reply(text.trimEnd(), { parse_mode: "HTML" });
  },
};

function processLines(report: StatusReport, texts: Messages, now: Date): string[] {
  return (["bot", "worker"] as const).flatMap((role) => {
    const alive = report.processes.filter((presence) => presence.role === role);
    if (alive.length === 0) return [texts.t(`status-no-${role}`)];
    return alive.map((presence) =>
      texts.t("status-process", {
        role: texts.plain(`process-${role}`),
        host: presence.host,
        up: formatDuration(now.getTime() - Date.parse(presence.startedAt), texts.locale),
      }),
    );
  });
}

function backupLine(backup: StatusReport["backups"][number], texts: Messages, now: Date, timezone: string): string {
  const { name, lastGood, latest, next } = backup;
  const parts = [lastGood?.manifest ? goodText(lastGood, texts, now) : texts.t("status-backup-never", { name })];
  if (lastGood?.manifest) parts[0] = texts.t("status-backup", { name, text: goodText(lastGood, texts, now) });
  if (latest && latest.id !== lastGood?.id) parts.push(texts.t(`status-latest-${latest.status}`));
  else if (latest?.status === "degraded") parts.push(texts.t("status-latest-degraded"));
  if (next) parts.push(texts.t("status-next", { next: formatTime(next, texts.locale, timezone) }));
  return `${mark(lastGood, latest)} ${parts.join(" · ")}`;
}

function goodText(run: BackupRun, texts: Messages, now: Date): string {
  if (!run.manifest) return "";
  const age = formatDuration(now.getTime() - Date.parse(run.manifest.finishedAt), texts.locale);
  return texts.plain("backup-last", { age, size: formatBytes(storedBytes(run.manifest), texts.locale) });
}

function mark(lastGood: BackupRun | undefined, latest: BackupRun | undefined): string {
  if (!lastGood || latest?.status === "failed") return "🔴";
  return latest?.status === "degraded" || latest?.status === "cancelled" ? "🟡" : "🟢";
}
