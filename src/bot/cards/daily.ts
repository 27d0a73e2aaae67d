import type { Config } from "../../app/config.ts";
import type { DailyReport } from "../../core/daily.ts";
import { formatCount } from "../../messages/format.ts";
import type { Messages } from "../../messages/index.ts";
import { oneLine } from "../foreign-text.ts";
import { type Reader, timeText, titleLimits, titleOf } from "../incident-text.ts";
import type { CardKind } from "./types.ts";

/** The card of the day: in five lines, that all is well or what is not. Its coming is the proof that we live. */
export function dailyCard({ config }: { readonly config: Pick<Config, "timezone"> }): CardKind<DailyReport> {
  return {
    kind: "daily",
    render: (report, { messages }) => {
      const reader: Reader = { messages, timezone: config.timezone };
      const { backups, incidents } = report;
      const lines = [
        overall(report, reader),
        open(report, reader),
        ...(backups.length > 0 ? [backupLine(report, messages)] : []),
        processLine(report, messages),
        lastDay(report, messages),
      ];
      const hasOpen = incidents.critical + incidents.warning + incidents.info > 0;
      return {
        html: lines.join("\n"),
        buttons: hasOpen ? [[{ action: "alerts", label: messages.plain("button-alerts") }]] : [],
      };
    },
    actions: {
      alerts: {
        role: "viewer",
        toast: (_report, messages) => messages.plain("toast-details"),
        run: async (_report, { open: openView }) => await openView({ kind: "alerts", state: {} }),
      },
    },
  };
}

/** Names on one line; more are counted. */
const mostNames = 5;

/** What is not well, as plain phrases. */
function troubles({ incidents, backups, processes }: DailyReport, messages: Messages): string[] {
  const counted = (key: string, n: number): string[] =>
    n > 0 ? [messages.plain(key, { n, text: formatCount(n, messages.locale) })] : [];
  return [
    ...counted("count-critical", incidents.critical),
    ...counted("count-warning", incidents.warning),
    ...counted("daily-still-reported", incidents.stillReported ?? 0),
    ...counted("daily-bad-backups", backups.filter(({ state }) => state !== "good").length),
    ...(processes.bots > 0 ? [] : [messages.plain("daily-no-bot")]),
    ...(processes.workers > 0 ? [] : [messages.plain("daily-no-worker")]),
  ];
}

function overall(report: DailyReport, reader: Reader): string {
  const { messages } = reader;
  const bad = troubles(report, messages);
  const at = timeText(report.at, reader);
  return bad.length === 0
    ? messages.t("daily-well", { at })
    : messages.t("daily-unwell", { at, troubles: bad.join(", ") });
}

function open({ incidents }: DailyReport, reader: Reader): string {
  const { messages } = reader;
  const counts = (["critical", "warning", "info"] as const)
    .filter((severity) => incidents[severity] > 0)
    .map((severity) => {
      const n = incidents[severity];
      return messages.plain(`count-${severity}`, { n, text: formatCount(n, messages.locale) });
    });
  if (counts.length === 0) return messages.t("daily-none-open");
  const { oldest } = incidents;
  if (!oldest) return messages.t("daily-open", { counts: counts.join(", ") });
  const title = titleOf(oldest, messages, titleLimits.list);
  return messages.t("daily-open-oldest", { counts: counts.join(", "), title, since: timeText(oldest.since, reader) });
}

/** Worst first. */
const states = ["damaged", "failed", "never", "overdue", "unseen", "degraded", "small", "unproven", "good"] as const;

function backupLine({ backups }: DailyReport, messages: Messages): string {
  const parts = states.flatMap((state) => {
    const those = backups.filter((backup) => backup.state === state);
    const names = those.map(({ name }) => oneLine(name, 40));
    if (names.length === 0) return [];
    const count = formatCount(names.length, messages.locale);
    const storages = listed([...new Set(those.flatMap((backup) => backup.storages ?? []))], messages);
    // What is well needs no names.
    const args = { n: names.length, count, names: listed(names, messages), storages };
    return [messages.plain(`daily-backups-${state}`, args)];
  });
  return messages.t("daily-backups", { parts: parts.join("; ") });
}

function listed(names: readonly string[], messages: Messages): string {
  const more = names.length - mostNames;
  const shown = names.slice(0, mostNames).join(", ");
  return more > 0 ? `${shown} ${messages.plain("list-more", { count: formatCount(more, messages.locale) })}` : shown;
}

function processLine({ processes }: DailyReport, messages: Messages): string {
  const { bots, workers } = processes;
  return messages.t("daily-processes", { bots, workers });
}

function lastDay({ day }: DailyReport, messages: Messages): string {
  const count = (key: string, n: number): string => messages.plain(key, { n, text: formatCount(n, messages.locale) });
  const parts = [
    count("daily-opened", day.opened),
    count("daily-resolved", day.resolved),
    ...(day.closed ? [count("daily-closed", day.closed)] : []),
    ...(day.noted ? [count("count-noted", day.noted)] : []),
    ...(day.storms > 0 ? [count("daily-storms", day.storms)] : []),
    count("daily-runs", day.backups),
    ...(day.failedBackups > 0 ? [count("daily-failed-runs", day.failedBackups)] : []),
  ];
  return messages.t("daily-day", { parts: parts.join(", ") });
}
