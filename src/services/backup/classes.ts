import { toAppError } from "../../core/errors.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Storage } from "../../storages/types.ts";
import { type RetentionLook, tiersOf } from "./retention.ts";

/**
 * Moves the parts of backups that are only kept for certain tiers ("monthly") into the storage class of these. A backup
 * that has anything else to keep it stays where it can be read at once. What the store refuses is told in the log and
 * tried again the next time: it costs money, not data.
 */
export async function moveClasses(
  { logger }: { readonly logger: Logger },
  storage: Storage,
  look: RetentionLook,
  signal: AbortSignal,
): Promise<number> {
  let moved = 0;
  for (const { folder, reasons } of look.backups) {
    const tiers = tiersOf(reasons);
    const storageClass = tiers && storage.classFor?.(tiers);
    const parts = new Set(look.copies.get(folder)?.manifest.parts.map(({ file }) => `${folder}${file}`));
    if (storageClass === undefined) continue;
    for await (const object of storage.list(folder, signal)) {
      if (!parts.has(object.key) || object.storageClass === storageClass) continue;
      try {
        await storage.setClass?.(object.key, storageClass, signal);
        moved += 1;
      } catch (error) {
        signal.throwIfAborted();
        const { message } = toAppError(error);
        logger.warn(
          { storage: storage.name, key: object.key, storageClass, error: message },
          "storage class not changed",
        );
      }
    }
  }
  return moved;
}
