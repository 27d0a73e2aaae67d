import { formatCount, formatDuration, formatTime } from "../../messages/format.ts";
import type { Messages } from "../../messages/index.ts";
import { type BackupHealth, worstFirst } from "../../services/backup/health.ts";
import { nextRun } from "../../services/schedules.ts";
import type { StatusReport } from "../../services/status.ts";
import { countWords, healthMarks, lastGoodWords, reasonWords } from "../backup-words.ts";
import type { BotDeps } from "../context.ts";
import { oneLine } from "../foreign-text.ts";
import type { Command } from "./types.ts";

/** Backups that are named; of more of them only those that are not well. */
const mostNamed = 5;

/** /status: which processes are alive, and how the backups stand: in one glance, and the worst of them by name. */
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
      ...(report.backups.length === 0 ? [] : [backupLines(report.backups, texts, now, deps)]),
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

function backupLines(all: readonly BackupHealth[], texts: Messages, now: Date, deps: BotDeps): string[] {
  const wanted = (all.length <= mostNamed ? [...all] : all.filter(({ mark }) => mark !== "green")).toSorted(worstFirst);
  const named = wanted.slice(0, mostNamed);
  const more = wanted.length - named.length;
  return [
    texts.t("status-backups", { counts: countWords(all, texts) }),
    ...named.map((health) => backupLine(health, texts, now, deps)),
    more === 0 ? texts.t("status-more") : texts.t("status-more-bad", { count: formatCount(more, texts.locale) }),
  ];
}

function backupLine(health: BackupHealth, texts: Messages, now: Date, { config }: BotDeps): string {
  const { mark, latest } = health;
  const name = oneLine(health.name, 64);
  const last = lastGoodWords(health.lastGood, now, texts);
  const told = { ...health, reasons: health.reasons.filter((reason) => reason !== "never") };
  const reasons = reasonWords(told, texts, config.timezone);
  const none = health.reasons.includes("never") ? "status-backup-never" : "status-backup-unknown";
  const next = nextRun(config, health.name, now);
  const parts = [
    last === undefined ? texts.t(none, { name }) : texts.t("status-backup", { name, text: last }),
    ...(reasons === "" ? [] : [texts.t("status-reasons", { reasons })]),
    ...(latest?.status === "queued" || latest?.status === "running" ? [texts.t(`backups-run-${latest.status}`)] : []),
    ...(next ? [texts.t("status-next", { next: formatTime(next, texts.locale, config.timezone) })] : []),
  ];
  return `${healthMarks[mark]} ${parts.join(" · ")}`;
}
