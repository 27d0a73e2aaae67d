import type { Clock } from "../../core/ports.ts";
import type { Runs } from "../../state/runs.ts";
import type { Orphan } from "../catalogue.ts";
import { type Removal, requireLease } from "./removal.ts";
import type { RetentionLook } from "./retention.ts";

/**
 * Parts without a manifest have to be seen unchanged for so long before they go: whoever copies backups to another disk
 * or bucket copies a folder's parts before its manifest, with their old times. Milliseconds.
 */
const orphanedMs = 7 * 24 * 3_600_000;

/**
 * Removes what runs have left that nobody remembers: folders of the name without a manifest, of no run on record, which
 * no backup points at. Only where every manifest of the name could be read. Resolves with how many folders went.
 */
export async function removeOrphans(
  removal: Removal & { readonly runs: Pick<Runs, "unsettled">; readonly clock: Clock },
  look: Pick<RetentionLook, "orphans" | "copies" | "unreadable">,
  copying: ReadonlySet<string>,
): Promise<number> {
  const { storage, name, prunes, runs, clock, signal, logger } = removal;
  if (look.unreadable.length > 0) return 0;
  const used = new Set(copying);
  for (const { manifest } of look.copies.values()) for (const { folder } of manifest.references) used.add(folder);
  for (const { folder, leftIn = [] } of await runs.unsettled())
    for (const one of [folder, ...leftIn.map((place) => place.folder)]) if (one !== undefined) used.add(one);
  const orphans = look.orphans.filter(({ folder }) => !used.has(folder));
  const now = clock.now();
  const since = await prunes.orphansSince(storage.name, name, orphans.map(markOf), now);
  let removed = 0;
  for (const orphan of orphans) {
    if (now.getTime() - (since.get(markOf(orphan)) ?? now).getTime() < orphanedMs) continue;
    requireLease(removal);
    await storage.delete(orphan.keys, signal);
    const { folder, bytes } = orphan;
    logger.info({ backup: name, storage: storage.name, folder, bytes }, "parts without a manifest removed");
    removed += 1;
  }
  return removed;
}

/** What changes with anything that is put there or taken away. */
function markOf({ folder, keys, bytes }: Orphan): string {
  return `${folder} ${keys.length} ${bytes}`;
}
