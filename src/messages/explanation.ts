import type { DecidedBackup, KeepReason } from "../core/retention.ts";
import { formatBytes, formatTime } from "./format.ts";
import type { Messages } from "./index.ts";

export interface ExplanationAbout {
  readonly name: string;
  readonly storage: string;
  readonly policy: string;
  readonly timezone: string;
  /** When it was read, where that was not just now. */
  readonly readAt?: Date | undefined;
}

/** The decision of the retention for every backup, one line each, newest first, plain text. */
export function explanationLines(
  backups: readonly DecidedBackup[],
  about: ExplanationAbout,
  messages: Messages,
): string[] {
  const { name, storage, policy, timezone, readAt } = about;
  const time = (at: Date): string => formatTime(at, messages.locale, timezone);
  const stay = backups.filter(({ stays }) => stays).length;
  const heading = messages.plain("retention-heading", { name, storage, policy, stay, go: backups.length - stay });
  const lines = backups.map(({ id, startedAt, bytes, stays, sound, reasons }) => {
    const words = [
      messages.plain(stays ? "retention-stays" : "retention-goes"),
      ...(sound ? [] : [messages.plain("retention-unsound")]),
      ...reasons.map((reason) => reasonLine(reason, time, messages)),
    ];
    return [id, time(startedAt), formatBytes(bytes, messages.locale), words.join(", ")].join("  ");
  });
  return [heading, ...(readAt ? [messages.plain("retention-as-known", { at: time(readAt) })] : []), "", ...lines];
}

/** Why a backup stays, in words. */
export function reasonLine(reason: KeepReason, time: (at: Date) => string, messages: Messages): string {
  return messages.plain(`retention-reason-${reason.kind}`, {
    period: "period" in reason ? reason.period : "",
    by: "by" in reason ? runOf(reason.by) : "",
    until: "until" in reason ? time(reason.until) : "",
  });
}

/** The run id in a folder's name. */
function runOf(folder: string): string {
  return folder.replace(/\/$/, "").split("-").at(-1) ?? folder;
}
