import { AppError, toAppError } from "../core/errors.ts";
import { reasonText } from "../messages/index.ts";
import { type AuditNote, entryOfNote, noteKeyIn, userName, writeNote } from "../services/audit/notes.ts";
import type { Storage } from "../storages/types.ts";
import type { Place } from "./place.ts";

/** Milliseconds for the note in the storage, and in which Redis has to answer. */
const noteMs = 30_000;
const answerMs = 1000;

/**
 * Leaves on record what was done: as a note in the storage, which remains when the machine is gone, and in the audit log
 * where the configured Redis answers; where it does not, a worker takes the note into it later. A storage that takes no note
 * is told; nothing of what was done fails for it.
 */
export async function leaveNote(
  { terminal, host, config }: Place,
  storage: Storage,
  folder: string,
  done: Omit<AuditNote, "version" | "by" | "at" | "host">,
): Promise<void> {
  const note = { ...done, at: new Date().toISOString(), host };
  try {
    await writeNote(storage, folder, note, AbortSignal.timeout(noteMs));
  } catch (error) {
    const reason = reasonText(toAppError(error), terminal.messages);
    terminal.complain("cli-restore-unaudited", { storage: storage.name, reason });
  }
  if (config === undefined) return;
  const { openAudit } = await import("./audit-redis.ts");
  try {
    await using opened = await openAudit(config, answerMs);
    const key = noteKeyIn(folder, note.at);
    await opened.audit.appendOnce(key, entryOfNote(key, { ...note, by: userName() }, { now: new Date() }));
  } catch (error) {
    // Redis is away, or its address is a secret that is not here: the note says it.
    if (!(error instanceof AppError)) throw error;
  }
}
