import type { AuditEntry } from "../../core/audit.ts";
import type { PowerOrder } from "../../core/power.ts";
import type { Person } from "../../core/run.ts";
import type { Text } from "../../core/text.ts";
import { stamp } from "../stamp.ts";

/** What the audit log says of an order beside what it says of its approval: `audit-what-<what>`. */
export type PowerEvent =
  | "requested"
  | "obstructed"
  | "cancelled"
  | "expired"
  | "ordered"
  | "ordered-again"
  | "unclear"
  | "failed"
  | "late"
  | "done"
  | "lost";

/** One line of the audit log about a server's power. */
export function powerEntry(
  { id, server, action, trigger }: PowerOrder,
  what: PowerEvent,
  now: Date,
  more: { readonly by?: Person | undefined; readonly why?: string; readonly host?: string } = {},
): AuditEntry {
  const { by, why, host } = more;
  return {
    at: now.toISOString(),
    about: "power",
    what,
    id,
    action,
    target: server,
    ...(by ? { by } : {}),
    ...(why === undefined ? {} : { why }),
    ...(host === undefined ? {} : { host }),
    ...(trigger === "recovery" ? { details: { trigger } } : {}),
  };
}

/** What is to be done, for an approval's card. */
export function titleOf({ action, server }: Pick<PowerOrder, "action" | "server">): Text {
  return { key: `power-order-${action}`, args: { server } };
}

/** What people should know before they agree, a line each. */
export function detailsOf({ look, why = [], server }: PowerOrder, timezone: string): Text[] {
  if (!look) return [...why];
  const { work, incidentCount, lastReboot, isOnlyWorker } = look;
  const names = work.map(({ name }) => name).join(", ");
  return [
    ...why,
    ...(work.length > 0 ? [{ key: "power-detail-work", args: { count: work.length, names } }] : []),
    ...(isOnlyWorker ? [{ key: "power-only-worker", args: { server } }] : []),
    ...(incidentCount > 0 ? [{ key: "power-detail-incidents", args: { count: incidentCount } }] : []),
    ...(lastReboot
      ? [{ key: "power-detail-last", args: { at: stamp(new Date(lastReboot.at), timezone), by: lastReboot.by } }]
      : []),
  ];
}
