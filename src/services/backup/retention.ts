import type { Config } from "../../app/config.ts";
import { wholeBytes } from "../../core/anomaly.ts";
import {
  type DecidedBackup,
  type KeepPolicy,
  type KeepReason,
  type Kept,
  planRetention,
  type RetentionPlan,
  tiers,
} from "../../core/retention.ts";
import { storedBytes } from "../../core/run.ts";
import { type Flaw, flawsIn, type SeenStorage, type Suspect } from "../../core/soundness.ts";
import type { CachedCopy } from "../../state/catalogue.ts";
import type { Storage } from "../../storages/types.ts";
import { type CatalogueProblem, lookInto, type Orphan } from "../catalogue.ts";

type BackupConfig = Config["backups"][number];

export interface RetentionOptions {
  readonly policy: KeepPolicy;
  readonly timezone: string;
  readonly now: Date;
  /** Milliseconds for which the store keeps what was written to it: `Storage.lockedMs`. */
  readonly lockedMs?: number | undefined;
  /** Folders that copies for other storages are being made from. */
  readonly copying?: ReadonlySet<string>;
  /** What speaks against copies in this storage, by folder. */
  readonly flaws: ReadonlyMap<string, Flaw>;
  /** Folders that are to be pinned, or are pinned in another storage. */
  readonly pinned?: ReadonlySet<string>;
}

/** What the retention makes of the copies of one name in one storage. Backups are named by their folders. */
export interface RetentionDecision {
  readonly plan: RetentionPlan;
  /** Newest first: each backup, and why it stays, or that it goes. */
  readonly backups: readonly DecidedBackup[];
}

/** The decision for every backup, with its reasons: nothing is deleted by this. */
export function explainRetention(
  copies: ReadonlyMap<string, CachedCopy>,
  options: RetentionOptions,
): RetentionDecision {
  const kept = [...copies].map(([folder, copy]) => keptOf(folder, copy, options));
  const plan = planRetention(kept, options.policy, { timezone: options.timezone, now: options.now });
  const reasons = new Map(plan.keep.map((backup) => [backup.id, backup.reasons]));
  const backups = [...copies].map(([folder, copy]): DecidedBackup => {
    const { manifest } = copy;
    return {
      folder,
      id: manifest.id,
      startedAt: new Date(manifest.startedAt),
      bytes: storedBytes(manifest),
      stays: reasons.has(folder),
      reasons: reasons.get(folder) ?? [],
      sound: !options.flaws.has(folder),
    };
  });
  const newestFirst = backups.sort(
    (a, b) => b.startedAt.getTime() - a.startedAt.getTime() || (a.folder < b.folder ? 1 : -1),
  );
  return { plan, backups: newestFirst };
}

/** A copy as the retention sees it. */
export function keptOf(
  folder: string,
  copy: CachedCopy,
  { lockedMs, copying, pinned, flaws }: Pick<RetentionOptions, "lockedMs" | "copying" | "pinned" | "flaws">,
): Kept {
  const { manifest, pin, storedAt } = copy;
  // What was copied there later is locked for longer.
  const written = Math.max(storedAt ?? 0, Date.parse(manifest.finishedAt));
  return {
    id: folder,
    startedAt: new Date(manifest.startedAt),
    pinned: pin !== undefined || pinned?.has(folder) === true,
    sound: !flaws.has(folder),
    needs: [...new Set(manifest.references.map((reference) => reference.folder))],
    ...(lockedMs === undefined ? {} : { lockedUntil: new Date(written + lockedMs) }),
    ...(copying?.has(folder) ? { copying: true } : {}),
  };
}

/** A storage as it was read just now. */
export interface RetentionLook extends RetentionDecision {
  readonly copies: ReadonlyMap<string, CachedCopy>;
  /** Manifests that make no sense; while there are any, nothing may go: they may need it. */
  readonly unreadable: readonly CatalogueProblem[];
  /** Folders in which a removal has begun and was not finished. */
  readonly removing: readonly string[];
  /** Folders without a manifest in which no removal has begun. */
  readonly orphans: readonly Orphan[];
}

