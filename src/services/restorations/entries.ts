import type { AuditEntry } from "../../core/audit.ts";
import type { Restoration } from "../../core/restoration.ts";
import type { Person } from "../../core/run.ts";

/** What the audit log says of a restore, in its own words: `audit-what-<what>`. */
export type RestoreEvent =
  | "requested"
  | "obstructed"
  | "cancelled"
  | "expired"
  | "began"
  | "resumed"
  | "programs-stopped"
  | "swapped"
  | "programs-started"
  | "done"
  | "failed"
  | "undo-requested"
  | "undone"
  | "undo-failed"
  | "drop-requested"
  | "dropped";

/** One line of the audit log about a restore. */
export function restoreEntry(
  { id, name, only, place, backup, host }: Restoration,
  what: RestoreEvent,
  now: Date,
  more: { readonly by?: Person | undefined; readonly why?: string; readonly host?: string } = {},
): AuditEntry {
  const { by, why } = more;
  const where = more.host ?? host;
  return {
    at: now.toISOString(),
    about: "restore",
    what,
    id,
    action: place,
    target: only === undefined ? name : `${name}/${only}`,
    ...(by ? { by } : {}),
    ...(why === undefined ? {} : { why }),
    ...(where === undefined ? {} : { host: where }),
    details: { backup },
  };
}
