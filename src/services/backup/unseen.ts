import type { CatalogueLook } from "../../state/catalogue.ts";
import { refreshAfterMs } from "../catalogue-keeper.ts";

/** A look that is older than this is not the newest that there should be; milliseconds. */
export const staleAfterMs = 3 * refreshAfterMs;

/**
 * Why it is not known what a storage holds of a backup now: the last look `failed`, there was none for too long (`old`),
 * none at all (`yet`), or some of its manifests make no sense (`unreadable`). What was known before may be so no longer.
 */
export interface Unseen {
  readonly storage: string;
  readonly why: "failed" | "old" | "yet" | "unreadable";
  /** When it was last looked at, else when that was first tried; ISO 8601. */
  readonly since?: string;
  readonly error?: CatalogueLook["error"];
  readonly unreadable?: number;
}

/** What is not known of a storage, by the last look into it. */
export function unseenIn(storage: string, look: CatalogueLook | undefined, now: Date): Unseen | undefined {
  if (!look) return { storage, why: "yet" };
  const { at, error, seenAt, unreadable = 0 } = look;
  if (error) return { storage, why: "failed", since: seenAt ?? error.since ?? at, error };
  if (now.getTime() - Date.parse(at) > staleAfterMs) return { storage, why: "old", since: at };
  return unreadable > 0 ? { storage, why: "unreadable", unreadable } : undefined;
}

/** When a storage was last looked at with success; undefined: never, as far as anybody remembers. */
export function seenAt(look: CatalogueLook | undefined): Date | undefined {
  const at = look?.error ? look.seenAt : look?.at;
  return at === undefined ? undefined : new Date(at);
}