/**
 * Reads a storage and decides what of a name goes: what `vakhta prune --dry-run` shows and what a removal begins with.
 * `known`: from the cache, so that manifests are not read again; each is listed all the same, and those of the last good
 * one and of what it needs are read when anything is to go. Rejects when the storage cannot be read to the end.
 */
export async function explainPrune(
  storage: Storage,
  name: string,
  options: Omit<RetentionOptions, "lockedMs" | "flaws"> & {
    /** What is known of the other storages, and on record against copies. */
    readonly others?: readonly SeenStorage[];
    readonly suspicions?: readonly Suspect[];
    readonly known?: ReadonlyMap<string, CachedCopy>;
    readonly signal: AbortSignal;
  },
): Promise<RetentionLook> {
  const { signal, known = new Map<string, CachedCopy>(), others = [], suspicions = [] } = options;
  const look = await lookInto(storage, known, { name, signal });
  const [copies, problems] = [new Map(look.copies), [...look.problems]];
  const elsewhere = others.filter((other) => other.storage !== storage.name);
  const trusted = new Set(known.keys());
  for (;;) {
    signal.throwIfAborted();
    const failed = problems.find(({ key }) => key === undefined);
    if (failed) throw failed.error;
    const flaws = flawsIn([{ storage: storage.name, copies }, ...elsewhere], suspicions).get(storage.name) ?? new Map();
    const decision = explainRetention(copies, { ...options, lockedMs: storage.lockedMs, flaws });
    // The others go because of it: what it says is not taken from memory.
    const unread = decision.plan.remove.length === 0 ? [] : lastGoodIn(decision, copies).filter((f) => trusted.has(f));
    if (unread.length === 0) {
      const { removing, orphans } = look;
      return { ...decision, copies, unreadable: problems, removing, orphans };
    }
    for (const folder of unread) {
      const again = await lookInto(storage, new Map(), { name, folder, signal });
      const copy = again.copies.get(folder);
      if (copy) copies.set(folder, copy);
      else copies.delete(folder);
      problems.push(...again.problems);
      trusted.delete(folder);
    }
  }
}

/** The folders of the last good one and of what it needs. */
function lastGoodIn({ plan }: RetentionDecision, copies: ReadonlyMap<string, CachedCopy>): string[] {
  const good = plan.keep.find(({ reasons }) => reasons.some(({ kind }) => kind === "last-good"))?.id;
  const needs = copies.get(good ?? "")?.manifest.references.map(({ folder }) => folder) ?? [];
  return good === undefined ? [] : [...new Set([good, ...needs])];
}

/** The policy of a name in a storage. A storage that is no longer one of the backup's keeps what it has. */
export function policyFor(backup: Pick<BackupConfig, "keep">, storage: string): KeepPolicy {
  return backup.keep[storage] ?? "all";
}

/** "daily: 7, monthly: 4"; "all". */
export function policyText(policy: KeepPolicy): string {
  if (policy === "all") return policy;
  const counts = tiers.flatMap((tier) => (policy[tier] === undefined ? [] : [`${tier}: ${policy[tier]}`]));
  return counts.join(", ");
}

/** Tiers that a backup is kept for when nothing else keeps it; undefined when something else does. */
export function tiersOf(reasons: readonly KeepReason[]): readonly string[] | undefined {
  const kinds = reasons.map(({ kind }) => kind);
  return kinds.length > 0 && kinds.every((kind) => tiers.some((tier) => tier === kind)) ? kinds : undefined;
}

/** Sizes by folder, for the look at them. */
export function sizesOf(copies: ReadonlyMap<string, CachedCopy>): { id: string; startedAt: Date; bytes: number }[] {
  return [...copies].map(([folder, { manifest }]) => ({
    id: folder,
    startedAt: new Date(manifest.startedAt),
    bytes: wholeBytes(manifest),
  }));
}
