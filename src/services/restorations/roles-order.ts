import { AppError } from "../../core/errors.ts";
import type { GlobalsScope } from "../../core/globals.ts";
import type { Restoration, RolesFound } from "../../core/restoration.ts";

/** By what it is told that the backup, the server, and how its roles differ are those that were looked at. */
export function rolesIdentityOf({ look, digest }: Pick<RolesFound, "look" | "digest">, manifest: string) {
  return { manifest, ...(look.system === undefined ? {} : { system: look.system }), roles: digest };
}

/** What an approval of it is bound to, beside the target. @throws AppError internal where nothing was chosen. */
export function rolesArgs({ id, name, backup, scope }: Restoration, chosen: GlobalsScope | undefined = scope) {
  if (chosen === undefined) throw new AppError("internal", `nobody has chosen which roles restore ${id} gives`);
  return { restoration: id, name, backup, scope: chosen };
}
