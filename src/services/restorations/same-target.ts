import { AppError } from "../../core/errors.ts";
import type { ReplacementLook } from "../../core/replacement.ts";
import type { Restoration } from "../../core/restoration.ts";
import type { RestoreDeps } from "./deps.ts";
import { engineOf, lookWith } from "./engine.ts";

/**
 * What was restored lies where the configuration had its source then; that may be another one by now, and of that nothing is
 * taken back or dropped. @throws AppError conflict, naming both.
 */
export function requireSameTarget(
  { id, preflight }: Pick<Restoration, "id" | "preflight">,
  { identity, database }: Pick<ReplacementLook, "identity" | "database">,
): void {
  if (!preflight) return;
  const { system } = preflight.identity;
  const isOtherSystem = system !== undefined && identity.system !== undefined && system !== identity.system;
  if (!isOtherSystem && database === preflight.database) return;
  const text = { key: "error-restoration-other-target", args: { was: preflight.database, target: database } };
  throw new AppError("conflict", `restore ${id} was at another target than what is configured now`, { text });
}

/** The same where nobody has looked yet. What was never begun has no manifest here, and has left nothing. */
export async function findSameTarget(deps: RestoreDeps, restoration: Restoration, signal: AbortSignal): Promise<void> {
  const manifest = await deps.restorationStates.manifest(restoration.id);
  if (!manifest) return;
  requireSameTarget(restoration, await lookWith(engineOf(deps, restoration), manifest, { signal }));
}
