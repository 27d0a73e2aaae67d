import { userInfo } from "node:os";
import { buffer } from "node:stream/consumers";
import { z } from "zod";
import type { AuditEntry } from "../../core/audit.ts";
import { type AppError, toAppError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import type { Logger } from "../../lib/logger.ts";
import { redact } from "../../lib/redaction.ts";
import type { Audit } from "../../state/audit.ts";
import type { Storage } from "../../storages/types.ts";

const schema = z.object({
  version: z.literal(1),
  action: z.enum(["restore", "restore-files", "prune"]),
  /** ISO 8601. */
  at: z.iso.datetime(),
  host: z.string().max(253),
  /** Name of the user of that machine. */
  by: z.string().max(256),
  outcome: z.enum(["restored", "differs", "failed", "removed"]),
  /** Where to it was restored; never with a password. */
  to: z.string().max(2048).exactOptional(),
  /** How many backups were removed, of which storage. */
  removed: z.int().positive().exactOptional(),
  storage: z.string().max(1024).exactOptional(),
});

/** What somebody at a command line has done with a backup, or with those of a name. */
export type AuditNote = z.output<typeof schema>;

/** Larger than any note: not read. Bytes. */
const mostBytes = 16_384;
const noteKey = /^([a-z0-9][a-z0-9_-]{0,62})\/(?:\d{8}T\d{6}Z-([0-9a-z]+)\/)?audit-\d{8}T\d{9}Z\.json$/;

/** Whether a key is that of a note: beside a backup, or beside the backups of a name. */
export function isNote(key: string): boolean {
  return noteKey.test(key);
}

/** The user of this machine, as the system knows them. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A user without an entry in passwd, as in containers.
    return String(process.getuid?.() ?? "");
  }
}

/**
 * Puts a note into a folder of a storage, `audit-<time>.json`: the storage is what remains when the machine is gone.
 * Resolves with its key. Rejects where nothing may be written there, which takes nothing from what was done.
 */
export async function writeNote(
  storage: Storage,
  folder: string,
  note: Omit<AuditNote, "version" | "by">,
  signal: AbortSignal,
): Promise<string> {
  const key = noteKeyIn(folder, note.at);
  const to = note.to === undefined ? {} : { to: redact(note.to) };
  const text = JSON.stringify({ version: 1, ...note, ...to, by: userName() }, undefined, 2);
  await storage.put(key, new TextEncoder().encode(`${text}\n`), signal);
  return key;
}

/** Where a note of that moment lies. */
export function noteKeyIn(folder: string, at: string): string {
  return `${folder}audit-${at.replaceAll(/[-:.]/g, "")}.json`;
}

/**
 * The entry that a note becomes. Its time is that of its coming into the log: when it was done is what the note says, and
 * whoever can write to the storage could have written it.
 */
export function entryOfNote(key: string, note: Omit<AuditNote, "version">, options: NoteContext): AuditEntry {
  const [, name = "", id] = noteKey.exec(key) ?? [];
  const { action, at, host, by, outcome, to, removed, storage } = note;
  const what = {
    restored: "restored-by-hand",
    differs: "restored-differs",
    failed: "restore-failed",
    removed: "removed",
  };
  return {
    at: options.now.toISOString(),
    about: "cli",
    what: what[outcome],
    action,
    target: name,
    host,
    ...(id === undefined ? {} : { id }),
    ...(removed === undefined ? {} : { count: removed }),
    details: {
      user: by,
      ...(to === undefined ? {} : { to: redact(to) }),
      ...(storage === undefined ? {} : { storage }),
      ...(options.foundIn === undefined ? {} : { done: at, note: `${options.foundIn}: ${key}` }),
    },
  };
}

export interface NoteContext {
  readonly now: Date;
  /** The storage in which it was found later; undefined: it is written as it is done. */
  readonly foundIn?: string;
}

export interface AuditNotesDeps {
  readonly audit: Pick<Audit, "appendOnce" | "unknownOf">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Takes what was done at command lines into the audit log: each note that lies in a storage, once, whatever workers look
 * at the same time. What makes no sense is left and said in the log file.
 */
export class AuditNotes {
  readonly #deps: AuditNotesDeps;

  constructor(deps: AuditNotesDeps) {
    this.#deps = deps;
  }

  /** Resolves with how many were new. A storage that fails in between is asked again at its next look. */
  async take(storage: Storage, keys: readonly string[], signal: AbortSignal): Promise<number> {
    const { audit, clock, logger } = this.#deps;
    let taken = 0;
    for (const key of await audit.unknownOf(keys.toSorted())) {
      const note = await readNote(storage, key, signal);
      if (note === undefined) {
        logger.warn({ storage: storage.name, key }, "this note makes no sense and is not in the audit log");
        continue;
      }
      const entry = entryOfNote(key, note, { now: clock.now(), foundIn: storage.name });
      if (await audit.appendOnce(key, entry)) taken++;
    }
    if (taken > 0)
      logger.info({ storage: storage.name, notes: taken }, "notes of command lines taken into the audit log");
    return taken;
  }
}

async function readNote(storage: Storage, key: string, signal: AbortSignal): Promise<AuditNote | undefined> {
  try {
    const there = await storage.head(key, signal);
    if (!there || there.bytes > mostBytes) return undefined;
    const note = schema.safeParse(JSON.parse((await buffer(await storage.read(key, signal))).toString("utf8"))).data;
    return note && noteKeyIn(key.slice(0, key.lastIndexOf("/") + 1), note.at) === key ? note : undefined;
  } catch (error) {
    const failure: AppError = toAppError(error);
    if (error instanceof SyntaxError || failure.code === "not-found") return undefined;
    throw error;
  }
}
