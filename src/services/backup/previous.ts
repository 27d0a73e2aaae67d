import type { Manifest } from "../../core/manifest.ts";
import type { Logger } from "../../lib/logger.ts";
import { kindOf } from "../../sources/index.ts";
import type { OpenOptions } from "../../sources/types.ts";
import type { CachedCopy } from "../../state/catalogue.ts";
import type { Storage } from "../../storages/types.ts";
import { isSoundCopy } from "../cached-catalogue.ts";
import { lookInto, type StorageLook } from "../catalogue.ts";
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
  /** age identity, where it is known here. */
  readonly identity: string | undefined;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** Requests for parts of earlier runs that are made at the same time. */
const atOnce = 8;

/**
 * What an incremental source builds upon: the newest backup of the name that lies, with everything it points at, whole in
 * every storage of the run. What the run will point at has to be beside it wherever it is stored. A copy on this
 * machine's disk comes first. For other kinds: nothing.
 */
export async function findPrevious(query: PreviousQuery): Promise<Pick<OpenOptions, "previous" | "full">> {
  const { name, kind, storages, recipients, identity, signal, logger } = query;
  if (kindOf(kind).incremental !== true) return {};
  const looks = await Promise.all(storages.map((storage) => lookInto(storage, new Map(), { name, signal })));
  signal.throwIfAborted();
  for (const { storage, key, error } of looks.flatMap(({ problems }) => problems))
    logger.warn({ backup: name, storage, key, error: error.message }, "what lies there is not built upon");
  for (const [folder, copy] of newestFirst(looks)) {
    const { manifest } = copy;
    if (manifest.kind !== kind) continue;
    if (!looks.every(({ copies }) => isSameAndSound(copies.get(folder), copy))) continue;
    if (!(await haveReferences(storages, manifest, signal))) continue;
    if (!isSameSet(manifest.encryption?.recipients ?? [], recipients)) return { full: "recipients" };
    if (manifest.encryption && identity === undefined) return { full: "key" };
    const nearFirst = storages.toSorted((a, b) => Number(b.local) - Number(a.local));
    return { previous: nearFirst.map((storage) => openBackup(storage, manifest, { identity, signal })) };
  }
  const isEmpty = looks.every(({ copies, problems }) => copies.size === 0 && problems.length === 0);
  return { full: isEmpty ? "first" : "copies" };
}

/** What any of the storages has, by folder. */
function newestFirst(looks: readonly StorageLook[]): [string, CachedCopy][] {
  const all = new Map(looks.flatMap(({ copies }) => [...copies]));
  const order = ([folder, { manifest }]: [string, CachedCopy]): string => `${manifest.startedAt} ${folder}`;
  return [...all].sort((a, b) => (order(a) < order(b) ? 1 : -1));
}

function isSameAndSound(copy: CachedCopy | undefined, other: CachedCopy): boolean {
  return copy !== undefined && isSoundCopy(copy) && copy.manifestSha256 === other.manifestSha256;
}

/** Whether every storage has every part of earlier runs that a backup points at, by its size. */
async function haveReferences(storages: readonly Storage[], manifest: Manifest, signal: AbortSignal): Promise<boolean> {
  const pending = storages.flatMap((storage) => manifest.references.map((reference) => ({ storage, reference })));
  let complete = true;
  const worker = async (): Promise<void> => {
    for (let next = pending.pop(); next && complete; next = pending.pop()) {
      const { storage, reference } = next;
      const found = await storage.head(`${reference.folder}${reference.file}`, signal).catch(() => undefined);
      signal.throwIfAborted();
      if (found?.bytes !== reference.bytes) complete = false;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return complete;
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return new Set(a).size === new Set(b).size && a.every((one) => b.includes(one));
}
