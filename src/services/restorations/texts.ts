import { applicableRoles, type GlobalsScope } from "../../core/globals.ts";
import type { Restoration } from "../../core/restoration.ts";
import type { Text } from "../../core/text.ts";
import { stamp } from "../stamp.ts";

/** So many roles are named to those who approve. */
const mostNamed = 30;

/** What is typed to confirm it, and by what two restores of the same are told: the backup, of several databases the one. */
export function typedName({ name, only }: Pick<Restoration, "name" | "only">): string {
  return only === undefined ? name : `${name}/${only}`;
}

/** What is to be done, in a few words. */
export function titleOf(restoration: Restoration, timezone: string): Text {
  const { place, name, backupAt, preflight, only, pick } = restoration;
  const target = preflight?.database ?? restoration.to ?? only ?? name;
  const args = { target, name, at: stamp(new Date(backupAt), timezone), pick: pick ?? "" };
  return { key: `restoration-title-${place}${pick === undefined ? "" : "-part"}`, args };
}

/** What would be done with roles. */
export function rolesTitle({ name, backupAt, roles }: Restoration, scope: GlobalsScope, timezone: string): Text {
  const args = { name, at: stamp(new Date(backupAt), timezone), server: roles?.look.server ?? "?" };
  return { key: `restoration-title-globals-${scope}`, args };
}

/** Each role that would be made or altered. */
export function rolesDetails(
  { roles, id, backup, backupAt }: Restoration,
  scope: GlobalsScope,
  timezone: string,
): Text[] {
  if (!roles) return [];
  const { look, location } = roles;
  const made = applicableRoles(look, "missing");
  const altered = applicableRoles(look, scope).slice(made.length);
  const at = stamp(new Date(backupAt), timezone);
  const list = (names: readonly string[]) => ({ count: names.length, list: names.slice(0, mostNamed).join(", ") });
  return [
    { key: "restoration-detail-backup", args: { backup, at, from: location } },
    ...(made.length > 0 ? [{ key: "restoration-detail-roles-made", args: list(made) }] : []),
    ...(altered.length > 0 ? [{ key: "restoration-detail-roles-altered", args: list(altered) }] : []),
    { key: "restoration-detail-roles-kept" },
    { key: "restoration-detail-id", args: { id } },
  ];
}

/** What those who approve have to know, a line each; the restore's own card says more. */
export function detailsOf(restoration: Restoration, timezone: string): Text[] {
  const { preflight, place, before, id, backup, backupAt } = restoration;
  if (!preflight) return [];
  const lines: Text[] = [
    {
      key: "restoration-detail-backup",
      args: { backup, at: stamp(new Date(backupAt), timezone), from: preflight.location },
    },
  ];
  if (place === "in-place") {
    lines.push(
      preflight.lostTotal > 0
        ? { key: "restoration-detail-lost", args: { count: preflight.lostTotal, list: lostList(preflight.lost) } }
        : { key: "restoration-detail-nothing-lost" },
    );
    lines.push({
      key: `restoration-detail-back-${preflight.wayBack === "former" && before === "off" ? "none" : preflight.wayBack}`,
    });
    if (before === "off") lines.push({ key: "restoration-detail-no-backup" });
    const sessions = preflight.sessions.reduce((sum, { count }) => sum + count, 0);
    if (sessions > 0) lines.push({ key: "restoration-detail-sessions", args: { count: sessions } });
  }
  lines.push({ key: "restoration-detail-id", args: { id } });
  return lines;
}

/** "orders 120, items 40" */
function lostList(lost: NonNullable<Restoration["preflight"]>["lost"]): string {
  return lost
    .slice(0, 3)
    .map(({ what, live, backup }) => `${what} ${live - (backup ?? 0)}`)
    .join(", ");
}

/** What taking it back would lose. */
export function undoDetails({ undo, preflight, id }: Restoration): Text[] {
  const { changes } = undo ?? {};
  const list = (changes?.changed ?? [])
    .slice(0, 3)
    .map(({ what, written, gone = 0 }) => `${what} ${written + gone}`)
    .join(", ");
  return [
    changes && changes.changedTotal > 0
      ? { key: "restoration-detail-undo-lost", args: { written: changes.written, gone: changes.gone, list } }
      : { key: "restoration-detail-undo-nothing" },
    { key: `restoration-detail-undo-${preflight?.wayBack ?? "kept"}` },
    { key: "restoration-detail-id", args: { id } },
  ];
}
