import { toAppError } from "../../core/errors.ts";
import { restoreError } from "./errors.ts";
import type { Site } from "./site.ts";

/** Something that needs a connection of its own, and may be begun again when it did not get one. */
export type Work = (site: Site) => Promise<void>;

/**
 * Does all of it at once, each on a connection of its own; what gets none, since a server or a role has only so many, is
 * done when the others have ended. The first failure ends the others, and is thrown when they have ended.
 */
export async function sideBySide(site: Site, works: readonly Work[]): Promise<void> {
  const stop = new AbortController();
  const each = { ...site, signal: AbortSignal.any([site.signal, stop.signal]) };
  const later: Work[] = [];
  await Promise.all(
    works.map(async (work) => {
      try {
        await work(each);
      } catch (error) {
        if (isNoConnection(error)) later.push(work);
        else stop.abort(error);
      }
    }),
  );
  site.signal.throwIfAborted();
  if (stop.signal.aborted) throw restoreError(stop.signal.reason);
  for (const work of later) {
    await work(site).catch((error: unknown) => {
      throw restoreError(error);
    });
  }
}

/** Whether it is a connection that could not be had. */
export function isNoConnection(error: unknown): boolean {
  const { code } = toAppError(error);
  return code === "source-unreachable" || code === "source-refused";
}
