import { storedBytes } from "../../core/run.ts";
import { formatBytes, formatCount, formatDuration } from "../../messages/format.ts";
import { type BackupHealth, readHealth, worstFirst } from "../../services/backup/health.ts";
import { nextRun } from "../../services/schedules.ts";
import {
  countWords,
  healthMarks,
  lastGoodWords,
  reasonWords,
  sparkline,
  storageLabel,
  timeOf,
} from "../backup-words.ts";
import { cut, oneLine } from "../foreign-text.ts";
import type { BackupsState, BackupsViewDeps } from "./backups.ts";
import { digestOf, pageOf, pageRow } from "./pages.ts";
import type { ViewButton, ViewContext, ViewShown } from "./types.ts";

const namesPerPage = 4;
/** As long as the label of a button on a phone may be. */
const longestLabel = 30;
/** How many backups the charts show. */
const trendLength = 14;

/** Every backup, worst first, a block of lines each. */
export async function backupsOverview(
  { filter, page: wanted }: BackupsState,
  { messages, now }: ViewContext,
  deps: BackupsViewDeps,
): Promise<ViewShown> {
  const { timezone } = deps.config;
  const all = (await readHealth(deps, filter)).toSorted(worstFirst);
  const { page, pages, from } = pageOf(wanted, all.length, namesPerPage);
  const shown = all.slice(from, from + namesPerPage);
  const head = [
    all.length === 0
      ? messages.t(filter === undefined ? "backups-none" : "backups-none-such")
      : messages.t("backups-title", { counts: countWords(all, messages) }),
    ...(filter === undefined ? [] : [messages.t("backups-filter", { filter: oneLine(filter, 80) })]),
  ].join("\n");
  const numbers = { page: formatCount(page + 1, messages.locale), pages: formatCount(pages, messages.locale) };
  const foot = [seenLine(shown, messages, timezone), ...(pages > 1 ? [messages.t("backups-page", numbers)] : [])];
  const blocks = shown.map((health) => healthLines(health, { messages, now }, deps).join("\n"));
  const rows: ViewButton[][] = shown.map(({ name, mark }) => [
    { what: `name-${digestOf(name)}`, label: `${healthMarks[mark]} ${cut(name, longestLabel)}` },
  ]);
  rows.push([...pageRow(page, pages, messages), { what: "refresh", label: messages.plain("button-refresh") }]);
  return { html: [head, ...blocks, foot.filter((line) => line !== "").join(" · ")].join("\n\n"), rows };
}

/** Of when all of this is: the look that is longest ago. */
export function seenLine(shown: readonly BackupHealth[], messages: ViewContext["messages"], timezone: string): string {
  if (shown.length === 0) return "";
  const times = shown.flatMap(({ seenAt }) => seenAt ?? []);
  if (times.length < shown.length) return messages.t("backups-seen-not");
  const oldest = new Date(Math.min(...times.map(Number)));
  return messages.t("backups-seen", { at: timeOf(oldest.toISOString(), messages, timezone) });
}

/** How a backup stands, in lines. */
export function healthLines(
  health: BackupHealth,
  { messages, now }: Pick<ViewContext, "messages" | "now">,
  deps: BackupsViewDeps,
): string[] {
  const { name, mark } = health;
  const reasons = reasonWords(health, messages, deps.config.timezone);
  const none = health.reasons.includes("never") ? "backups-last-none" : "backups-last-unknown";
  const head = { mark: healthMarks[mark], name: oneLine(name, 64) };
  const last = lastGoodWords(health.lastGood, now, messages);
  return [
    reasons === "" ? messages.t("backups-name", head) : messages.t("backups-name-why", { ...head, reasons }),
    last === undefined ? messages.t(none) : messages.t("backups-last", { last }),
    ...proofLine(health, { messages, now }, deps),
    ...copiesLine(health, messages, deps),
    ...nextLine(health, { messages, now }, deps),
    ...trendLines(health, messages),
  ];
}

function proofLine(
  { proven, damaged, lastGood }: BackupHealth,
  { messages, now }: Pick<ViewContext, "messages" | "now">,
  { config }: BackupsViewDeps,
): string[] {
  const age = (at: string): string => formatDuration(now.getTime() - Date.parse(at), messages.locale);
  const of = (iso: string): string => timeOf(iso, messages, config.timezone);
  const lines: string[] = [];
  if (damaged) {
    const { proof, entry } = damaged;
    const args = { storage: proof.storage, age: age(proof.at), at: of(entry.manifest.startedAt) };
    lines.push(messages.t("backups-damaged", args));
  }
  if (proven) {
    const { proof, entry } = proven;
    const args = { depth: { key: `depth-${proof.depth}` }, age: age(proof.at), at: of(entry.manifest.startedAt) };
    // Another one than the last good one: that must not be taken for proven.
    lines.push(messages.t(entry.folder === lastGood?.folder ? "backups-proven" : "backups-proven-other", args));
  }
  return lines;
}

function copiesLine(
  { name, stored, missing, unseen, lastGood }: BackupHealth,
  messages: ViewContext["messages"],
  { config }: BackupsViewDeps,
): string[] {
  const label = (storage: string): string => storageLabel(config, storage, { name, host: lastGood?.manifest.host });
  const isSeen = (storage: string): boolean => unseen.every((one) => one.storage !== storage);
  const unknown = unseen.map(({ storage }) => storage).filter((storage) => !missing.includes(storage));
  const copies = [
    ...stored.filter(isSeen).map((storage) => `✓ ${label(storage)}`),
    ...(lastGood ? unknown.map((storage) => `? ${label(storage)}`) : []),
    ...missing.map((storage) => `✗ ${label(storage)}`),
  ];
  return copies.length === 0 ? [] : [messages.t("backups-copies", { copies: copies.join(" · ") })];
}

function nextLine(
  { name, latest }: BackupHealth,
  { messages, now }: Pick<ViewContext, "messages" | "now">,
  { config }: BackupsViewDeps,
): string[] {
  if (latest?.status === "running" || latest?.status === "queued") return [messages.t(`backups-run-${latest.status}`)];
  const next = nextRun(config, name, now);
  if (!next) return [messages.t("backups-next-none")];
  return [messages.t("backups-next", { next: timeOf(next.toISOString(), messages, config.timezone) })];
}

/** Sizes and durations of the newest good ones, by the storages and the runs on record. */
function trendLines({ entries, runs }: BackupHealth, messages: ViewContext["messages"]): string[] {
  const { locale } = messages;
  const manifests = new Map(entries.map(({ folder, manifest }) => [folder, manifest]));
  for (const { status, folder, manifest } of runs)
    if (manifest && folder !== undefined && (status === "succeeded" || status === "degraded"))
      manifests.set(folder, manifest);
  const newest = [...manifests.values()].toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1)).slice(-trendLength);
  const last = newest.at(-1);
  if (!last || newest.length < 2) return [];
  const durationOf = ({ startedAt, finishedAt }: typeof last): number => Date.parse(finishedAt) - Date.parse(startedAt);
  return [
    messages.t("backups-trend-size", {
      chart: sparkline(newest.map(storedBytes)),
      value: formatBytes(storedBytes(last), locale),
    }),
    messages.t("backups-trend-time", {
      chart: sparkline(newest.map(durationOf)),
      value: formatDuration(durationOf(last), locale),
    }),
  ];
}
