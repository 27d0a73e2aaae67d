import { userInfo } from "node:os";
import { redact } from "../../lib/redaction.ts";
import type { Storage } from "../../storages/types.ts";

/** What was done with a backup away from Redis and the bot. */
export interface AuditLine {
  readonly action: "restore" | "restore-files";
  /** ISO 8601. */
  readonly at: string;
  readonly host: string;
  /** Where to; never with a password. */
  readonly to: string;
  readonly outcome: "restored" | "differs" | "failed";
}

/**
 * Puts a line beside a backup, `audit-<time>.json`: the storage is what remains when the machine is gone. Rejects where
 * nothing may be written there, which takes nothing from the restore.
 */
export async function recordAudit(
  storage: Storage,
  folder: string,
  line: AuditLine,
  signal: AbortSignal,
): Promise<void> {
  const time = line.at.replaceAll(/[-:.]/g, "");
  const text = JSON.stringify({ version: 1, ...line, to: redact(line.to), by: userName() }, undefined, 2);
  await storage.put(`${folder}audit-${time}.json`, new TextEncoder().encode(`${text}\n`), signal);
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A user without an entry in passwd, as in containers.
    return String(process.getuid?.() ?? "");
  }
}
