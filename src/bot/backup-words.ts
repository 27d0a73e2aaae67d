import type { Config } from "../app/config.ts";
import { storedBytes } from "../core/run.ts";
import { formatBytes, formatCount, formatDuration, formatTime } from "../messages/format.ts";
import { type Messages, reasonText } from "../messages/index.ts";
import type { BackupHealth, HealthMark, HealthReason } from "../services/backup/health.ts";
import type { LastGood } from "../services/backup/last-good.ts";
import type { Unseen } from "../services/backup/unseen.ts";
import { hostOfCopies } from "../services/places.ts";
import { oneLine } from "./foreign-text.ts";

export const healthMarks: Readonly<Record<HealthMark, string>> = { red: "🔴", amber: "🟡", green: "🟢" };

/** Of why a storage cannot be looked at, as much is shown among other reasons. */
const longestReason = 160;

/** What is said against a backup, worst first, as plain text; "" when nothing is. */
export function reasonWords({ reasons, missing, unseen }: BackupHealth, messages: Messages, timezone: string): string {
  // One that is too old for its limit is late as well.
  const isSaid = (reason: HealthReason): boolean => reason !== "late" || !reasons.includes("too-old");
  return reasons
    .filter(isSaid)
    .flatMap((reason) =>
      reason === "unseen"
        ? unseen.map((one) => unseenWords(one, messages, timezone))
        : [messages.plain(`health-${reason}`, { storages: oneLine(missing.join(", "), 80) })],
    )
    .join(", ");
}

/** Why a storage cannot be looked at: "offsite could not be looked at since 03:12: the storage does not answer". */
function unseenWords(
  { storage, why, since, error, unreadable = 0 }: Unseen,
  messages: Messages,
  timezone: string,
): string {
  const time = since === undefined ? "" : timeOf(since, messages, timezone);
  switch (why) {
    case "failed": {
      const reason = error ? oneLine(reasonText(error, messages), longestReason) : "";
      return messages.plain("health-unseen", { storage, since: time, reason });
    }
    case "old":
      return messages.plain("health-unseen-old", { storage, since: time });
    case "yet":
      return messages.plain("health-unseen-yet", { storage });
    case "unreadable":
      return messages.plain("health-unseen-unreadable", {
        storage,
        n: unreadable,
        count: formatCount(unreadable, messages.locale),
      });
  }
}

/** The last good one: "3h ago, 25.6 MB"; undefined when there is none. */
export function lastGoodWords(lastGood: LastGood | undefined, now: Date, messages: Messages): string | undefined {
  if (!lastGood) return undefined;
  const age = formatDuration(now.getTime() - Date.parse(lastGood.manifest.finishedAt), messages.locale);
  return messages.plain("backup-last", { age, size: formatBytes(storedBytes(lastGood.manifest), messages.locale) });
}

/** How many backups there are of each mark: "🔴 2 · 🟡 1 · 🟢 297"; those of which there are none left out. */
export function countWords(all: readonly BackupHealth[], messages: Messages): string {
  return (["red", "amber", "green"] as const)
    .map((mark) => ({ mark, count: all.filter((one) => one.mark === mark).length }))
    .filter(({ count }) => count > 0)
    .map(({ mark, count }) => `${healthMarks[mark]} ${new Intl.NumberFormat(messages.locale).format(count)}`)
    .join(" · ");
}

/** A storage as the chat names it: a disk of a worker with its host, "local@db-1". */
export function storageLabel(
  config: Pick<Config, "backups" | "storages">,
  storage: string,
  { name, host }: { readonly name: string; readonly host?: string | undefined },
): string {
  if (config.storages[storage]?.kind !== "local") return storage;
  const where = hostOfCopies(config, storage, name) ?? host;
  return where === undefined ? storage : `${storage}@${oneLine(where, 40)}`;
}

const bars = ["▁", "▂", "▃", "▄", "▅", "▆", "▇"] as const;

/** A chart in one line, oldest first: each value's part of the largest one. */
export function sparkline(values: readonly number[]): string {
  const top = Math.max(...values, 0);
  return values
    .map(
      (value) => bars[top <= 0 ? 0 : Math.min(bars.length - 1, Math.floor((Math.max(0, value) / top) * bars.length))],
    )
    .join("");
}

/** A time of a backup for a reader. */
export function timeOf(iso: string, messages: Messages, timezone: string): string {
  return formatTime(new Date(iso), messages.locale, timezone);
}
