import { orderOf } from "../../core/ahead.ts";
import { flawsIn, type Suspect } from "../../core/soundness.ts";
import type { Logger } from "../../lib/logger.ts";
import { kindOf } from "../../sources/index.ts";
import type { OpenOptions } from "../../sources/types.ts";
import type { CachedCopy } from "../../state/catalogue.ts";
import type { Storage } from "../../storages/types.ts";
import { lookInto, type StorageLook } from "../catalogue.ts";
import { identityFor } from "./identity.ts";
import { openBackup } from "./reader.ts";

/** The run that is about to begin. */
export interface PreviousQuery {
  readonly name: string;
  /** Kind of its source. */
  readonly kind: string;
  /** Where it will be stored. */
  readonly storages: readonly Storage[];
  /** Whom it will be encrypted for. */
  readonly recipients: readonly string[];
  /** age identities that are known here. */
  readonly identities?: readonly string[] | undefined;
  /** What is on record against copies, where anything is kept on record. */
  readonly suspicions?: readonly Suspect[];
  readonly now: Date;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/**
 * What an incremental source builds upon: the newest backup of the name that lies, with everything it points at, whole in
 * every storage of the run. What the run will point at has to be beside it wherever it is stored. A copy on this
 * machine's disk comes first, and one that a wrong clock has dated far ahead last. For other kinds: nothing.
 */
export async function findPrevious(query: PreviousQuery): Promise<Pick<OpenOptions, "previous" | "full">> {
  const { name, kind, storages, recipients, identities = [], suspicions = [], now, signal, logger } = query;
  if (kindOf(kind).incremental !== true) return {};
  const looks = await Promise.all(storages.map((storage) => lookInto(storage, new Map(), { name, signal })));
  signal.throwIfAborted();
  for (const { storage, unread, key = unread, error } of looks.flatMap(({ problems }) => problems))
    logger.warn({ backup: name, storage, key, error: error.message }, "what lies there is not built upon");
  const seen = storages.map(({ name: storage }, index) => ({ storage, copies: looks[index]?.copies ?? new Map() }));
  const flaws = flawsIn(seen, suspicions);
  const isSound = (folder: string): boolean =>
    seen.every(({ storage, copies }) => copies.has(folder) && flaws.get(storage)?.has(folder) === false);
  for (const [folder, copy] of newestFirst(looks, now)) {
    const { manifest } = copy;
    if (manifest.kind !== kind) continue;
    if (!isSound(folder)) continue;
    if (!isSameSet(manifest.encryption?.recipients ?? [], recipients)) return { full: "recipients" };
    const identity = await identityFor(manifest, identities).catch(() => undefined);
    if (manifest.encryption && identity === undefined) return { full: "key" };
    const nearFirst = storages.toSorted((a, b) => Number(b.local) - Number(a.local));
    return { previous: nearFirst.map((storage) => openBackup(storage, manifest, { identity, signal })) };
  }
  const isEmpty = looks.every(({ copies, problems }) => copies.size === 0 && problems.length === 0);
  return { full: isEmpty ? "first" : "copies" };
}

/** What any of the storages has, by folder. */
function newestFirst(looks: readonly StorageLook[], now: Date): [string, CachedCopy][] {
  const all = new Map(looks.flatMap(({ copies }) => [...copies]));
  const order = ([folder, { manifest }]: [string, CachedCopy]): string =>
    `${orderOf(manifest.startedAt, now)} ${folder}`;
  return [...all].sort((a, b) => (order(a) < order(b) ? 1 : -1));
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return new Set(a).size === new Set(b).size && a.every((one) => b.includes(one));
}
